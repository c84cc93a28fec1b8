// A stream joined with a table that is the same for every batch: the result is that of a stream
// whose batches each hold the table, plain and with a death after every batch.

import { Batch, type DStream, type JoinSide } from 'millrace'
import { type Death, runBatches } from 'millrace/testing'
import { describe, expect, test } from 'vitest'

type Orders = DStream<[string, number]>
type Table = JoinSide<string, string>

const inputs: [string, number][][] = [
  [
    ['tea', 1],
    ['rum', 2],
    ['tea', 3],
  ],
  [],
  [['ale', 4]],
]
const table: [string, string][] = [
  ['tea', 'leaf'],
  ['gin', 'grain'],
  ['tea', 'bag'],
]
const two = { partitions: 2 }

const joins: Record<string, (s: Orders, other: Table) => DStream<unknown>> = {
  cogroup: (s, other) => s.cogroup(other, two),
  join: (s, other) => s.join(other, two),
  leftOuterJoin: (s, other) => s.leftOuterJoin(other, two),
  rightOuterJoin: (s, other) => s.rightOuterJoin(other, two),
  fullOuterJoin: (s, other) => s.fullOuterJoin(other, two),
}

function* once() {
  yield* table
}
const tables: Record<string, () => Table> = {
  'an array of pairs': () => table,
  'an iterator that runs once': once,
  'a Batch in one partition': () => Batch.of(table),
  'a Batch that was made of another': () => Batch.of(table.toReversed()).sortBy(([key]) => key),
}
const deaths: Death[] = [1, 2, 3].flatMap((batch) => [{ batch, at: 'ran' }, batch] as const)

describe.each(Object.entries(joins))('%s', (_name, join) => {
  test.each(Object.entries(tables))('with %s', async (kind, other) => {
    const same = kind === 'a Batch that was made of another' ? sorted(table.toReversed()) : table
    const expected = await runBatches(
      { inputs: [inputs, [same, same, same]], batches: 3 },
      (_ssc, orders: Orders, rows: DStream<[string, string]>) => join(orders, rows.repartition(1)),
    )
    const run = (restartAfter: Death[]) =>
      runBatches({ inputs: [inputs], batches: 3, restartAfter }, (_ssc, orders: Orders) =>
        join(orders, other()),
      )
    expect(await run([])).toEqual(expected)
    expect(await run(deaths)).toEqual(expected)
  })
})

function sorted(pairs: [string, string][]): [string, string][] {
  return pairs.toSorted(([a], [b]) => (a < b ? -1 : Number(a > b)))
}

test('a Map is a table', async () => {
  const outputs = await runBatches({ inputs: [inputs], batches: 1 }, (_ssc, orders: Orders) =>
    orders.join(new Map(table), { partitions: 1 }),
  )
  expect(outputs).toEqual([
    [
      ['tea', [1, 'bag']],
      ['tea', [3, 'bag']],
    ],
  ])
})

test('a table is read where the join is declared', async () => {
  const prices = new Map([['tea', 'leaf']])
  const outputs = await runBatches({ inputs: [inputs], batches: 1 }, (_ssc, orders: Orders) => {
    const joined = orders.join(prices, { partitions: 1 })
    prices.clear()
    return joined
  })
  expect(outputs).toEqual([
    [
      ['tea', [1, 'leaf']],
      ['tea', [3, 'leaf']],
    ],
  ])
})

test('a closure that changes a row changes it for its own batch only', async () => {
  const rows: [string, { n: number }][] = [['tea', { n: 0 }]]
  const teas: [string, number][][] = [[['tea', 1]], [['tea', 1]]]
  const outputs = await runBatches({ inputs: [teas], batches: 2 }, (_ssc, orders: Orders) =>
    orders.join(rows).map(([, [by, row]]) => {
      row.n += by
      return row.n
    }),
  )
  expect(outputs).toEqual([[1], [1]])
})

test('a source that gives no batch is joined with no table', async () => {
  const outputs = await runBatches({ inputs: [[null]], batches: 1 }, (_ssc, orders: Orders) =>
    orders.fullOuterJoin(table),
  )
  expect(outputs).toEqual([undefined])
})
