// The type of each operation of Batch.

import { Batch, type PairTable } from 'millrace'
import { is } from './expect-type.ts'

export function records(words: Batch<string>, maybe: Batch<string | undefined>): void {
  is<Batch<number>>()(words.map((word) => word.length))
  is<Batch<readonly [string, 1]>>()(words.map((word) => [word, 1] as const))
  is<Batch<string>>()(words.flatMap((word) => word.trim()))
  is<Batch<string>>()(words.filter((word) => word.length > 1))
  is<Batch<string>>()(maybe.filter((word) => word !== undefined))
  is<Batch<number>>()(words.mapPartitions((part) => [[...part].length]))
  is<Batch<string>>()(words.mapPartitionsWithIndex((i, part) => [...part].map((w) => `${i}${w}`)))
  is<Batch<string[]>>()(words.glom())
  is<Batch<[number, string]>>()(words.keyBy((word) => word.length))
  is<Batch<string>>()(words.sample(0.5, 1))
}

export function batches(words: Batch<string>, numbers: Batch<number>): void {
  is<Batch<string>>()(words.union(words))
  is<Batch<string>>()(words.distinct())
  is<Batch<string>>()(words.intersection(words))
  is<Batch<string>>()(words.subtract(words, { partitions: 1 }))
  is<Batch<[string, number]>>()(words.cartesian(numbers))
  is<Batch<[string, number]>>()(words.zip(numbers))
  is<Batch<boolean>>()(words.zipPartitions(numbers, (w, n) => [[...w].length > [...n].length]))
  is<Batch<[string, number]>>()(words.zipWithIndex())
  is<Batch<string>>()(words.repartition(2).coalesce(1).cache())
  is<Batch<string>>()(words.sortBy((word) => word.length, false, { partitions: 1 }))
  is<Batch<[number, string[]]>>()(words.groupBy((word) => word.length))
}

export function pairs(pairs: Batch<[string, number]>, ones: Batch<readonly ['a', 1]>): void {
  is<Batch<[string, Date]>>()(pairs.mapValues((n) => new Date(n)))
  is<Batch<[string, number]>>()(pairs.flatMapValues((n) => [n, n]))
  is<Batch<string>>()(pairs.keys())
  is<Batch<number>>()(pairs.values())
  is<Batch<[string, number]>>()(pairs.reduceByKey((a, b) => a + b))
  is<Batch<['a', number]>>()(ones.reduceByKey((a, b) => a + b))
  is<Batch<['a', number]>>()(ones.foldByKey(0, (a, b) => a + b))
  is<Batch<[string, string]>>()(
    pairs.aggregateByKey(
      '',
      (s, n) => s + n,
      (a, b) => a + b,
    ),
  )
  is<Batch<[string, number[]]>>()(pairs.groupByKey())
  is<Batch<[string, bigint]>>()(
    pairs.combineByKey(
      BigInt,
      (c) => c,
      (c) => c,
    ),
  )
  is<Batch<[string, number]>>()(pairs.partitionBy(4))
  is<Batch<[string, number]>>()(pairs.sortByKey(false))
}

export function joins(
  pairs: Batch<[string, number]>,
  batch: Batch<[string, Date]>,
  map: ReadonlyMap<string, Date>,
  table: PairTable<string, Date>,
): void {
  is<Batch<[string, [number, Date]]>>()(pairs.join(batch))
  is<Batch<[string, [number, Date]]>>()(pairs.join(map))
  is<Batch<[string, [number, Date]]>>()(pairs.join(table))
  is<Batch<[string, [number, Date | undefined]]>>()(pairs.leftOuterJoin(map))
  is<Batch<[string, [number | undefined, Date]]>>()(pairs.rightOuterJoin(batch))
  is<Batch<[string, [number | undefined, Date | undefined]]>>()(pairs.fullOuterJoin(batch))
  is<Batch<[string, [number[], Date[]]]>>()(pairs.cogroup(map))
  is<Batch<[string, number]>>()(pairs.subtractByKey(map))
}

export function actions(words: Batch<string>, pairs: Batch<[string, number]>): void {
  is<Promise<string[]>>()(words.collect())
  is<Promise<string[][]>>()(words.partitions())
  is<Promise<number>>()(words.numPartitions())
  is<Promise<number>>()(words.count())
  is<Promise<boolean>>()(words.isEmpty())
  is<Promise<string[]>>()(words.take(1))
  is<Promise<string>>()(words.first())
  is<Promise<string[]>>()(words.top(1))
  is<Promise<string[]>>()(words.takeOrdered(1, (a, b) => a.length - b.length))
  is<Promise<string>>()(words.max())
  is<Promise<string>>()(words.min())
  is<Promise<number>>()(pairs.values().sum())
  is<Promise<string>>()(words.reduce((a, b) => a + b))
  is<Promise<string>>()(words.fold('', (a, b) => a + b))
  is<Promise<bigint>>()(
    words.aggregate(
      0n,
      (n, word) => n + BigInt(word),
      (a, b) => a + b,
    ),
  )
  is<Promise<void>>()(words.foreach((word) => void word.length))
  is<Promise<void>>()(words.foreachPartition(async (part) => void part.length))
  is<Promise<Map<string, number>>>()(words.countByValue())
  is<Promise<Map<string, number>>>()(pairs.countByKey())
  is<Promise<Map<string, number>>>()(pairs.collectAsMap())
  is<Promise<number[]>>()(pairs.lookup('a'))
  is<AsyncGenerator<string>>()(words[Symbol.asyncIterator]())
}

export function made(): void {
  is<Batch<number>>()(Batch.of([1, 2]))
  is<Batch<string>>()(Batch.of('abc', 2))
  is<Batch<[string, Date]>>()(Batch.of(new Map<string, Date>()))
}

/** Code over batches of any type says what it gives. */
export function tagged<T, U>(batch: Batch<T>, tag: (record: T) => U): Batch<U> {
  return batch.filter(() => true).map(tag)
}
