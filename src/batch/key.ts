// Keys have value equality. A key's token is a primitive that is equal, under Map's rules, exactly
// when the keys are: primitives stand for themselves (NaN equals NaN, -0 equals 0), all else for
// its canonical text.

import { StreamingError } from '../errors.ts'

/** What stands for a key in a Map. */
export type Token = string | number | bigint | boolean | null

/** The first unit of each token that does not stand for itself; strings that begin with it are
 * escaped. */
const MARK = '\u0000'

/** Parts of a key may nest so deep; a cyclic one nests deeper. */
const DEPTH_MAX = 100

/** Gives the token of a key: string, number, bigint, boolean, null, Date, Uint8Array, or arrays and
 * plain objects of these (whatever the order of their properties). Throws KEY_NOT_COMPARABLE for
 * anything else, undefined too: it says that something is missing, and null says so in a key.
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
      return key === null ? null : MARK + canonical(key, 0)
  }
}

/** Canonical text of a part of a composite key. No text is the beginning of another. */
function canonical(part: unknown, depth: number): string {
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
      return part === null ? '0' : canonicalObject(part, depth + 1)
    default:
      throw notComparable(part === undefined ? 'undefined' : `a ${typeof part}`)
  }
}

function canonicalObject(part: object, depth: number): string {
  if (depth > DEPTH_MAX) throw notComparable('a cyclic or very deep object')
  if (part instanceof Date) return `d${part.getTime()};`
  if (Array.isArray(part)) return canonicalArray(part, depth)
  if (part instanceof Uint8Array) {
    return `b${Buffer.from(part.buffer, part.byteOffset, part.byteLength).toString('base64')};`
  }
  const prototype: unknown = Object.getPrototypeOf(part)
  if (prototype !== Object.prototype && prototype !== null) {
    throw notComparable(`an instance of ${part.constructor?.name || 'a class'}`)
  }
  const names = Object.keys(part).sort()
  const fields = names.map(
    (name) => canonical(name, depth) + canonical(Reflect.get(part, name), depth),
  )
  return `o${names.length}:${fields.join('')}`
}

/** By index: a hole is undefined, and refused as it is. */
function canonicalArray(parts: readonly unknown[], depth: number): string {
  let text = `a${parts.length}:`
  for (let i = 0; i < parts.length; i++) text += canonical(parts[i], depth)
  return text
}

function notComparable(found: string): StreamingError {
  return new StreamingError(
    'KEY_NOT_COMPARABLE',
    `Cannot compare keys by value: the key holds ${found}; use strings, numbers, bigints, ` +
      `booleans, null, Date, Uint8Array, or arrays and plain objects of these`,
  )
}
