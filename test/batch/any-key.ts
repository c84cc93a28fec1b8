// Keys for properties, and value equality as an oracle.

import fc from 'fast-check'

// Parts of keys that are easily taken for one another.
const primitive = fc.oneof(
  fc.constantFrom(0, -0, 1, Number.NaN, Number.POSITIVE_INFINITY, 0n, 1n, true, false, null),
  fc.constantFrom('', '0', '1', 'true', '\u0000', '\u0000s', 'n1;', '\ud800', 'a', 'ab', 'b'),
  fc.double(),
)
const { key } = fc.letrec<{ key: unknown }>((tie) => ({
  key: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    primitive,
    fc.constantFrom(0, 1, Number.NaN).map((ms) => new Date(ms)),
    fc.uint8Array({ maxLength: 2 }),
    fc.array(tie('key'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', '', '0'), tie('key'), { maxKeys: 2 }),
  ),
}))

/** A key of any type and depth. */
export const anyKey: fc.Arbitrary<unknown> = key

/** Value equality, written down part by part. */
export function sameKey(a: unknown, b: unknown): boolean {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (kindOf(a) !== kindOf(b)) return false
  if (a instanceof Date) return sameKey(a.getTime(), (b as Date).getTime())
  if (a instanceof Uint8Array) return Buffer.compare(a, b as Uint8Array) === 0
  const names = Object.keys(a)
  return (
    names.length === Object.keys(b).length &&
    names.every(
      (name) => Object.hasOwn(b, name) && sameKey(Reflect.get(a, name), Reflect.get(b, name)),
    )
  )
}

function kindOf(key: object): unknown {
  return Object.getPrototypeOf(key) ?? Object.prototype
}
