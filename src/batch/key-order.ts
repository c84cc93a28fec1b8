// The order that sorting, top, max and min go by. It is total over all keys, and agrees with their
// value equality but for a number and a bigint of equal value: 1 comes before 1n.

import { StreamingError } from '../errors.ts'

type Compare = (a: never, b: never) => number

// Kinds in their order; each with the order of its own.
const KINDS: readonly (readonly [kind: string, compare: Compare])[] = [
  ['null', () => 0],
  ['boolean', (a: boolean, b: boolean) => Number(a) - Number(b)],
  ['number', compareNumbers],
  ['string', compareTexts],
  ['Date', (a: Date, b: Date) => compareNumbers(a.getTime(), b.getTime())],
  ['Uint8Array', (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b)],
  ['array', compareArrays],
  ['object', compareObjects],
]

/** Orders keys: null, booleans, numbers and bigints by value with NaN last, texts by UTF-16 units,
 * dates, bytes, arrays part by part, plain objects by their sorted names and values. Throws
 * KEY_NOT_COMPARABLE for anything else. */
export function compareKeys(a: unknown, b: unknown): number {
  if (typeof a === 'string' && typeof b === 'string') return compareTexts(a, b)
  if (typeof a === 'number' && typeof b === 'number') return compareNumbers(a, b)
  const rank = rankOf(a)
  const other = rankOf(b)
  if (rank !== other) return rank - other
  const [, compare] = KINDS[rank] as (typeof KINDS)[number]
  return compare(a as never, b as never)
}

function rankOf(key: unknown): number {
  const kind = kindOf(key)
  const rank = KINDS.findIndex(([name]) => name === kind)
  if (rank >= 0) return rank
  throw new StreamingError(
    'KEY_NOT_COMPARABLE',
    `Cannot order values: one is ${kind}; use strings, numbers, bigints, booleans, null, Date, ` +
      `Uint8Array, or arrays and plain objects of these, or give a comparison`,
  )
}

function kindOf(key: unknown): string {
  if (key === null) return 'null'
  if (typeof key === 'bigint') return 'number'
  if (typeof key !== 'object') return typeof key
  if (Array.isArray(key)) return 'array'
  if (key instanceof Date) return 'Date'
  if (key instanceof Uint8Array) return 'Uint8Array'
  const prototype: unknown = Object.getPrototypeOf(key)
  if (prototype === Object.prototype || prototype === null) return 'object'
  return `an instance of ${key.constructor?.name ?? 'a class'}`
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}

function compareNumbers(a: number | bigint, b: number | bigint): number {
  if (a < b) return -1
  if (a > b) return 1
  const nan = Number(Number.isNaN(a)) - Number(Number.isNaN(b))
  return nan === 0 ? Number(typeof a === 'bigint') - Number(typeof b === 'bigint') : nan
}

function compareArrays(a: readonly unknown[], b: readonly unknown[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = compareKeys(a[i], b[i])
    if (order !== 0) return order
  }
  return a.length - b.length
}

function compareObjects(a: object, b: object): number {
  const fields = (of: object) =>
    Object.keys(of)
      .sort()
      .flatMap((name) => [name, Reflect.get(of, name) as unknown])
  return compareArrays(fields(a), fields(b))
}
