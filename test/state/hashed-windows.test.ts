// Windows that are only read by key keep their panes where the keys belong: nothing shows of it but
// the time that it saves.

import type { DStream, StreamingContext } from 'millrace'
import { runBatches } from 'millrace/testing'
import { describe, expect, test } from 'vitest'
import { StreamGraph } from '../../src/dstream/graph.ts'
import { hashedWindows } from '../../src/dstream/hashed-windows.ts'
import type { WindowSeat } from '../../src/state/reduced-window-operator.ts'
import { WindowOperator } from '../../src/state/window-operator.ts'
import { StreamingContext as Context } from '../../src/streaming-context.ts'
import { byKey, Crew, type Pair } from './crew.ts'

type Pairs = DStream<[string, number]>

function hashedIn(build: (left: Pairs, right: Pairs) => void): number[] {
  const graph = new StreamGraph(1_000)
  const ssc = new Context(graph)
  build(ssc.queue<[string, number]>([]), ssc.queue<[string, number]>([]))
  return [...hashedWindows(graph).values()]
}

describe('a window is laid out by key', () => {
  test('if joins and cogroup with one number of partitions are all that read it', () => {
    const found = hashedIn((left, right) => {
      const window = left.window('3s')
      window.join(right.window('2s'), { partitions: 4 }).print()
      window.cogroup(right, { partitions: 4 }).print()
      window.leftOuterJoin(new Map([['a', 1]]), { partitions: 4 }).print()
    })
    expect(found).toEqual([4, 4])
  })

  const others: [string, (window: Pairs, right: Pairs) => void][] = [
    ['an output', (window) => window.print()],
    ['a closure', (window) => window.map(([key]) => key).print()],
    ['transform', (window) => window.transform((batch) => batch).print()],
    ['a union', (window, right) => window.union(right).print()],
    ['a join into another number', (w, right) => w.join(right, { partitions: 5 }).print()],
    ['slice', (window) => window.cache()],
  ]
  test.each(others)('but not if it is read by %s too', (_name, read) => {
    const found = hashedIn((left, right) => {
      const window = left.window('3s')
      window.join(right, { partitions: 4 }).print()
      read(window, right)
    })
    expect(found).toEqual([])
  })
})

const letters = (n: number): [string, number][] =>
  Array.from({ length: 40 }, (_, i) => [String.fromCharCode(97 + ((i * n) % 26)), 100 * n + i])

test('a join of windows gives the same, in the same order, laid out or not', async () => {
  const inputs = [[1, 3, 5, 7].map(letters), [11, 9, 7, 5].map(letters)]
  const joined =
    (also: boolean) =>
    (_ssc: StreamingContext, left: Pairs, right: Pairs): DStream<[string, [number, number]]> => {
      const [a, b] = [left.window('3s'), right.window('2s')]
      if (also) for (const window of [a, b]) window.foreachBatch(() => undefined)
      return a.join(b)
    }
  const options = { inputs, batches: 5, partitions: 3 }
  const laidOut = await runBatches(options, joined(false))
  expect(laidOut).toEqual(await runBatches(options, joined(true)))
  expect(laidOut.map((batch) => batch?.length)).not.toContain(0)
})

describe('a window that was restored', () => {
  const operator = (hashPartitions?: number) => (seat: WindowSeat) =>
    new WindowOperator('w', 3_000, seat, hashPartitions)
  const pairs: Pair[] = letters(3)
  const asTheyCame = [pairs.slice(0, 17), [], pairs.slice(17)]

  test('is laid out by key, where it was not before', () => {
    const before = new Crew(operator(), 2, 'turns')
    before.batch(1_000, asTheyCame)
    before.batch(2_000, asTheyCame)
    const always = new Crew(operator(4), 2)
    always.batch(1_000, byKey(asTheyCame.flat(), 4))
    always.batch(2_000, byKey(asTheyCame.flat(), 4))
    const after = new Crew(operator(4), 3)
    after.restore(before.snapshot())
    expect(after.batch(3_000, byKey(pairs, 4))).toEqual(always.batch(3_000, byKey(pairs, 4)))
  })

  test('gives all its records, where it is no longer read by key alone', () => {
    const before = new Crew(operator(4), 2)
    before.batch(1_000, byKey(pairs, 4))
    const after = new Crew(operator(), 3)
    after.restore(before.snapshot())
    const records = after.batch(2_000, asTheyCame).flat()
    const sorted = (some: readonly unknown[]) => some.map((pair) => JSON.stringify(pair)).sort()
    expect(sorted(records)).toEqual(sorted([...pairs, ...pairs]))
  })
})
