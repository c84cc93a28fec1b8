// The zero of a fold enters more than once, and the closures of a fold may change what they are
// given: each time it must be a fresh one.

import { decode, encode, isPrimitive } from './codec.ts'

/** Gives fresh copies of `zero`. Throws VALUE_NOT_STORABLE where it cannot be copied, as an
 * instance of a class. */
export function freshCopies<Z>(zero: Z, operator: string): () => Z {
  if (isPrimitive(zero)) return () => zero
  const bytes = encode(zero, `the zero of ${operator}`)
  return () => decode(bytes) as Z
}
