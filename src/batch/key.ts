// Keys have value equality. A key's token is a primitive that is equal, under Map's rules, exactly
// when the keys are: primitives stand for themselves (NaN equals NaN, -0 equals 0), all else for
// its canonical text.

import { StreamingError } from '../errors.ts'

/** What stands for a key in a Map. */
export type Token = string | number | bigint | boolean | null

/** The first unit of each token that does not stand for itself; strings that begin with it are
 * escaped. */
const MARK = '\u0000'

/** Gives the token of a key: string, number, bigint, boolean, null, Date, Uint8Array, or arrays and
 * plain objects of these (whatever the order of their properties). Throws KEY_NOT_COMPARABLE for
 * anything else.
 *
 * @example
 * ```ts
 * assert.equal(tokenOf({ a: 1, b: 2 }), tokenOf({ b: 2, a: 1 }))
 * assert.notEqual(tokenOf('1'), tokenOf(1))
 * ```
 */
export function tokenOf(key: unknown): Token {
  switch (typeof key) {
    case 'string':
      return key.charCodeAt(0) === 0 ? `${MARK}s${key}` : key
    case 'number':
    case 'bigint':
    case 'boolean':
      return key
    default:
      return key === null ? null : MARK + canonical(key)
  }
}

/** Canonical text of a part of a composite key. No text is the beginning of another. */
function canonical(part: unknown): string {
  switch (typeof part) {
    case 'string':
      return `s${part.length}:${part}`
    case 'number':
      return `n${part === 0 ? 0 : part};`
    case 'bigint':
      return `i${part};`
    case 'boolean':
      return part ? 't' : 'f'
    case 'object':
      return part === null ? '0' : canonicalObject(part)
    default:
      throw notComparable(`a value of type ${typeof part}`)
  }
}

function canonicalObject(part: object): string {
  if (part instanceof Date) return `d${part.getTime()};`
  if (Array.isArray(part)) return `a${part.length}:${part.map(canonical).join('')}`
  if (part instanceof Uint8Array) {
    return `b${Buffer.from(part.buffer, part.byteOffset, part.byteLength).toString('base64')};`
  }
  const prototype: unknown = Object.getPrototypeOf(part)
  if (prototype !== Object.prototype && prototype !== null) {
    throw notComparable(`an instance of ${part.constructor?.name ?? 'a class'}`)
  }
  const names = Object.keys(part).sort()
  const fields = names.map((name) => canonical(name) + canonical(Reflect.get(part, name)))
  return `o${names.length}:${fields.join('')}`
}

function notComparable(found: string): StreamingError {
  return new StreamingError(
    'KEY_NOT_COMPARABLE',
    `Cannot compare keys by value: the key holds ${found}; use strings, numbers, bigints, ` +
      `booleans, ` +
      `null, Date, Uint8Array, or arrays and plain objects of these`,
  )
}
