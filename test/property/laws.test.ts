// Laws that hold for any input: what one pipeline gives says what another must give, wherever the
// process dies and however the records come in blocks. PROPERTY_RUNS raises the number of cases; a
// failure prints its seed.

import fc from 'fast-check'
import type { DStream, StreamingContext } from 'millrace'
import { type Death, runBatches } from 'millrace/testing'
import { expect, test } from 'vitest'

const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 1_000)
const SEED = Number(process.env['PROPERTY_SEED'] ?? 20_260_302)
const BATCHES = 6
/** Of the runs, how many each law gets. */
const SHARE = 0.05

type Pair = [string, number]
type Ints = DStream<Pair>
type Build = (s: Ints, t: Ints, ssc: StreamingContext) => DStream<unknown>
type Outputs = readonly (unknown[] | undefined)[]

const key = fc.constantFrom('a', 'b', 'c', 'dd', '\u0000e', '__proto__')
const pairs = fc.array(fc.tuple(key, fc.integer({ min: -9, max: 9 })), { maxLength: 6 })
const script = fc.array(pairs, { minLength: 1, maxLength: BATCHES })
const how = fc.record({
  partitions: fc.integer({ min: 1, max: 4 }),
  blockSeed: fc.nat(),
  snapshotEvery: fc.integer({ min: 1, max: 3 }),
  restartAfter: fc.array(
    fc.record({
      batch: fc.integer({ min: 1, max: BATCHES }),
      at: fc.constantFrom('planned', 'ran', 'sinks', 'committed'),
    }),
    { maxLength: 3 },
  ) as fc.Arbitrary<Death[]>,
})

const add = (a: number, b: number): number => a + b
const take = (a: number, b: number): number => a - b
const total = (ns: number[], before = 0) => ns.reduce(add, before)

/** A list as it is, or as a multiset. */
const ordered = (outputs: Outputs): unknown => outputs
const anyOrder = (outputs: Outputs): unknown =>
  outputs.map((output) => output?.map((record) => JSON.stringify(record)).sort())

interface Law {
  readonly left: Build
  readonly right: Build
  readonly as: (outputs: Outputs) => unknown
  /** The sides may run in other partitions too: the law speaks of no order. */
  readonly partitioned?: true
}

const swapSides = (pairs: DStream<[string, [number, number]]>) =>
  pairs.mapValues(([a, b]) => [b, a])
const third = (s: Ints): Ints => s.mapValues((n) => n / 3)
const isA = ([name]: Pair): boolean => name.startsWith('a')

const laws: Readonly<Record<string, Law>> = {
  'union commutes': {
    left: (s, t) => s.union(t),
    right: (s, t) => t.union(s),
    as: anyOrder,
    partitioned: true,
  },
  'union is associative': {
    left: (s, t) => s.union(t.union(third(s))),
    right: (s, t, ssc) => ssc.union(s, t, third(s)),
    as: ordered,
  },
  'a window of one interval is the stream': {
    left: (s) => s.window('1s'),
    right: (s) => s,
    as: ordered,
  },
  'a window of a union is the union of the windows': {
    left: (s, t) => s.union(t).window('3s', '2s'),
    right: (s, t) => s.window('3s', '2s').union(t.window('3s', '2s')),
    as: anyOrder,
    partitioned: true,
  },
  'a filter goes through a window': {
    left: (s) => s.filter(isA).window('3s', '2s'),
    right: (s) => s.window('3s', '2s').filter(isA),
    as: ordered,
  },
  'two maps are one': {
    left: (s) => third(s).map(([name, n]) => `${name}${n}`),
    right: (s) => s.map(([name, n]) => `${name}${n / 3}`),
    as: ordered,
  },
  'glom is undone by flatMap': {
    left: (s) => s.glom().flatMap((part) => part.values()),
    right: (s) => s,
    as: ordered,
  },
  'repartition keeps the order': {
    left: (s) => s.repartition(3),
    right: (s) => s,
    as: ordered,
    partitioned: true,
  },
  'a window with an inverse is the one without': {
    left: (s) =>
      s.reduceByKeyAndWindow(add, take, '3s', '2s', { filter: ([, n]) => n !== 0, partitions: 2 }),
    right: (s) => s.reduceByKeyAndWindow(add, '3s', '2s').filter(([, n]) => n !== 0),
    as: anyOrder,
    partitioned: true,
  },
  'a whole window with an inverse is the one without': {
    left: (s) =>
      s
        .map(([, n]) => n)
        .reduceByWindow(add, take, '3s', '1s')
        .filter((n) => n !== 0),
    right: (s) =>
      s
        .map(([, n]) => n)
        .reduceByWindow(add, '3s', '1s')
        .filter((n) => n !== 0),
    as: ordered,
    partitioned: true,
  },
  'a reduced window is the window, reduced': {
    left: (s) => s.reduceByKeyAndWindow(add, '3s', '1s'),
    right: (s) => s.window('3s').reduceByKey(add),
    as: anyOrder,
    partitioned: true,
  },
  'a grouped window is the window, grouped': {
    left: (s) => s.groupByKeyAndWindow('3s', '2s').mapValues((ns) => ns.sort(take)),
    right: (s) =>
      s
        .window('3s', '2s')
        .groupByKey()
        .mapValues((ns) => ns.sort(take)),
    as: anyOrder,
    partitioned: true,
  },
  'countByWindow counts the window': {
    left: (s) => s.countByWindow('3s', '2s'),
    right: (s) => s.window('3s', '2s').count(),
    as: ordered,
    partitioned: true,
  },
  'countByValueAndWindow counts the values of the window': {
    left: (s) => s.countByValueAndWindow('3s'),
    right: (s) => s.window('3s').countByValue(),
    as: anyOrder,
    partitioned: true,
  },
  'a join is symmetric under swap': {
    left: (s, t) => s.join(t),
    right: (s, t) => swapSides(t.join(s)),
    as: anyOrder,
    partitioned: true,
  },
  'a left outer join is a right outer join under swap': {
    left: (s, t) => s.leftOuterJoin(t),
    right: (s, t) => swapSides(t.rightOuterJoin(s) as DStream<[string, [number, number]]>),
    as: anyOrder,
    partitioned: true,
  },
  'a full outer join is the left one and what is only at the right': {
    left: (s, t) => s.fullOuterJoin(t) as DStream<unknown>,
    right: (s, t) =>
      (s.leftOuterJoin(t) as DStream<unknown>).union(
        s.rightOuterJoin(t).filter(([, [a]]) => a === undefined) as DStream<unknown>,
      ),
    as: anyOrder,
    partitioned: true,
  },
  'a join is what is in both groups of a cogroup': {
    left: (s, t) => s.join(t),
    right: (s, t) =>
      s
        .cogroup(t)
        .flatMapValues(([lefts, rights]) => lefts.flatMap((a) => rights.map((b) => [a, b]))),
    as: ordered,
  },
  'partitions of reduceByKey change nothing but the order': {
    left: (s) => s.reduceByKey(add, { partitions: 1 }),
    right: (s) => s.reduceByKey(add, { partitions: 5 }),
    as: anyOrder,
    partitioned: true,
  },
  'partitions of a state change nothing but the order': {
    left: (s) => s.updateStateByKey(total, { partitions: 1 }),
    right: (s) => s.updateStateByKey(total, { partitions: 7 }),
    as: anyOrder,
    partitioned: true,
  },
  'a state that sums is a window over all batches': {
    left: (s) => s.updateStateByKey(total),
    right: (s) => s.reduceByKeyAndWindow(add, `${BATCHES}s`, '1s'),
    as: anyOrder,
    partitioned: true,
  },
  'mapWithState keeps what updateStateByKey keeps': {
    left: (s) =>
      s
        .mapWithState((_key: string, n: number | undefined, state) => {
          state.update((state.exists() ? (state.get() as number) : 0) + (n ?? 0))
          return undefined
        })
        .stateSnapshots(),
    right: (s) => s.updateStateByKey(total),
    as: anyOrder,
    partitioned: true,
  },
  'deaths and blocks change nothing, floats included': {
    left: (s, t) =>
      third(s)
        .union(t)
        .reduceByKeyAndWindow(add, '3s', '1s')
        .updateStateByKey((ns: number[], before: number | undefined) => total(ns, before ?? 0.1)),
    right: (s, t) =>
      third(s)
        .union(t)
        .reduceByKeyAndWindow(add, '3s', '1s')
        .updateStateByKey((ns: number[], before: number | undefined) => total(ns, before ?? 0.1)),
    as: ordered,
  },
}

test.each(Object.entries(laws))('%s', { timeout: 60_000 }, async (_name, law) => {
  const calm = fc.integer({ min: 1, max: 4 })
  const property = fc.asyncProperty(script, script, how, calm, async (s, t, by, partitions) => {
    const run = (build: Build, options: object) =>
      runBatches({ inputs: [s, t], batches: BATCHES, ...options }, (ssc, a: Ints, b: Ints) =>
        build(a, b, ssc),
      )
    const others = { partitions: law.partitioned ? partitions : by.partitions }
    expect(law.as(await run(law.left, by))).toEqual(law.as(await run(law.right, others)))
  })
  await fc.assert(property, { numRuns: Math.ceil(RUNS * SHARE), seed: SEED })
})

test('a window is the union of its batches, oldest first', async () => {
  const times = fc.record({
    length: fc.integer({ min: 1, max: BATCHES }),
    slide: fc.integer({ min: 1, max: BATCHES }),
  })
  const property = fc.asyncProperty(
    script,
    times,
    how,
    async (input, { length, slide }, options) => {
      const run = runBatches({ inputs: [input], batches: BATCHES, ...options }, (_ssc, s: Ints) =>
        s.window(length * 1_000, slide * 1_000),
      )
      const expected = Array.from({ length: BATCHES }, (_, i) =>
        (i + 1) % slide === 0 ? input.slice(Math.max(0, i + 1 - length), i + 1).flat(1) : undefined,
      )
      expect(await run).toEqual(expected)
    },
  )
  await fc.assert(property, { numRuns: Math.ceil(RUNS * SHARE), seed: SEED })
})
