// What the compiler refuses. Each line below a comment must be an error, or this file is one.

import type { Batch, DStream } from 'millrace'

type Words = DStream<string>
type Numbers = Batch<number>

export function keysNeedPairs(words: Words, pairs: DStream<[string, number]>): void {
  // @ts-expect-error
  words.mapValues((value) => value)
  // @ts-expect-error
  words.flatMapValues((value) => [value])
  // @ts-expect-error
  words.reduceByKey((a) => a)
  // @ts-expect-error
  words.groupByKey()
  // @ts-expect-error
  words.combineByKey(
    (value) => value,
    (a) => a,
    (a) => a,
  )
  // @ts-expect-error
  words.cogroup(pairs)
  // @ts-expect-error
  words.join(pairs)
  // @ts-expect-error
  words.leftOuterJoin(pairs)
  // @ts-expect-error
  words.rightOuterJoin(pairs)
  // @ts-expect-error
  words.fullOuterJoin(pairs)
  // @ts-expect-error
  words.groupByKeyAndWindow('2s')
  // @ts-expect-error
  words.reduceByKeyAndWindow((a) => a, '2s')
  // @ts-expect-error
  words.updateStateByKey(() => 1)
  // @ts-expect-error
  words.mapWithState(() => 1)
  // @ts-expect-error
  pairs.join(words)
  // @ts-expect-error
  pairs.join([1, 2])
  // @ts-expect-error
  pairs.map((pair) => pair[0]).reduceByKey((a) => a)
}

export function keysOfBatchesNeedPairs(numbers: Numbers, pairs: Batch<[string, number]>): void {
  // @ts-expect-error
  numbers.mapValues((value) => value)
  // @ts-expect-error
  numbers.keys()
  // @ts-expect-error
  numbers.values()
  // @ts-expect-error
  numbers.reduceByKey((a) => a)
  // @ts-expect-error
  numbers.foldByKey(0, (a) => a)
  // @ts-expect-error
  numbers.aggregateByKey(
    0,
    (a) => a,
    (a) => a,
  )
  // @ts-expect-error
  numbers.groupByKey()
  // @ts-expect-error
  numbers.sortByKey()
  // @ts-expect-error
  numbers.partitionBy(2)
  // @ts-expect-error
  numbers.subtractByKey(pairs)
  // @ts-expect-error
  pairs.join(numbers)
  // @ts-expect-error
  void numbers.countByKey()
  // @ts-expect-error
  void numbers.collectAsMap()
  // @ts-expect-error
  void numbers.lookup(1)
  // @ts-expect-error
  void pairs.sum()
}

export function typesMustFit(words: Words, pairs: DStream<[string, number]>, other: Numbers): void {
  // @ts-expect-error
  words.map((word: number) => word)
  // @ts-expect-error
  words.filter((word) => word.length)
  // @ts-expect-error
  words.flatMap((word) => word.length)
  // @ts-expect-error
  words.reduce((a, b) => a.length + b.length)
  // @ts-expect-error
  words.union(pairs)
  // @ts-expect-error
  words.transform((batch) => batch.collect())
  // @ts-expect-error
  words.transform(() => 1)
  // @ts-expect-error
  words.window('2w')
  // @ts-expect-error
  words.window()
  // @ts-expect-error
  words.persist('ssd')
  // @ts-expect-error
  words.mapAsync(async (word) => word)
  // @ts-expect-error
  words.mapAsync((word) => word, { concurrency: 1 })
  // @ts-expect-error
  pairs.reduceByKey((a, b) => `${a}${b}`)
  // @ts-expect-error
  pairs.reduceByKeyAndWindow((a, b) => a + b, '2s', '1s', { filter: () => true })
  // @ts-expect-error
  other.union(other.map(String))
}

export function promisesNeedMapAsync(
  words: Words,
  pairs: DStream<[string, number]>,
  batch: Batch<[string, number]>,
): void {
  // @ts-expect-error
  words.map(async (word) => word).print()
  // @ts-expect-error
  words.map((word) => Promise.resolve(word)).print()
  // @ts-expect-error
  words.filter(async () => true)
  // @ts-expect-error
  words.flatMap(async (word) => [word])
  // @ts-expect-error
  pairs.mapValues(async (n) => n).print()
  // @ts-expect-error
  batch.map(async (pair) => pair).distinct()
  // @ts-expect-error
  batch.mapValues(async (n) => n).distinct()
}
