/** Stops on a broken invariant: a bug of millrace itself, never a mistake of its user. */
export function assert(condition: boolean, message: string | (() => string)): asserts condition {
  if (condition) return
  throw new Error(`millrace bug: ${typeof message === 'string' ? message : message()}`)
}

/** Marks a branch that the types say cannot be reached. */
export function unreachable(value: never): never {
  throw new Error(`millrace bug: unexpected value ${JSON.stringify(value)}`)
}

/** Gives `value`, which the caller knows to be present. */
export function present<T>(value: T | undefined | null, what: string): T {
  assert(value !== undefined && value !== null, () => `${what} is missing`)
  return value
}
