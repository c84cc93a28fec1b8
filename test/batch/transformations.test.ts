// The lazy operations of a batch, with Spark's semantics at their edges.

import { Batch, type Partitions } from 'millrace'
import { onBatch } from 'millrace/testing'
import { describe, expect, test } from 'vitest'

type Numbers = Batch<number>
type Pairs = Batch<[string, number]>

const one: Partitions = { partitions: 1 }
const pairs: [string, number][] = [
  ['b', 1],
  ['a', 2],
  ['b', 3],
  ['c', 4],
]
const small = new Map([
  ['a', 'A'],
  ['b', 'B'],
  ['z', 'Z'],
])

describe('batches as sets', () => {
  const other = Batch.of<unknown>([{ y: 2, x: 1 }, 'a', Number.NaN, 'a'])
  const records = [{ x: 1, y: 2 }, 'b', Number.NaN, -0, 'a', 0, { y: 2, x: 1 }, 'b']

  test('intersection gives one of each value that is on both sides', async () => {
    const found = await onBatch<unknown, unknown>(records, (b) =>
      b.intersection(other, one).collect(),
    )
    expect(found).toEqual([{ x: 1, y: 2 }, Number.NaN, 'a'])
  })

  test('subtract keeps what is there twice', async () => {
    const left = await onBatch<unknown, unknown>(records, (b) => b.subtract(other, one).collect())
    expect(left).toEqual(['b', 'b', -0, 0])
  })

  test('distinct gives the first of each value', async () => {
    const found = await onBatch<unknown, unknown>(records, (b) => b.distinct(one).collect())
    expect(found).toEqual([{ x: 1, y: 2 }, 'b', Number.NaN, -0, 'a'])
  })

  test('subtractByKey keeps what is there twice', async () => {
    const left = await onBatch(pairs, (b) => b.subtractByKey([['a', 0]], one).collect())
    expect(left).toEqual([
      ['b', 1],
      ['b', 3],
      ['c', 4],
    ])
  })
})

describe('order', () => {
  const sorted = <T>(records: T[], ascending = true) =>
    onBatch(records, (b) => b.sortBy((x) => x, ascending).collect())

  test('sortBy is stable in both directions', async () => {
    const words = ['bb', 'a', 'cc', 'd']
    const by = (ascending: boolean) =>
      onBatch(words, (b) => b.sortBy((word) => word.length, ascending).collect())
    expect(await by(true)).toEqual(['a', 'd', 'bb', 'cc'])
    expect(await by(false)).toEqual(['bb', 'cc', 'a', 'd'])
  })

  test('numbers stand by value, bigints among them, NaN last', async () => {
    const mixed = [Number.NaN, 2, 1n, -1.5, Number.POSITIVE_INFINITY, 1, 3n]
    const up = [-1.5, 1, 1n, 2, 3n, Number.POSITIVE_INFINITY, Number.NaN]
    expect(await sorted<number | bigint>(mixed)).toEqual(up)
    expect(await sorted<number | bigint>(mixed, false)).toEqual(up.toReversed())
  })

  test('each kind has its place, and bytes, arrays and objects stand part by part', async () => {
    const mixed = [
      { b: 1, a: 2 },
      { a: 1 },
      ['a', 2],
      ['a'],
      Uint8Array.of(9),
      Uint8Array.of(10),
      new Date(5),
      'b',
      'B',
      7,
      true,
      null,
    ]
    expect(await sorted<unknown>(mixed)).toEqual([
      null,
      true,
      7,
      'B',
      'b',
      new Date(5),
      Uint8Array.of(9),
      Uint8Array.of(10),
      ['a'],
      ['a', 2],
      { a: 1 },
      { b: 1, a: 2 },
    ])
  })

  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['an instance of Map', new Map()],
    ['symbol', Symbol('s')],
  ])('%s has no place', async (found, key) => {
    const run = onBatch([1, 2], (b) => b.sortBy((n) => (n === 1 ? 1 : key)).collect())
    await expect(run).rejects.toThrow(new RegExp(`"sortBy".*Cannot order values: one is ${found}`))
  })

  test('an error of the key names the record', async () => {
    const keyOf = (n: number): number => {
      if (n === 3) throw new Error('no threes')
      return n
    }
    const run = onBatch([1, 2, 3], (b) => b.sortBy(keyOf).collect())
    await expect(run).rejects.toMatchObject({
      place: { operator: 'sortBy', partition: 1, record: 1 },
    })
  })

  test('the records are cut evenly, over as many partitions as before or as asked', async () => {
    const cut = (options?: Partitions) =>
      onBatch([3, 1, 2], (b) => b.sortBy((n) => n, true, options).partitions())
    expect(await cut()).toEqual([[1], [2, 3]])
    expect(await cut({ partitions: 4 })).toEqual([[], [1], [2], [3]])
  })
})

describe('partitions', () => {
  test.each<[string, (b: Pairs) => Batch<unknown>, number]>([
    ['union has those of both', (b) => b.union(b), 4],
    ['map keeps them', (b) => b.map((pair) => pair), 2],
    ['reduceByKey has 8', (b) => b.reduceByKey((x, y) => x + y), 8],
    ['join has 8', (b) => b.join(b), 8],
    ['distinct has as many as asked', (b) => b.distinct({ partitions: 3 }), 3],
    ['partitionBy has as many as asked', (b) => b.partitionBy(256), 256],
    ['repartition makes more', (b) => b.repartition(7), 7],
    ['coalesce makes fewer', (b) => b.coalesce(1), 1],
    ['coalesce makes no more', (b) => b.coalesce(7), 2],
    ['cartesian has one for each pair', (b) => b.cartesian(b), 4],
    ['sortByKey keeps their number', (b) => b.sortByKey(), 2],
  ])('%s', async (_name, f, expected) => {
    expect(await onBatch(pairs, (b) => f(b).numPartitions())).toBe(expected)
  })

  test.each<[string, (b: Pairs, n: number) => unknown]>([
    ['repartition', (b, n) => b.repartition(n)],
    ['coalesce', (b, n) => b.coalesce(n)],
    ['partitionBy', (b, n) => b.partitionBy(n)],
    ['distinct', (b, partitions) => b.distinct({ partitions })],
    ['join', (b, partitions) => b.join(b, { partitions })],
    ['sortBy', (b, partitions) => b.sortBy((pair) => pair, true, { partitions })],
    [
      'aggregateByKey',
      (b, partitions) =>
        b.aggregateByKey(
          0,
          (n) => n,
          (n) => n,
          { partitions },
        ),
    ],
    ['Batch.of', (_b, n) => Batch.of([1], n)],
  ])('%s refuses a number that is not from 1 to 256', async (name, f) => {
    for (const n of [0, -1, 1.5, 257, Number.NaN]) {
      expect(() => f(Batch.of(pairs), n)).toThrow(`Cannot use ${n} partitions for ${name}`)
    }
  })

  test('mapPartitions may change the array that it is given', async () => {
    const reversed = await onBatch([1, 2, 3, 4], (b) => {
      const kept = b.cache()
      return kept
        .mapPartitions((part) => (part as number[]).reverse())
        .union(kept)
        .collect()
    })
    expect(reversed).toEqual([2, 1, 4, 3, 1, 2, 3, 4])
  })
})

describe('two batches side by side', () => {
  test('zip pairs what stands at the same place', async () => {
    const zipped = await onBatch([1, 2, 3], (b) => b.zip(Batch.of('abc', 2)).partitions())
    expect(zipped).toEqual([
      [[1, 'a']],
      [
        [2, 'b'],
        [3, 'c'],
      ],
    ])
  })

  test.each<[string, Batch<number>, RegExp]>([
    ['partitions', Batch.of([1, 2, 3], 3), /"zip".*2 and 3 partitions cannot be zipped/],
    ['records', Batch.of([1, 2], 2), /"zip".*2 and 1 records cannot be zipped/],
  ])('zip needs as many %s', async (_name, other, message) => {
    await expect(onBatch([1, 2, 3], (b) => b.zip(other).collect())).rejects.toThrow(message)
  })

  test('zipPartitions hands over both sides as a whole', async () => {
    const joined = await onBatch([1, 2, 3], (b) =>
      b.zipPartitions(Batch.of('abc', 2), (n, c) => [`${[...n]}-${[...c]}`]).collect(),
    )
    expect(joined).toEqual(['1-a', '2,3-b,c'])
  })

  test('cartesian has the records of this batch in the outer loop', async () => {
    const crossed = await onBatch([1, 2], (b) => b.cartesian(Batch.of('ab')).collect(), one)
    expect(crossed).toEqual([
      [1, 'a'],
      [1, 'b'],
      [2, 'a'],
      [2, 'b'],
    ])
  })
})

describe('joins with a table', () => {
  function* once() {
    yield* small
  }
  const tables: [string, () => Parameters<Pairs['join']>[0]][] = [
    ['a Map', () => small],
    ['an array of pairs', () => [...small]],
    ['an iterator that runs once', once],
    ['a Batch', () => Batch.of(small, 2)],
  ]

  test.each(tables)('%s', async (_name, table) => {
    const run = (f: (b: Pairs) => Batch<unknown>) => onBatch(pairs, (b) => f(b).collect())
    expect(await run((b) => b.join(table(), one))).toEqual([
      ['b', [1, 'B']],
      ['b', [3, 'B']],
      ['a', [2, 'A']],
    ])
    expect(await run((b) => b.leftOuterJoin(table(), one))).toContainEqual(['c', [4, undefined]])
    expect(await run((b) => b.rightOuterJoin(table(), one))).toContainEqual(['z', [undefined, 'Z']])
    expect(await run((b) => b.fullOuterJoin(table(), one))).toHaveLength(5)
    expect(await run((b) => b.cogroup(table(), one))).toContainEqual(['b', [[1, 3], ['B']]])
    expect(await run((b) => b.subtractByKey(table(), one))).toEqual([['c', 4]])
  })

  test('what is no table is refused by name of the operator', () => {
    const refused = /Cannot use .* in fullOuterJoin: give pairs as a batch, a Map/
    expect(() => Batch.of(pairs).fullOuterJoin(5 as never)).toThrow(refused)
    expect(() => Batch.of(pairs).fullOuterJoin({ a: 1 } as never)).toThrow(refused)
  })
})

describe('folds by key', () => {
  const all: [string, number][] = [
    ['a', 1],
    ['a', 2],
    ['a', 3],
  ]

  test('the zero of foldByKey enters once for each key of each partition', async () => {
    const sums = await onBatch(all, (b) => b.foldByKey(10, (x, y) => x + y).collect())
    expect(sums).toEqual([['a', 26]])
  })

  test('each zero of aggregateByKey is a copy of its own', async () => {
    const lists = await onBatch([...all, ['b', 4] as [string, number]], (b) =>
      b
        .aggregateByKey<string, number, number[]>(
          [],
          (list, n) => {
            list.push(n)
            return list
          },
          (x, y) => x.concat(y),
          one,
        )
        .collect(),
    )
    expect(lists).toEqual([
      ['a', [1, 2, 3]],
      ['b', [4]],
    ])
  })

  test('pairs made with as const fold', async () => {
    const sums = await onBatch(['a', 'a'], (b) =>
      b
        .map((word) => [word, 1] as const)
        .foldByKey(0, (x, y) => x + y)
        .collect(),
    )
    expect(sums).toEqual([['a', 2]])
  })
})

describe('sample', () => {
  const many = Array.from({ length: 1_000 }, (_, i) => i)

  test('keeps nothing of 0, and all of 1', async () => {
    expect(await onBatch(many, (b) => b.sample(0, 1).count())).toBe(0)
    expect(await onBatch(many, (b) => b.sample(1, 1).collect())).toEqual(many)
  })

  test('keeps other records of each partition', async () => {
    const [left = [], right = []] = await onBatch(many, (b) => b.sample(0.5, 7).partitions())
    expect(left).not.toEqual(right.map((n) => n - 500))
  })

  test.each([-0.1, 1.1, Number.NaN])('refuses a fraction of %d', (fraction) => {
    expect(() => Batch.of(many).sample(fraction, 1)).toThrow(/it must be from 0 to 1/)
  })

  test.each([0.5, Number.NaN, undefined])('refuses %s as a seed', (seed) => {
    expect(() => Batch.of(many).sample(0.5, seed as number)).toThrow(/it must be a whole number/)
  })
})

describe('closures', () => {
  const cases: [string, (b: Pairs, f: never) => unknown][] = [
    ['map', (b, f) => b.map(f)],
    ['flatMap', (b, f) => b.flatMap(f)],
    ['filter', (b, f) => b.filter(f)],
    ['mapPartitions', (b, f) => b.mapPartitions(f)],
    ['mapPartitionsWithIndex', (b, f) => b.mapPartitionsWithIndex(f)],
    ['keyBy', (b, f) => b.keyBy(f)],
    ['groupBy', (b, f) => b.groupBy(f)],
    ['sortBy', (b, f) => b.sortBy(f)],
    ['zipPartitions', (b, f) => b.zipPartitions(b, f)],
    ['mapValues', (b, f) => b.mapValues(f)],
    ['flatMapValues', (b, f) => b.flatMapValues(f)],
    ['reduceByKey', (b, f) => b.reduceByKey(f)],
    ['foldByKey', (b, f) => b.foldByKey(0, f)],
    ['aggregateByKey', (b, f) => b.aggregateByKey(0, f, f)],
    ['combineByKey', (b, f) => b.combineByKey(f, f, f)],
  ]

  test.each(cases)('%s refuses an async function, and what is none', (name, call) => {
    const f = (async () => 1) as never
    expect(() => call(Batch.of(pairs), f)).toThrow(`Cannot use an async function in ${name}`)
    expect(() => call(Batch.of(pairs), 7 as never)).toThrow(`Cannot use 7 in ${name}`)
  })

  test.each(cases)('%s refuses a promise that its closure gives', async (name, call) => {
    const f = (() => Promise.reject(new Error('dropped'))) as never
    const twice = [...pairs, ...pairs]
    const run = onBatch(twice, (b) => (call(b, f) as Numbers).collect())
    await expect(run).rejects.toThrow(new RegExp(`"${name}.*closures are synchronous`))
  })
})
