// The actions of a batch, with Spark's semantics at their edges.

import { Batch, pipeline, start } from 'millrace'
import { ManualClock, onBatch, quietLogger } from 'millrace/testing'
import { describe, expect, test } from 'vitest'

const numbers = [5, 3, 1, 3, 2, 4]

describe('taking some records', () => {
  test.each<[string, (b: Batch<number>) => Promise<number[]>, number[]]>([
    ['take(0)', (b) => b.take(0), []],
    ['take(-1)', (b) => b.take(-1), []],
    ['take, beyond the end', (b) => b.take(99), numbers],
    ['take, over partitions', (b) => b.take(4), [5, 3, 1, 3]],
    ['top', (b) => b.top(3), [5, 4, 3]],
    ['top(0)', (b) => b.top(0), []],
    ['top(-1)', (b) => b.top(-1), []],
    ['top, by a comparison', (b) => b.top(2, (x, y) => y - x), [1, 2]],
    ['takeOrdered', (b) => b.takeOrdered(3), [1, 2, 3]],
    ['takeOrdered(-1)', (b) => b.takeOrdered(-1), []],
    ['takeOrdered, by a comparison', (b) => b.takeOrdered(2, (x, y) => y - x), [5, 4]],
  ])('%s', async (_name, action, expected) => {
    expect(await onBatch(numbers, action)).toEqual(expected)
  })

  test.each([1.5, Number.NaN, Number.POSITIVE_INFINITY])('%d records are refused', async (n) => {
    const refused = /it must be a whole number/
    await expect(onBatch(numbers, (b) => b.take(n))).rejects.toThrow(refused)
    await expect(onBatch(numbers, (b) => b.top(n))).rejects.toThrow(refused)
    await expect(onBatch(numbers, (b) => b.takeOrdered(n))).rejects.toThrow(refused)
  })

  test('first gives a first record that is undefined', async () => {
    expect(await onBatch([undefined, 1], (b) => b.first())).toBeUndefined()
  })

  test('equal records stand in the order in which they came, in both directions', async () => {
    const words = ['bb', 'a', 'cc', 'd']
    const byLength = (a: string, b: string) => a.length - b.length
    expect(await onBatch(words, (b) => b.top(3, byLength))).toEqual(['bb', 'cc', 'a'])
    expect(await onBatch(words, (b) => b.takeOrdered(3, byLength))).toEqual(['a', 'd', 'bb'])
    expect(await onBatch(words, (b) => b.max(byLength))).toBe('bb')
    expect(await onBatch(words, (b) => b.min(byLength))).toBe('a')
  })

  test('NaN is the greatest number', async () => {
    const mixed = [3, Number.NaN, 1]
    expect(await onBatch(mixed, (b) => b.top(2))).toEqual([Number.NaN, 3])
    expect(await onBatch(mixed, (b) => b.max())).toBeNaN()
    expect(await onBatch(mixed, (b) => b.min())).toBe(1)
  })

  test('what has no order is refused', async () => {
    const refused = { code: 'KEY_NOT_COMPARABLE' }
    await expect(onBatch([1, undefined], (b) => b.max())).rejects.toMatchObject(refused)
    await expect(onBatch([1, Symbol('s')], (b) => b.takeOrdered(1))).rejects.toMatchObject(refused)
  })
})

describe('an empty batch', () => {
  const empty: number[] = []

  test.each<[string, (b: Batch<number>) => Promise<unknown>, unknown]>([
    ['collect', (b) => b.collect(), []],
    ['count', (b) => b.count(), 0],
    ['isEmpty', (b) => b.isEmpty(), true],
    ['sum', (b) => b.sum(), 0],
    ['top', (b) => b.top(3), []],
    ['fold', (b) => b.fold(7, Math.max), 7],
    ['countByValue', (b) => b.countByValue(), new Map()],
    ['numPartitions', (b) => b.numPartitions(), 2],
  ])('%s', async (_name, action, expected) => {
    expect(await onBatch(empty, action)).toEqual(expected)
  })

  test.each<[string, (b: Batch<number>) => Promise<number>]>([
    ['first', (b) => b.first()],
    ['reduce', (b) => b.reduce((x) => x)],
    ['max', (b) => b.max()],
    ['min', (b) => b.min()],
  ])('%s rejects with BATCH_EMPTY', async (_name, action) => {
    await expect(onBatch(empty, action)).rejects.toMatchObject({ code: 'BATCH_EMPTY' })
  })
})

describe('merging', () => {
  test('reduce merges each partition, then the results, and skips empty partitions', async () => {
    const join = (a: string, b: string) => `(${a}${b})`
    const merged = await onBatch(['a', 'b', 'c', 'd'], (b) =>
      b
        .union(Batch.of<string>([]))
        .union(Batch.of(['e']))
        .reduce(join),
    )
    expect(merged).toBe('(((ab)(cd))e)')
  })

  test('the zero of fold enters once for each partition, empty or not, and once more', async () => {
    const add = (a: number, b: number) => a + b
    expect(await onBatch([1, 2], (b) => b.fold(10, add), { partitions: 1 })).toBe(23)
    expect(await onBatch([1, 2], (b) => b.fold(10, add), { partitions: 4 })).toBe(53)
  })

  test('each zero of aggregate is a copy of its own', async () => {
    const lists = await onBatch([1, 2, 3], (b) =>
      b.aggregate<number[]>(
        [],
        (list, n) => {
          list.push(n)
          return list
        },
        (all, list) => {
          all.push(list.length)
          return all
        },
      ),
    )
    expect(lists).toEqual([1, 2])
  })

  test('a zero that cannot be copied is refused', async () => {
    class Sum {}
    const run = onBatch([1], (b) =>
      b.aggregate(
        new Sum(),
        (sum) => sum,
        (sum) => sum,
      ),
    )
    await expect(run).rejects.toMatchObject({ code: 'VALUE_NOT_STORABLE' })
    await expect(run).rejects.toThrow(/the zero of aggregate: it holds an instance of Sum/)
  })

  test.each<[string, (b: Batch<number>) => Promise<unknown>]>([
    ['reduce', (b) => b.reduce((async () => 1) as never)],
    ['fold', (b) => b.fold(0, (async () => 1) as never)],
  ])('a promise from the closure of %s is refused', async (_name, action) => {
    await expect(onBatch(numbers, action)).rejects.toThrow(/closures are synchronous/)
  })
})

describe('into a Map', () => {
  const pairs: [unknown, number][] = [
    [['t', 1], 1],
    ['a', 2],
    [['t', 1], 3],
    [-0, 4],
    [0, 5],
  ]

  test('countByKey and countByValue compare by value, in first-seen order', async () => {
    const counts = await onBatch(pairs, (b) => b.countByKey())
    expect([...counts]).toEqual([
      [['t', 1], 2],
      ['a', 1],
      [0, 2],
    ])
    const values = await onBatch([{ a: 1, b: 2 }, 'x', { b: 2, a: 1 }], (b) => b.countByValue())
    expect([...values]).toEqual([
      [{ a: 1, b: 2 }, 2],
      ['x', 1],
    ])
  })

  test('collectAsMap keeps the last value of a key at the place of the first', async () => {
    expect([...(await onBatch(pairs, (b) => b.collectAsMap()))]).toEqual([
      [['t', 1], 3],
      ['a', 2],
      [0, 5],
    ])
  })

  test('lookup finds keys by value, and refuses what cannot be a key', async () => {
    expect(await onBatch(pairs, (b) => b.lookup(['t', 1]))).toEqual([1, 3])
    expect(await onBatch(pairs, (b) => b.lookup(Number.NaN))).toEqual([])
    const refused = onBatch(pairs, (b) => b.lookup(undefined))
    await expect(refused).rejects.toMatchObject({ code: 'KEY_NOT_COMPARABLE' })
  })
})

describe('one after the other', () => {
  test('foreach awaits each call before the next one', async () => {
    const log: string[] = []
    await onBatch(['a', 'b'], (b) =>
      b.foreach(async (word) => {
        log.push(`begin ${word}`)
        await Promise.resolve()
        log.push(`end ${word}`)
      }),
    )
    expect(log).toEqual(['begin a', 'end a', 'begin b', 'end b'])
  })

  test('foreachPartition gets each partition, empty ones too', async () => {
    const seen: number[][] = []
    await onBatch([1, 2], (b) => b.foreachPartition((part) => void seen.push(part)), {
      partitions: 3,
    })
    expect(seen).toEqual([[], [1], [2]])
  })

  test('a rejection in foreach ends it', async () => {
    const seen: number[] = []
    const run = onBatch(numbers, (b) =>
      b.foreach((n) => {
        seen.push(n)
        return n === 3 ? Promise.reject(new Error('no')) : undefined
      }),
    )
    await expect(run).rejects.toThrow('no')
    expect(seen).toEqual([5, 3])
  })
})

test('an error of an action names the operator, the batch time and the record', async () => {
  const clock = new ManualClock()
  const options = { batchInterval: 1_000, checkpoint: false } as const
  let error: unknown
  const p = pipeline('actions', options, (ssc) => {
    ssc.queue([[1, 2, 3]]).foreachBatch(async (batch, { batchId }) => {
      if (batchId > 1) return
      const failing = batch.map((n) => {
        if (n === 3) throw new Error('no threes')
        return n
      })
      error = await failing.count().catch((thrown: unknown) => thrown)
    })
  })
  const run = await start(p, { clock, logger: quietLogger })
  await run.stop()
  expect(error).toMatchObject({ place: { time: 1_000, operator: 'map', partition: 0, record: 2 } })
})
