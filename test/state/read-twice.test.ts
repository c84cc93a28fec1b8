// A stateful operator runs once in a batch, however many read it and through whatever.

import type { DStream } from 'millrace'
import { runBatches } from 'millrace/testing'
import { expect, test } from 'vitest'

type Pair = [string, number]
type Pairs = DStream<Pair>
type Build = (s: Pairs) => Pairs

const inputs = [
  [
    [
      ['a', 1],
      ['b', 2],
      ['a', 3],
    ],
    [['a', 1]],
    [['c', 1]],
  ],
]

const stateful: Readonly<Record<string, Build>> = {
  updateStateByKey: (s) =>
    s.updateStateByKey((ns: number[], before: number | undefined) => (before ?? 0) + ns.length),
  mapWithState: (s) =>
    s.mapWithState<string, number, number, Pair>((key, n = 0, state) => {
      state.update((state.exists() ? state.get() : 0) + n)
      return [key, state.get()]
    }),
  window: (s) => s.window('2s'),
  'reduceByKeyAndWindow with an inverse': (s) =>
    s.reduceByKeyAndWindow(
      (a, b) => a + b,
      (a, b) => a - b,
      '2s',
      '1s',
    ),
}

const between: Readonly<Record<string, Build>> = {
  nothing: (s) => s,
  map: (s) => s.map(([key, n]): Pair => [key, n]),
  'map and filter': (s) => s.map(([key, n]): Pair => [key, n]).filter(() => true),
  union: (s) => s.union(s),
  'union and map': (s) => s.union(s.mapValues((n) => n)).mapValues((n) => n),
}

const cases = Object.keys(stateful).flatMap((name) =>
  Object.keys(between).map((through) => [name, through] as const),
)

test.each(cases)('%s is read twice through %s', async (name, through) => {
  const run = (build: Build) => runBatches({ inputs, batches: 4 }, (_ssc, s) => build(s))
  const chain: Build = (s) => between[through]!(stateful[name]!(s))
  const once = await run(chain)
  const twice = await run((s) => {
    const read = chain(s)
    return read.mapValues((n) => n).union(read.filter(() => true))
  })
  expect(twice).toEqual(once.map((records = []) => [...records, ...records]))
})
