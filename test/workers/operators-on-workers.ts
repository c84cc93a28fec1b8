// Streams for the tests of operators on worker threads. What all threads see is in shared memory.

import { Batch, type DStream, type StreamingContext } from 'millrace'

/** What is counted in shared memory. */
export const SEEN = { pending: 0, most: 1 } as const

/** Writes down how many calls are pending; fails the first time for odd numbers. */
export function calls(
  _ssc: StreamingContext,
  memory: Int32Array,
  numbers: DStream<number>,
): DStream<number> {
  const tried = new Set<number>()
  return numbers.mapAsync(
    async (n) => {
      const pending = Atomics.add(memory, SEEN.pending, 1) + 1
      for (;;) {
        const most = Atomics.load(memory, SEEN.most)
        if (pending <= most) break
        if (Atomics.compareExchange(memory, SEEN.most, most, pending) === most) break
      }
      for (let i = 0; i < 5; i++) await new Promise(setImmediate)
      Atomics.sub(memory, SEEN.pending, 1)
      if (n % 2 === 0 || tried.has(n)) return -n
      tried.add(n)
      throw new Error('not yet')
    },
    { concurrency: 4, retries: 1 },
  )
}

/** A join whose second side has a key that cannot be compared, at record 1 of partition 3. */
export function badKeys(
  _ssc: StreamingContext,
  _args: unknown,
  numbers: DStream<number>,
): DStream<unknown> {
  const keyed = numbers.map((n): [unknown, number] => [n === 7 ? new Map() : n, n])
  return numbers.map((n): [unknown, number] => [n, n]).join(keyed)
}

type Pairs = Batch<[string, number]>

const table = new Map([
  ['k1', 'one'],
  ['k9', 'nine'],
])

/** Operations of Batch by name. */
export const operations: Readonly<Record<string, (b: Pairs) => Batch<unknown>>> = {
  mapPartitionsWithIndex: (b) => b.mapPartitionsWithIndex((i, part) => [[i, [...part].length]]),
  groupBy: (b) => b.groupBy(([, n]) => n % 3),
  distinct: (b) => b.keys().distinct(),
  intersection: (b) => b.keys().intersection(Batch.of(['k1', 'k3', 'k9'], 2)),
  subtract: (b) => b.keys().subtract(b.keys().filter((key) => key > 'k2')),
  cartesian: (b) => b.filter(([, n]) => n < 3).cartesian(Batch.of(['x', 'y'], 2)),
  zip: (b) => b.zip(b.mapValues((n) => -n)),
  zipPartitions: (b) => b.zipPartitions(b, (x, y) => [[...x].length + [...y].length]),
  zipWithIndex: (b) => b.zipWithIndex(),
  repartition: (b) => b.repartition(5).glom(),
  coalesce: (b) => b.coalesce(3).glom(),
  partitionBy: (b) => b.partitionBy(5).glom(),
  sortBy: (b) => b.sortBy(([key, n]) => [key, -n]),
  sortByKey: (b) => b.sortByKey(false, { partitions: 2 }),
  sample: (b) => b.sample(0.5, 7),
  cache: (b) => b.cache().union(b.cache()),
  foldByKey: (b) => b.foldByKey(0, (x, y) => x + y),
  aggregateByKey: (b) =>
    b.aggregateByKey(
      '',
      (text, n) => `${text}${n}`,
      (x, y) => `${x}|${y}`,
    ),
  cogroup: (b) => b.cogroup(table),
  join: (b) => b.join(table, { partitions: 3 }),
  leftOuterJoin: (b) => b.leftOuterJoin(Batch.of(table, 2)),
  rightOuterJoin: (b) => b.rightOuterJoin(table),
  fullOuterJoin: (b) => b.fullOuterJoin(table),
  subtractByKey: (b) => b.subtractByKey(table),
}

/** One operation, by its name in `args`. */
export function operation(
  _ssc: StreamingContext,
  name: string,
  numbers: DStream<number>,
): DStream<unknown> {
  const pairs = numbers.map((n): [string, number] => [`k${n % 5}`, n])
  return pairs.transform((batch) => operations[name]?.(batch) as Batch<unknown>)
}
