// A key that cannot be compared by value ends the run, and the error says where it came from: the
// operator as it was called, the batch time, the partition and the record.

import { type Batch, type DStream, TaskError } from 'millrace'
import { onBatch, runBatches } from 'millrace/testing'
import { describe, expect, test } from 'vitest'

type Pairs = DStream<[unknown, number]>
type Operator = (s: Pairs, other: Pairs) => DStream<unknown>

const one = { partitions: 1 }
const add = (a: number, b: number) => a + b
const onSecond = (records: number[]) => [[1], records]

const operators: [name: string, operator: Operator][] = [
  ['reduceByKey', (s) => s.reduceByKey(add)],
  ['groupByKey', (s) => s.groupByKey()],
  ['combineByKey', (s) => s.combineByKey((n) => n, add, add)],
  ['countByValue', (s) => s.map(([key]) => key).countByValue()],
  ['cogroup', (s, other) => s.cogroup(other)],
  ['join', (s, other) => s.join(other)],
  ['leftOuterJoin', (s, other) => s.leftOuterJoin(other, one)],
  ['rightOuterJoin', (s, other) => s.rightOuterJoin(other)],
  ['fullOuterJoin', (s, other) => s.fullOuterJoin(other)],
  ['join', (s) => s.join([['a', 1]])],
  ['updateStateByKey', (s) => s.updateStateByKey((values) => values.length)],
  ['mapWithState', (s) => s.mapWithState((key) => key)],
  ['groupByKeyAndWindow', (s) => s.groupByKeyAndWindow('2s')],
  ['reduceByKeyAndWindow', (s) => s.reduceByKeyAndWindow(add, '2s')],
  ['reduceByKeyAndWindow', (s) => s.reduceByKeyAndWindow(add, (a) => a, '2s')],
  ['countByValueAndWindow', (s) => s.map(([key]) => key).countByValueAndWindow('2s')],
]

const inTransform: [name: string, f: (b: Batch<[unknown, number]>) => Batch<unknown>][] = [
  ['distinct', (b) => b.keys().distinct()],
  ['groupBy', (b) => b.groupBy(([key]) => key)],
  ['intersection', (b) => b.keys().intersection(b.keys())],
  ['subtract', (b) => b.keys().subtract(b.keys())],
  ['subtractByKey', (b) => b.subtractByKey(b)],
  ['partitionBy', (b) => b.partitionBy(4)],
  ['reduceByKey', (b) => b.reduceByKey(add)],
  ['foldByKey', (b) => b.foldByKey(0, add)],
  ['aggregateByKey', (b) => b.aggregateByKey(0, add, add)],
  ['join', (b) => b.join(b)],
]

/** Runs an operator whose second batch has a bad key at record 1 of partition 1. */
async function failure(operator: Operator, bad: unknown = undefined): Promise<TaskError> {
  const inputs = [onSecond([1, 2, 3, 4]), onSecond([5])]
  const error: unknown = await runBatches(
    { inputs, batches: 3 },
    (_ssc, numbers: DStream<number>, others: DStream<number>) => {
      const keyed = numbers.map((n): [unknown, number] => [n === 4 ? bad : `key ${n}`, n])
      return operator(
        keyed,
        others.map((n): [unknown, number] => [n, n]),
      )
    },
  ).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(TaskError)
  return error as TaskError
}

describe('the operator is named with time, partition and record', () => {
  test.each(operators)('%s', async (name, operator) => {
    const { code, place, message } = await failure(operator)
    expect(code).toBe('KEY_NOT_COMPARABLE')
    expect(place).toMatchObject({ time: 2_000, partition: 1, record: 1 })
    expect(place.operator).toMatch(new RegExp(`^${name}-\\d+$`))
    expect(message).toContain(`on batch 2000 ms, partition 1, record 1`)
    expect(message).toContain('the key holds undefined')
  })

  test.each(inTransform)('%s in transform', async (name, f) => {
    const { code, place } = await failure((s) => s.transform(f))
    expect(code).toBe('KEY_NOT_COMPARABLE')
    expect(place).toMatchObject({ time: 2_000, operator: name, partition: 1, record: 1 })
  })

  test('also where the key comes from the other side of a join', async () => {
    const { place } = await failure((s, other) => other.join(s))
    expect(place).toMatchObject({ time: 2_000, record: 1 })
    expect(place.operator).toMatch(/^join-/)
  })

  test.each<[string, (b: Batch<[unknown, number]>) => Promise<unknown>]>([
    ['countByKey', (b) => b.countByKey()],
    ['countByValue', (b) => b.keys().countByValue()],
    ['collectAsMap', (b) => b.collectAsMap()],
    ['lookup', (b) => b.lookup('a')],
  ])('%s, an action', async (name, action) => {
    const pairs: [unknown, number][] = [
      ['a', 1],
      [new Map(), 2],
    ]
    await expect(onBatch(pairs, action)).rejects.toMatchObject({
      code: 'KEY_NOT_COMPARABLE',
      place: { operator: name, partition: 1, record: 0 },
    })
  })
})

describe('whatever cannot be compared', () => {
  class Money {}
  const cyclic: unknown[] = []
  cyclic.push(cyclic)

  test.each<[string, unknown, string]>([
    ['a symbol', Symbol('s'), 'a symbol'],
    ['a function', () => 1, 'a function'],
    ['an instance of a class', new Money(), 'an instance of Money'],
    ['a Map', new Map(), 'an instance of Map'],
    ['a cyclic array', cyclic, 'a cyclic or very deep object'],
    ['undefined in a tuple', ['a', undefined], 'undefined'],
  ])('%s', async (_name, bad, found) => {
    const { message } = await failure((s) => s.reduceByKey(add), bad)
    expect(message).toContain(`the key holds ${found}`)
  })

  test('is told of an initial state where it is declared', async () => {
    const initialState: [unknown, number][] = [[Symbol('s'), 1]]
    const declare = (s: Pairs) => s.updateStateByKey((values) => values.length, { initialState })
    const run = runBatches({ inputs: [[[1]]], batches: 1 }, (_ssc, numbers: DStream<number>) =>
      declare(numbers.map((n): [unknown, number] => [n, n])),
    )
    await expect(run).rejects.toThrow(/initial state of updateStateByKey: .* holds a symbol/)
    await expect(run).rejects.toMatchObject({ code: 'KEY_NOT_COMPARABLE' })
  })
})

test('the batch is tried once more and no further: a key does not mend itself', async () => {
  let calls = 0
  await failure((s) =>
    s
      .filter(([key]) => {
        if (key === undefined) calls += 1
        return true
      })
      .reduceByKey(add),
  )
  expect(calls).toBe(2)
})
