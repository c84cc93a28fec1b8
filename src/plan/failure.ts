import { ConfigError } from '../errors.ts'

/** What a generated loop throws: the closure's own error with the index of the record in its
 * piece. */
export class LoopFailure {
  readonly index: number
  readonly cause: unknown

  constructor(index: number, cause: unknown) {
    this.index = index
    this.cause = cause
  }
}

/** Called where a closure gave a promise. Its rejection, if any, is taken care of. */
export function refusePromise(value: PromiseLike<unknown>): never {
  value.then(undefined, () => undefined)
  throw new ConfigError('the closure returned a promise: closures are synchronous; use mapAsync')
}

/** True for anything that can be awaited. */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'then' in value &&
    typeof value.then === 'function'
  )
}
