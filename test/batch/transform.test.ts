// The operations of a batch: lazy ones through transform, actions through foreachBatch.

import { Batch, type DStream, pipeline, start } from 'millrace'
import { ManualClock, quietLogger, runBatches } from 'millrace/testing'
import { describe, expect, test } from 'vitest'

type Numbers = Batch<number>
type Pairs = Batch<[string, number]>

const numbers = [5, 3, 1, 3, 2, 4]
const pairs: [string, number][] = [
  ['b', 1],
  ['a', 2],
  ['b', 3],
  ['c', 4],
]
const table = Batch.of<[string, string]>(
  [
    ['a', 'A'],
    ['b', 'B'],
    ['z', 'Z'],
  ],
  2,
)
const one = { partitions: 1 }

/** What `transform` makes of one batch in two partitions. */
async function transformed<T, U>(records: T[], f: (batch: Batch<T>) => Batch<U>) {
  const options = { inputs: [[records]], batches: 1, partitions: 2 }
  const [output] = await runBatches(options, (_ssc, s: DStream<T>) => s.transform(f))
  return output
}

describe('operations on records', () => {
  const cases: [string, (b: Numbers) => Batch<unknown>, unknown[]][] = [
    [
      'glom',
      (b) => b.glom(),
      [
        [5, 3, 1],
        [3, 2, 4],
      ],
    ],
    [
      'keyBy',
      (b) => b.filter((n) => n > 3).keyBy((n) => n % 2),
      [
        [1, 5],
        [0, 4],
      ],
    ],
    [
      'groupBy',
      (b) => b.groupBy((n) => n % 2, one),
      [
        [1, [5, 3, 1, 3]],
        [0, [2, 4]],
      ],
    ],
    ['distinct', (b) => b.distinct(one), [5, 3, 1, 2, 4]],
    ['sortBy', (b) => b.sortBy((n) => n), [1, 2, 3, 3, 4, 5]],
    ['sortBy, downwards', (b) => b.sortBy((n) => n, false), [5, 4, 3, 3, 2, 1]],
    [
      'zipWithIndex',
      (b) => b.filter((n) => n > 2).zipWithIndex(),
      [
        [5, 0],
        [3, 1],
        [3, 2],
        [4, 3],
      ],
    ],
    ['repartition', (b) => b.repartition(4).glom(), [[5], [3, 1], [3], [2, 4]]],
    [
      'coalesce',
      (b) => b.repartition(4).coalesce(2).glom(),
      [
        [5, 3, 1],
        [3, 2, 4],
      ],
    ],
    ['union', (b) => b.union(b.map((n) => -n)), [5, 3, 1, 3, 2, 4, -5, -3, -1, -3, -2, -4]],
    [
      'cartesian',
      (b) => b.filter((n) => n > 4).cartesian(Batch.of(['x', 'y'])),
      [
        [5, 'x'],
        [5, 'y'],
      ],
    ],
    [
      'cache',
      (b) => {
        const kept = b.cache()
        return kept.union(kept)
      },
      [...numbers, ...numbers],
    ],
  ]
  test.each(cases)('%s', async (_name, f, expected) => {
    expect(await transformed(numbers, f)).toEqual(expected)
  })

  test('sample keeps the same records for the same seed', async () => {
    const many = Array.from({ length: 1_000 }, (_, i) => i)
    const kept = await transformed(many, (b) => b.sample(0.3, 7))
    expect(await transformed(many, (b) => b.sample(0.3, 7))).toEqual(kept)
    expect(await transformed(many, (b) => b.sample(0.3, 8))).not.toEqual(kept)
    expect(kept?.length).toBeGreaterThan(200)
    expect(kept?.length).toBeLessThan(400)
  })

  test('sorts NaN after every number', async () => {
    const mixed = [3, Number.NaN, 1, Number.NaN, 2]
    const sorted = await transformed(mixed, (b) => b.sortBy((n) => n))
    expect(sorted).toEqual([1, 2, 3, Number.NaN, Number.NaN])
  })
})

describe('operations on pairs', () => {
  const cases: [string, (b: Pairs) => Batch<unknown>, unknown[]][] = [
    ['keys', (b) => b.keys(), ['b', 'a', 'b', 'c']],
    ['values', (b) => b.values(), [1, 2, 3, 4]],
    [
      'flatMapValues',
      (b) => b.flatMapValues((n) => (n > 2 ? [n, -n] : [])),
      [
        ['b', 3],
        ['b', -3],
        ['c', 4],
        ['c', -4],
      ],
    ],
    [
      'reduceByKey',
      (b) => b.reduceByKey((x, y) => x + y, one),
      [
        ['b', 4],
        ['a', 2],
        ['c', 4],
      ],
    ],
    [
      'groupByKey',
      (b) => b.groupByKey(one),
      [
        ['b', [1, 3]],
        ['a', [2]],
        ['c', [4]],
      ],
    ],
    [
      'combineByKey',
      (b) =>
        b.combineByKey(
          (n) => `${n}`,
          (s, n) => `${s},${n}`,
          (x, y) => `${x};${y}`,
          one,
        ),
      [
        ['b', '1;3'],
        ['a', '2'],
        ['c', '4'],
      ],
    ],
    [
      'cogroup',
      (b) => b.cogroup(table, one),
      [
        ['b', [[1, 3], ['B']]],
        ['a', [[2], ['A']]],
        ['c', [[4], []]],
        ['z', [[], ['Z']]],
      ],
    ],
    [
      'join',
      (b) => b.join(table, one),
      [
        ['b', [1, 'B']],
        ['b', [3, 'B']],
        ['a', [2, 'A']],
      ],
    ],
    [
      'leftOuterJoin',
      (b) => b.filter(([k]) => k !== 'b').leftOuterJoin(table, one),
      [
        ['a', [2, 'A']],
        ['c', [4, undefined]],
      ],
    ],
    [
      'rightOuterJoin',
      (b) => b.filter(([k]) => k !== 'b').rightOuterJoin(table, one),
      [
        ['a', [2, 'A']],
        ['b', [undefined, 'B']],
        ['z', [undefined, 'Z']],
      ],
    ],
    [
      'fullOuterJoin',
      (b) => b.filter(([k]) => k === 'c').fullOuterJoin(table, one),
      [
        ['c', [4, undefined]],
        ['a', [undefined, 'A']],
        ['b', [undefined, 'B']],
        ['z', [undefined, 'Z']],
      ],
    ],
    ['subtractByKey', (b) => b.subtractByKey(table, one), [['c', 4]]],
    ['partitionBy', (b) => b.partitionBy(1), pairs],
    [
      'sortByKey',
      (b) => b.sortByKey(),
      [
        ['a', 2],
        ['b', 1],
        ['b', 3],
        ['c', 4],
      ],
    ],
  ]
  test.each(cases)('%s', async (_name, f, expected) => {
    expect(await transformed(pairs, f)).toEqual(expected)
  })
})

describe('actions', () => {
  test('are refused inside transform, and outside of a pipeline', async () => {
    const refused = { code: 'ACTION_NOT_ALLOWED' }
    let inside: Promise<unknown> | undefined
    await transformed(numbers, (b) => {
      inside = b.count().catch((error: unknown) => error)
      return b
    })
    expect(await inside).toMatchObject(refused)
    await expect(Batch.of([1]).collect()).rejects.toMatchObject(refused)
  })

  /** Runs `body` on a batch of these records in foreachBatch. */
  async function onBatch<T>(records: T[], body: (batch: Batch<T>) => Promise<void>) {
    const options = { batchInterval: 1_000, checkpoint: false } as const
    const clock = new ManualClock()
    const p = pipeline('actions', options, (ssc) => {
      const two = ssc.queue<T>([records]).repartition(2)
      two.foreachBatch((batch, { batchId }) => (batchId === 1 ? body(batch) : undefined))
    })
    const run = await start(p, { clock, logger: quietLogger })
    await run.stop()
  }

  test('give what arrays give', async () => {
    expect.assertions(12)
    await onBatch(numbers, async (b) => {
      expect(await b.collect()).toEqual(numbers)
      expect(await b.partitions()).toEqual([numbers.slice(0, 3), numbers.slice(3)])
      expect([await b.count(), await b.first()]).toEqual([6, 5])
      expect(await b.take(4)).toEqual([5, 3, 1, 3])
      expect(await b.top(2)).toEqual([5, 4])
      expect(await b.takeOrdered(3)).toEqual([1, 2, 3])
      expect(await b.reduce((x, y) => x + y)).toBe(18)
      expect(await b.fold(0, (x, y) => x + y)).toBe(18)
      expect(
        await b.aggregate(
          '',
          (s, n) => s + n,
          (x, y) => `${x}|${y}`,
        ),
      ).toBe('|531|324')
      const seen: number[] = []
      for await (const n of b) seen.push(n)
      await b.foreach((n) => void seen.push(n))
      expect(seen).toEqual([...numbers, ...numbers])
      expect(await b.keyBy((n) => n % 2).lookup(0)).toEqual([2, 4])
      await expect(b.filter(() => false).first()).rejects.toThrow(/empty/)
    })
  })

  test('hand a closure two values and nothing else', async () => {
    expect.assertions(3)
    await onBatch(numbers, async (b) => {
      expect(await b.reduce(Math.max)).toBe(5)
      expect(await b.fold(0, Math.max)).toBe(5)
      expect(await b.aggregate(9, Math.min, Math.min)).toBe(1)
    })
  })

  test('find a key by value: -0 is 0, NaN is NaN, tuples by their parts', async () => {
    expect.assertions(3)
    await onBatch<unknown>([0, Number.NaN, ['t', 1]], async (b) => {
      const keyed = b.keyBy((key) => key)
      expect(await keyed.lookup(-0)).toEqual([0])
      expect(await keyed.lookup(Number.NaN)).toEqual([Number.NaN])
      expect(await keyed.lookup(['t', 1])).toEqual([['t', 1]])
    })
  })

  test('give arrays that the caller may change', async () => {
    expect.assertions(1)
    await onBatch(numbers, async (b) => {
      for (const part of await b.partitions()) part.length = 0
      expect(await b.collect()).toEqual(numbers)
    })
  })
})
