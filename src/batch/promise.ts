// A promise from a closure of a narrow operator means that its author wanted mapAsync: its result
// would be a promise in place of a record, and its rejection would end the process.

import { ConfigError } from '../errors.ts'

/** What an operator gives whose closure returns `U`: the stream or batch, or never for a promise,
 * so that the compiler points at what would be done with it: closures are synchronous, and mapAsync
 * is for promises. One type and no overload: streams of several types take the same call. */
export type UseMapAsync<U, Stream> = 0 extends 1 & U
  ? Stream
  : [U] extends [never]
    ? Stream
    : [U] extends [PromiseLike<unknown>]
      ? never
      : Stream

/** The records that are left of `T` by a predicate for `U`; unknown where it is a plain one. */
export type Kept<T, U> = unknown extends U ? T : T & U

/** Says whether a record is kept; a type predicate narrows the type. */
export type Predicate<T, U> = ((record: T) => record is T & U) | ((record: T) => boolean)

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
