// The immutable, partitioned, lazy collection that a stream has at each batch time: Spark's RDD.

import { ConfigError, StreamingError } from '../errors.ts'
import { tokenOf } from './key.ts'
import { type BatchNode, leaf, type Recipe } from './node.ts'
import { KEY_GROUPS, SHUFFLE_PARTITIONS } from './partitioner.ts'
import * as recipes from './recipes.ts'
import { FreshRecords } from './sealed.ts'

/** Runs lineages. The engine gives one to each batch; an action without one is refused. */
export interface BatchRuntime {
  run(node: BatchNode): Promise<unknown[][]>
}

/** What the pair operators need of `this`. */
export type PairBatch<K, V> = Batch<readonly [K, V]>

/** Literal types widened, so that pairs made with `as const` reduce. */
export type Widen<V> = V extends number
  ? number
  : V extends string
    ? string
    : V extends boolean
      ? boolean
      : V extends bigint
        ? bigint
        : V

/** How many partitions a shuffle gives; 1 to 256. */
export interface Partitions {
  /** @default 8, independent of the number of workers */
  readonly partitions?: number
}

const noRuntime: BatchRuntime = {
  run: () =>
    Promise.reject(
      new StreamingError(
        'ACTION_NOT_ALLOWED',
        'Cannot run an action on a batch outside of a running pipeline: only lazy operations ' +
          'work ' +
          'here; call the action in foreachBatch',
      ),
    ),
}

/** An immutable, partitioned collection of records at one batch time; Spark's RDD under the same
 * names.
 *
 * Operations are lazy and give new batches; actions (`collect`, `count`, …) run them and return
 * promises.
 *
 * @example
 * ```ts
 * const table = Batch.of([['a', 1], ['b', 2]] as [string, number][])
 * const inputs = [[['a']]]
 * const outputs = await runBatches({ inputs, batches: 1 }, (_ssc, words: DStream<string>) =>
 *   words.map((word) => [word, 0] as const).transform((batch) => batch.join(table)),
 * )
 * assert.deepEqual(outputs, [[['a', [0, 1]]]])
 * ```
 */
export class Batch<T> {
  /** The lineage; for the engine. */
  readonly node: BatchNode
  readonly #runtime: BatchRuntime

  constructor(node: BatchNode, runtime: BatchRuntime = noRuntime) {
    this.node = node
    this.#runtime = runtime
  }

  /** Makes a batch of records, cut in order into `partitions` (default 1). */
  static of<T>(records: Iterable<T>, partitions = 1): Batch<T> {
    checkPartitions(partitions, 'Batch.of')
    const parts = recipes.cutEvenly([...records], partitions)
    return new Batch(leaf(parts.map((part) => [new FreshRecords(part)])))
  }

  /** Applies `f` to each record. */
  map<U>(f: (record: T) => U): Batch<U> {
    return this.#with(recipes.narrow('map', f, dynamic('map')))
  }

  /** Applies `f` to each record and joins the results. */
  flatMap<U>(f: (record: T) => Iterable<U>): Batch<U> {
    return this.#with(recipes.narrow('flatMap', f, dynamic('flatMap')))
  }

  /** Keeps the records for which `f` gives true. */
  filter(f: (record: T) => boolean): Batch<T> {
    return this.#with(recipes.narrow('filter', f, dynamic('filter')))
  }

  /** Applies `f` to each partition as a whole. */
  mapPartitions<U>(f: (records: Iterable<T>, partition: number) => Iterable<U>): Batch<U> {
    return this.#with(recipes.mapPartitions(f, dynamic('mapPartitions')))
  }

  /** Makes one array of each partition. */
  glom(): Batch<T[]> {
    return this.#with(recipes.glom(dynamic('glom')))
  }

  /** Pairs each record with its key. */
  keyBy<K>(keyOf: (record: T) => K): Batch<[K, T]> {
    return this.map((record): [K, T] => [keyOf(record), record])
  }

  /** Groups the records by key. */
  groupBy<K>(keyOf: (record: T) => K, options?: Partitions): Batch<[K, T[]]> {
    return this.keyBy(keyOf).groupByKey(options)
  }

  /** The partitions of this batch, then those of `other`. */
  union(other: Batch<T>): Batch<T> {
    return this.#with(recipes.union(dynamic('union')), other)
  }

  /** One of each value, by value equality. */
  distinct(options?: Partitions): Batch<T> {
    return this.#with(recipes.distinct(countOf(options, 'distinct'), dynamic('distinct')))
  }

  /** Each value with its number of occurrences. */
  countByValue(options?: Partitions): Batch<[T, number]> {
    return this.#with(
      recipes.countByValue(countOf(options, 'countByValue'), dynamic('countByValue')),
    )
  }

  /** Every pair of a record of this batch and one of `other`. */
  cartesian<U>(other: Batch<U>): Batch<[T, U]> {
    return this.#with(recipes.cartesian(dynamic('cartesian')), other)
  }

  /** Pairs each record with its index, from 0 in partition order. */
  zipWithIndex(): Batch<[T, number]> {
    return this.#with(recipes.zipWithIndex(dynamic('zipWithIndex')))
  }

  /** Keeps each record with probability `fraction`; the same seed keeps the same records. */
  sample(fraction: number, seed: number): Batch<T> {
    return this.#with(recipes.sample(fraction, seed, dynamic('sample')))
  }

  /** Cuts the records, in order, into `partitions` of even length. */
  repartition(partitions: number): Batch<T> {
    checkPartitions(partitions, 'repartition')
    return this.#with(recipes.repartition(partitions, dynamic('repartition')))
  }

  /** Joins neighbouring partitions until at most `partitions` are left. */
  coalesce(partitions: number): Batch<T> {
    checkPartitions(partitions, 'coalesce')
    return this.#with(recipes.coalesce(partitions, dynamic('coalesce')))
  }

  /** Sorts by `keyOf`, stable; numbers by value, texts by UTF-16 units, arrays part by part. */
  sortBy<K>(keyOf: (record: T) => K, ascending = true, options?: Partitions): Batch<T> {
    const naming = dynamic('sortBy')
    return this.#with(recipes.sortBy({ keyOf, ascending, partitions: options?.partitions, naming }))
  }

  /** Keeps the result for all who read it within this batch. */
  cache(): Batch<T> {
    return this.#with(recipes.cache(dynamic('cache')))
  }

  /** Applies `f` to each value and keeps the key. */
  mapValues<K, V, U>(this: PairBatch<K, V>, f: (value: V) => U): Batch<[K, U]> {
    return this.#with(recipes.narrow('mapValues', f, dynamic('mapValues')))
  }

  /** Applies `f` to each value and pairs each result with the key. */
  flatMapValues<K, V, U>(this: PairBatch<K, V>, f: (value: V) => Iterable<U>): Batch<[K, U]> {
    return this.#with(recipes.narrow('flatMapValues', f, dynamic('flatMapValues')))
  }

  /** The first part of each pair. */
  keys<K, V>(this: PairBatch<K, V>): Batch<K> {
    return this.map((pair) => pair[0])
  }

  /** The second part of each pair. */
  values<K, V>(this: PairBatch<K, V>): Batch<V> {
    return this.map((pair) => pair[1])
  }

  /** Merges the values of each key with `f`, which must be associative. */
  reduceByKey<K, V>(
    this: PairBatch<K, V>,
    f: (a: Widen<V>, b: Widen<V>) => Widen<V>,
    options?: Partitions,
  ): Batch<[K, Widen<V>]> {
    const partitions = countOf(options, 'reduceByKey')
    return this.#with(recipes.reduceByKey(f, partitions, dynamic('reduceByKey')))
  }

  /** Gathers the values of each key, in order of arrival. */
  groupByKey<K, V>(this: PairBatch<K, V>, options?: Partitions): Batch<[K, V[]]> {
    return this.#with(recipes.groupByKey(countOf(options, 'groupByKey'), dynamic('groupByKey')))
  }

  /** Merges the values of each key into a combiner of another type. */
  combineByKey<K, V, C>(
    this: PairBatch<K, V>,
    create: (value: V) => C,
    mergeValue: (combiner: C, value: V) => C,
    mergeCombiners: (a: C, b: C) => C,
    options?: Partitions,
  ): Batch<[K, C]> {
    const partitions = countOf(options, 'combineByKey')
    const by = { create, mergeValue, mergeCombiners }
    return this.#with(recipes.combineByKey(by, partitions, dynamic('combineByKey')))
  }

  /** The values of both batches for each key. */
  cogroup<K, V, W>(
    this: PairBatch<K, V>,
    other: PairBatch<K, W>,
    options?: Partitions,
  ): Batch<[K, [V[], W[]]]> {
    return this.#with(recipes.cogroup(countOf(options, 'cogroup'), dynamic('cogroup')), other)
  }

  /** Pairs the values of keys that are in both. */
  join<K, V, W>(
    this: PairBatch<K, V>,
    other: PairBatch<K, W>,
    options?: Partitions,
  ): Batch<[K, [V, W]]> {
    return this.#join('inner', other, options)
  }

  /** As `join`, and keeps the keys that are only in this batch. */
  leftOuterJoin<K, V, W>(
    this: PairBatch<K, V>,
    other: PairBatch<K, W>,
    options?: Partitions,
  ): Batch<[K, [V, W | undefined]]> {
    return this.#join('left', other, options)
  }

  /** As `join`, and keeps the keys that are only in `other`. */
  rightOuterJoin<K, V, W>(
    this: PairBatch<K, V>,
    other: PairBatch<K, W>,
    options?: Partitions,
  ): Batch<[K, [V | undefined, W]]> {
    return this.#join('right', other, options)
  }

  /** As `join`, and keeps the keys of either. */
  fullOuterJoin<K, V, W>(
    this: PairBatch<K, V>,
    other: PairBatch<K, W>,
    options?: Partitions,
  ): Batch<[K, [V | undefined, W | undefined]]> {
    return this.#join('full', other, options)
  }

  /** The pairs whose key is not in `other`. */
  subtractByKey<K, V, W>(
    this: PairBatch<K, V>,
    other: PairBatch<K, W>,
    options?: Partitions,
  ): Batch<[K, V]> {
    const partitions = countOf(options, 'subtractByKey')
    return this.#with(recipes.subtractByKey(partitions, dynamic('subtractByKey')), other)
  }

  /** Moves each pair to the partition of its key. */
  partitionBy<K, V>(this: PairBatch<K, V>, partitions: number): Batch<[K, V]> {
    checkPartitions(partitions, 'partitionBy')
    return this.#with(recipes.repartitionPairs(partitions, dynamic('partitionBy')))
  }

  /** Sorts by key. */
  sortByKey<K, V>(
    this: PairBatch<K, V>,
    ascending = true,
    options?: Partitions,
  ): Batch<readonly [K, V]> {
    return this.sortBy((pair) => pair[0], ascending, options)
  }

  /** All records in partition order. */
  async collect(): Promise<T[]> {
    return (await this.partitions()).flat(1) as T[]
  }

  /** The records of each partition. */
  async partitions(): Promise<T[][]> {
    const partitions = (await this.#runtime.run(this.node)) as T[][]
    return partitions.map((part) => part.slice())
  }

  /** The number of records. */
  async count(): Promise<number> {
    return (await this.partitions()).reduce((n, part) => n + part.length, 0)
  }

  /** The first `n` records in partition order. */
  async take(n: number): Promise<T[]> {
    return (await this.collect()).slice(0, Math.max(0, n))
  }

  /** The first record; rejects if there is none. */
  async first(): Promise<T> {
    const [record] = await this.take(1)
    if (record === undefined)
      throw new RangeError('Cannot give the first record: the batch is empty')
    return record
  }

  /** The `n` greatest records, greatest first. */
  async top(n: number, compare: (a: T, b: T) => number = recipes.compareKeys): Promise<T[]> {
    return (await this.collect()).sort((a, b) => compare(b, a)).slice(0, n)
  }

  /** The `n` smallest records, smallest first. */
  async takeOrdered(
    n: number,
    compare: (a: T, b: T) => number = recipes.compareKeys,
  ): Promise<T[]> {
    return (await this.collect()).sort(compare).slice(0, n)
  }

  /** Merges all records with `f`, which must be associative; rejects if there is none. */
  async reduce(f: (a: T, b: T) => T): Promise<T> {
    const parts = (await this.partitions()).filter((part) => part.length > 0)
    if (parts.length === 0)
      throw new RangeError('Cannot reduce an empty batch: use fold, or count first')
    const merge = (a: T, b: T) => f(a, b)
    return parts.map((part) => part.reduce(merge)).reduce(merge)
  }

  /** As `reduce`, from `zero`, which must be neutral: it enters once for each partition and once
   * more. */
  fold(zero: T, f: (a: T, b: T) => T): Promise<T> {
    return this.aggregate(zero, f, f)
  }

  /** Folds each partition with `add` from `zero`, and the results with `merge`. */
  async aggregate<U>(zero: U, add: (sum: U, record: T) => U, merge: (a: U, b: U) => U): Promise<U> {
    const sums = (await this.partitions()).map((part) =>
      part.reduce((sum, record) => add(sum, record), structuredClone(zero)),
    )
    return sums.reduce((a, b) => merge(a, b), structuredClone(zero))
  }

  /** The values of one key. */
  lookup<K, V>(this: PairBatch<K, V>, key: K): Promise<V[]> {
    const wanted = new Set([tokenOf(key)])
    return this.filter((pair) => wanted.has(tokenOf(pair[0])))
      .values()
      .collect()
  }

  /** Calls `f` with each record, in partition order. */
  async foreach(f: (record: T) => void): Promise<void> {
    for (const record of await this.collect()) f(record)
  }

  /** The records in partition order. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (const part of await this.partitions()) yield* part
  }

  #with<U>(recipe: Recipe, ...others: Lineage[]): Batch<U> {
    const parents = [this.node, ...others.map((other) => other.node)]
    return new Batch(recipe(parents), this.#runtime)
  }

  #join<U>(kind: recipes.JoinKind, other: Lineage, options?: Partitions): Batch<U> {
    const name = kind === 'inner' ? 'join' : `${kind}OuterJoin`
    return this.#with(recipes.join(kind, countOf(options, name), dynamic(name)), other)
  }
}

interface Lineage {
  readonly node: BatchNode
}

function dynamic(name: string): recipes.Naming {
  return { name, fixed: false }
}

/** The number of partitions that the options ask for. */
export function countOf(options: Partitions | undefined, operator: string): number {
  const partitions = options?.partitions ?? SHUFFLE_PARTITIONS
  checkPartitions(partitions, operator)
  return partitions
}

/** Refuses a number of partitions that is not a whole number from 1 to 256. */
export function checkPartitions(partitions: number, operator: string): void {
  if (Number.isInteger(partitions) && partitions >= 1 && partitions <= KEY_GROUPS) return
  throw new ConfigError(
    `Cannot use ${partitions} partitions for ${operator}: it must be a whole number from 1 to ` +
      `${KEY_GROUPS}, the number of key groups`,
  )
}
