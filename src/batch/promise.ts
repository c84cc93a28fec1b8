// Closures are synchronous. One that gives a promise is refused where it is called: its result
// would be a promise in place of a record, and its rejection would end the process.

import { ConfigError } from '../errors.ts'

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

/** Gives what a closure gave, unless it is a promise. */
export function synchronous<R>(value: R): R {
  return isPromise(value) ? refusePromise(value) : value
}
