// A promise from a closure of a narrow operator means that its author wanted mapAsync: its result
// would be a promise in place of a record, and its rejection would end the process.

import { ConfigError } from '../errors.ts'

/** What an operator with a synchronous closure gives that returns `U`: the stream, or, for a
 * promise, something that nothing can be done with, so that the compiler points at the mistake. */
export type UseMapAsync<U, Stream> = 0 extends 1 & U
  ? Stream
  : [U] extends [never]
    ? Stream
    : { readonly 'closures are synchronous: use mapAsync': never }

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
