import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decode, encode } from '../../src/batch/codec.ts'
import { openRecords, openValue, sealRecords, sealValue } from '../../src/batch/sealed.ts'

const SEED = 20_260_302
const RUNS = 500

const leaf = fc.oneof(
  fc.constantFrom(null, undefined, true, false, Number.NaN, -0, 0, '', '\ud800', '\udc00x', '😀'),
  fc.double(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }),
  fc.string({ unit: 'binary' }),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array({ maxLength: 9 }),
  fc.float64Array({ maxLength: 4 }),
)
const name = fc.oneof(
  fc.string({ maxLength: 4 }),
  fc.constantFrom('constructor', 'toString', '0', 'length', 'then'),
)

const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      name.filter((text) => text !== '__proto__'),
      tie('value'),
      { maxKeys: 4, noNullPrototype: true },
    ),
    fc.array(fc.tuple(leaf, tie('value')), { maxLength: 3 }).map((pairs) => new Map(pairs)),
    fc.array(leaf, { maxLength: 3 }).map((values) => new Set(values)),
  ),
}))

const check = (holds: (value: unknown) => boolean, values: fc.Arbitrary<unknown> = value) =>
  fc.assert(fc.property(values, holds), { numRuns: RUNS, seed: SEED })

describe('what is encoded comes back', () => {
  test('bit for bit, whatever it is made of', () => {
    check((v) => isDeepStrictEqual(decode(encode(v, 'a value')), v))
  })

  test('from a sealed value', () => {
    check((v) => isDeepStrictEqual(openValue(sealValue(v, 'a value')), v))
  })

  test('from sealed records', () => {
    const records = fc.array(fc.oneof(leaf, fc.tuple(leaf, leaf), value), { maxLength: 5 })
    check(
      (all) => isDeepStrictEqual(openRecords(sealRecords(all as unknown[], 'records')), all),
      records,
    )
  })

  test('the same bytes each time, so that checksums agree', () => {
    check((v) => isDeepStrictEqual(encode(v, 'a value'), encode(v, 'a value')))
  })

  test('as a fresh object that shares nothing', () => {
    const bytes = encode({ list: [1], bytes: Uint8Array.of(7) }, 'a value')
    const first = decode(bytes) as { list: number[]; bytes: Uint8Array }
    first.list.push(2)
    first.bytes[0] = 9
    expect(decode(bytes)).toStrictEqual({ list: [1], bytes: Uint8Array.of(7) })
  })
})

describe('what would come back as something else is refused by name', () => {
  class Point {
    x = 1
  }
  const cyclic: unknown[] = []
  cyclic.push(cyclic)
  test.each([
    ['a class', new Point(), /an instance of Point/],
    ['a class deep inside', { a: [new Map([['p', new Point()]])] }, /an instance of Point/],
    ['a function', { f: () => 1 }, /a function/],
    ['a symbol', [Symbol('s')], /a symbol/],
    ['a cycle', cyclic, /cyclic/],
    ['a property that sets the prototype', JSON.parse('{"__proto__": 1}'), /__proto__/],
  ])('%s', (_name, bad, message) => {
    expect(() => encode(bad, 'the state of a key')).toThrow(message)
    expect(() => encode(bad, 'the state of a key')).toThrow('Cannot store the state of a key')
  })
})
