import { describe, expect, test } from 'vitest'
import { tokenOf } from '../../src/batch/key.ts'
import { hashToken, partitionOf } from '../../src/batch/partitioner.ts'

describe('keys have value equality', () => {
  test.each([
    [Number.NaN, Number.NaN],
    [-0, 0],
    [new Date(5), new Date(5)],
    [Uint8Array.of(1, 2), Buffer.from([1, 2])],
    [
      { a: 1, b: [2] },
      { b: [2], a: 1 },
    ],
    [
      ['a', -0],
      ['a', 0],
    ],
  ])('%o equals %o', (a, b) => {
    expect(new Map([[tokenOf(a), 1]]).get(tokenOf(b))).toBe(1)
  })

  test.each([
    [1, '1'],
    [1n, 1],
    [null, 'null'],
    [true, 'true'],
    [['a', 'b'], ['ab']],
    [{ a: 1 }, [['a', 1]]],
    [new Date(5), 5],
    ['\u0000t', [true]],
  ])('%o differs from %o', (a, b) => {
    expect(new Map([[tokenOf(a), 1]]).get(tokenOf(b))).toBeUndefined()
  })

  test.each([undefined, Symbol('s'), () => 1, new Map(), [undefined]])('%o is refused', (key) => {
    expect(() => tokenOf(key)).toThrow(/Cannot compare keys by value/)
  })
})

describe('the hash is the same in every process and version', () => {
  test.each(vectors())('%o hashes to %d', (key, hash) => {
    expect(hashToken(tokenOf(key))).toBe(hash)
  })

  test('partitions are ranges of key groups', () => {
    for (const key of ['a', 'b', 1, 2, null]) {
      const wide = partitionOf(key, 256)
      expect(partitionOf(key, 8)).toBe(Math.floor(wide / 32))
    }
  })
})

/** Never change a line: committed state is laid out by these numbers. */
function vectors(): [unknown, number][] {
  return [
    ['', 2872998923],
    ['a', 444641715],
    ['millrace', 2352700675],
    ['ä€😀', 119109006],
    [0, 0],
    [-0, 0],
    [1, 1707203127],
    [-1.5, 4288699460],
    [Number.NaN, 299696415],
    [2 ** 53, 1207186193],
    [7n, 1378681179],
    [true, 1364076727],
    [false, 821347078],
    [null, 2247144487],
    [new Date(0), 673522939],
    [Uint8Array.of(1, 2, 3), 2954344052],
    [['a', 1], 1578295451],
    [{ b: 2, a: 1 }, 3908232490],
    [{ a: 1, b: 2 }, 3908232490],
  ]
}
