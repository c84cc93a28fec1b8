// Keys have value equality, in memory and after a trip through the checkpoint's bytes; their hashes
// are the same for ever.

import { readFileSync } from 'node:fs'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decode, encode } from '../../src/batch/codec.ts'
import { tokenOf } from '../../src/batch/key.ts'
import { hashToken, partitionOf } from '../../src/batch/partitioner.ts'
import { anyKey, sameKey } from './any-key.ts'
import { readKey, type WrittenKey } from './written-keys.ts'

const equal = (a: unknown, b: unknown) => new Map([[tokenOf(a), 1]]).has(tokenOf(b))

describe('keys have value equality', () => {
  const nan = new DataView(new ArrayBuffer(8))
  nan.setBigUint64(0, 0x7ff8_0000_0000_0001n)
  const pool = new Uint8Array([9, 1, 2, 9])

  test.each([
    [Number.NaN, Number.NaN],
    [Number.NaN, nan.getFloat64(0)],
    [-0, 0],
    [10n ** 30n, BigInt('1000000000000000000000000000000')],
    [new Date(5), new Date(5)],
    [new Date(Number.NaN), new Date(Number.NaN)],
    [Uint8Array.of(1, 2), Buffer.from([1, 2])],
    [Uint8Array.of(1, 2), pool.subarray(1, 3)],
    [Buffer.from(pool.buffer, 1, 2), pool.subarray(1, 3)],
    [
      { a: 1, b: [2] },
      { b: [2], a: 1 },
    ],
    [{ a: { x: 1, y: { p: 1, q: 2 } } }, { a: { y: { q: 2, p: 1 }, x: 1 } }],
    [Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    [
      ['a', -0],
      ['a', 0],
    ],
    [
      [Number.NaN, [nan.getFloat64(0)]],
      [nan.getFloat64(0), [Number.NaN]],
    ],
    ['\ud800', '\ud800'],
  ])('%o equals %o', (a, b) => {
    expect(equal(a, b)).toBe(true)
    expect(hashToken(tokenOf(a))).toBe(hashToken(tokenOf(b)))
  })

  test.each([
    [1, '1'],
    [1n, 1],
    [0n, -0],
    [[1n], [1]],
    [null, 'null'],
    [true, 'true'],
    [false, 0],
    ['', null],
    [['a', 'b'], ['ab']],
    [
      ['a', ['b']],
      [['a'], 'b'],
    ],
    [{ a: 1 }, [['a', 1]]],
    [{ a: 1 }, { a: 1, b: null }],
    [{}, []],
    [{ 0: 'a' }, ['a']],
    [new Date(5), 5],
    [new Date(Number.NaN), Number.NaN],
    [Uint8Array.of(1), [1]],
    [Uint8Array.of(), Uint8Array.of(0)],
    ['\u0000t', [true]],
    ['\u0000a1:t', [true]],
    ['\u0000s\u0000', '\u0000'],
    ['\ud800', '\ufffd'],
    ['\ud800\udc00', '\udc00\ud800'],
    ['e\u0301', '\u00e9'],
  ])('%o differs from %o', (a, b) => {
    expect(equal(a, b)).toBe(false)
  })
})

describe('what cannot be compared by value is refused', () => {
  class Money {}
  const cyclic: unknown[] = []
  cyclic.push({ of: cyclic })

  test.each<[string, unknown, RegExp]>([
    ['undefined', undefined, /the key holds undefined/],
    ['undefined in a tuple', ['a', undefined], /the key holds undefined/],
    ['undefined in an object', { a: undefined }, /the key holds undefined/],
    // biome-ignore lint/suspicious/noSparseArray: a hole is what is tested
    ['a hole in a tuple', ['a', , 'b'], /the key holds undefined/],
    ['a symbol', Symbol('s'), /the key holds a symbol/],
    ['a function', () => 1, /the key holds a function/],
    ['a Map', new Map(), /the key holds an instance of Map/],
    ['a Set in a tuple', [new Set()], /the key holds an instance of Set/],
    ['another typed array', new Uint16Array(1), /the key holds an instance of Uint16Array/],
    ['an instance of a class', new Money(), /the key holds an instance of Money/],
    ['an instance of a nameless class', new (class {})(), /the key holds an instance of a class/],
    ['a boxed number', Object(1), /the key holds an instance of Number/],
    ['an object of another realm', runInNewContext('({})'), /the key holds an instance of Object/],
    ['a cyclic object', cyclic, /the key holds a cyclic or very deep object/],
  ])('%s', (_name, key, message) => {
    expect(() => tokenOf(key)).toThrow(message)
    expect(() => tokenOf(key)).toThrow(expect.objectContaining({ code: 'KEY_NOT_COMPARABLE' }))
  })
})

describe('for any two keys', () => {
  test('tokens are equal exactly if the keys are, and then so are the hashes', () => {
    const property = fc.property(anyKey, anyKey, (a, b) => {
      expect(equal(a, b)).toBe(sameKey(a, b))
      if (sameKey(a, b)) expect(hashToken(tokenOf(a))).toBe(hashToken(tokenOf(b)))
    })
    fc.assert(property, { numRuns: 3_000, seed: 20_260_302 })
  })

  test('a key that went through bytes is the same key', () => {
    const property = fc.property(anyKey, (key) => {
      expect(equal(decode(encode(key, 'a key')), key)).toBe(true)
    })
    fc.assert(property, { numRuns: 1_000, seed: 20_260_303 })
  })
})

describe('the hash is the same in every process and version', () => {
  const { vectors } = JSON.parse(
    readFileSync(new URL('./hash-vectors.json', import.meta.url), 'utf8'),
  ) as { vectors: readonly { key: WrittenKey; hash: number; group: number }[] }

  test.each(vectors.map((vector) => [JSON.stringify(vector.key), vector] as const))(
    '%s',
    (_name, { key, hash, group }) => {
      expect(hashToken(tokenOf(readKey(key)))).toBe(hash)
      expect(partitionOf(readKey(key), 256)).toBe(group)
    },
  )

  test('no vector was taken away', () => {
    expect(vectors.length).toBeGreaterThanOrEqual(75)
  })

  test('partitions are ranges of key groups', () => {
    for (const key of ['a', 'b', 1, 2, null]) {
      const wide = partitionOf(key, 256)
      expect(partitionOf(key, 8)).toBe(Math.floor(wide / 32))
    }
  })
})
