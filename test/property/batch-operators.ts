// Operators that look at one batch of one stream, for the engine and over arrays.

import type { Batch } from 'millrace'
import {
  combine,
  cut,
  cutEvenly,
  each,
  group,
  type Operators,
  type Pair,
  reduce,
  type Settings,
  type Step,
  strictly,
  total,
  type Value,
  valuesOf,
} from './step.ts'

const swapped = new Map([
  ['a', 'b'],
  ['b', 'a'],
])
const swap = ([key, value]: Pair): Pair => [swapped.get(key) ?? key, value]
const wanted = ([key]: Pair): boolean => key !== 'c'
const twiceA = (pair: Pair): Pair[] => (pair[0] === 'a' ? [pair, ['d', pair[1]]] : [pair])

const narrow = (f: (part: readonly Pair[]) => Pair[]): Step => each((parts) => parts.map(f))

/** Reversed, with the number of records at the end. */
function* backwards(records: Iterable<Pair>, { domain }: Settings): Generator<Pair> {
  const all = [...records]
  yield* all.toReversed()
  yield ['p', domain.lift(all.length)]
}

const countByKey = ({ domain, partitions }: Settings) =>
  each((parts) => {
    const ones = parts.map((part) => part.map(([key]): Pair => [key, 1]))
    const counts = reduce(ones, (a, b) => (a as number) + (b as number), partitions)
    return counts.map((part) => part.map(([key, n]): Pair => [key, domain.lift(n as number)]))
  })

const byKey = ([a]: Pair, [b]: Pair): number => (a < b ? -1 : Number(a > b))

/** The first of each key, through a Batch's distinct. */
function firstOfEach(batch: Batch<Pair>, { partitions, domain }: Settings): Batch<Pair> {
  return batch
    .map(([key]) => key)
    .distinct({ partitions })
    .map((key): Pair => [key, domain.lift(1)])
}

const narrows: Operators = {
  map: { build: (s) => s.map(swap), oracle: () => narrow((part) => part.map(swap)) },
  filter: { build: (s) => s.filter(wanted), oracle: () => narrow((part) => part.filter(wanted)) },
  flatMap: {
    grows: true,
    build: (s) => s.flatMap(twiceA),
    oracle: () => narrow((part) => part.flatMap(twiceA)),
  },
  mapValues: {
    build: (s, { domain }) => s.mapValues(domain.change),
    oracle: ({ domain }) =>
      narrow((part) => part.map(([key, value]) => [key, domain.change(value)])),
  },
  flatMapValues: {
    grows: true,
    build: (s, { domain }) => s.flatMapValues((value) => [value, domain.change(value)].values()),
    oracle: ({ domain }) =>
      narrow((part) =>
        part.flatMap(([key, value]): Pair[] => [
          [key, value],
          [key, domain.change(value)],
        ]),
      ),
  },
  mapAsync: {
    build: (s) => s.mapAsync((pair) => Promise.resolve(swap(pair)), { concurrency: 2 }),
    oracle: () => narrow((part) => part.map(swap)),
  },
  glom: {
    build: (s, { domain }) =>
      s.glom().flatMap((part): Pair[] => [['g', domain.lift(part.length)], ...part]),
    oracle: ({ domain }) => narrow((part) => [['g', domain.lift(part.length)], ...part]),
  },
  mapPartitions: {
    build: (s, settings) => s.mapPartitions((records) => backwards(records, settings)),
    oracle: (settings) => narrow((part) => [...backwards(part, settings)]),
  },
}

const shuffles: Operators = {
  repartition: {
    build: (s, { partitions }) => s.repartition(partitions),
    oracle: ({ partitions }) => each((parts) => cutEvenly(parts.flat(1), partitions)),
  },
  reduceByKey: {
    build: (s, { domain, partitions }) => s.reduceByKey(domain.add, { partitions }),
    oracle: ({ domain, partitions }) => each((parts) => reduce(parts, domain.add, partitions)),
  },
  groupByKey: {
    build: (s, { domain, partitions }) =>
      s.groupByKey({ partitions }).mapValues((values) => values.reduce(domain.add)),
    oracle: ({ domain, partitions }) =>
      each((parts) =>
        group(parts, partitions).map((part) =>
          part.map(([key, values]): Pair => [key, values.reduce(domain.add)]),
        ),
      ),
  },
  combineByKey: {
    build: (s, { domain: { add, change }, partitions }) =>
      s.combineByKey(change, add, (a, b) => add(b, a), { partitions }),
    oracle: ({ domain: { add, change }, partitions }) => {
      const by = {
        create: change,
        mergeValue: add,
        mergeCombiners: (a: Value, b: Value) => add(b, a),
      }
      return each((parts) => combine(parts, by, partitions))
    },
  },
  reduce: {
    build: (s, { domain }) =>
      s
        .map(([, value]) => value)
        .reduce(domain.add)
        .map((value): Pair => ['r', value]),
    oracle: ({ domain }) =>
      each((parts) => [total(valuesOf(parts), domain.add).map((value): Pair => ['r', value])]),
  },
  count: {
    build: (s, { domain }) => s.count().map((n): Pair => ['n', domain.lift(n)]),
    oracle: ({ domain }) => each((parts) => [[['n', domain.lift(parts.flat(1).length)]]]),
  },
  countByValue: {
    build: (s, { domain, partitions }) =>
      s
        .map(([key]) => key)
        .countByValue({ partitions })
        .mapValues(domain.lift),
    oracle: countByKey,
  },
}

const transforms: Operators = {
  'transform that sorts by key': {
    build: (s) =>
      s.transform((batch) => batch.sortByKey().map(([key, value]): Pair => [key, value])),
    oracle: () =>
      strictly((parts) => cutEvenly(parts.flat(1).sort(byKey), Math.max(parts.length, 1))),
  },
  'transform that keeps distinct keys': {
    build: (s, settings) => s.transform((batch) => firstOfEach(batch, settings)),
    oracle: ({ partitions, domain }) =>
      strictly((parts) => {
        const keys = new Set(parts.flat(1).map(([key]) => key))
        return cut(
          partitions,
          Array.from(keys, (key): Pair => [key, domain.lift(1)]),
        )
      }),
  },
  'transform that moves keys': {
    build: (s, { partitions }) => s.transform((batch) => batch.partitionBy(partitions)),
    oracle: ({ partitions }) => strictly((parts) => cut(partitions, parts.flat(1))),
  },
}

export const batchOperators: Operators = { ...narrows, ...shuffles, ...transforms }
