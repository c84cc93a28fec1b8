// Lazy operations on batches of [key, value].

import type { Batch, PairBatch } from './batch.ts'
import { dynamic } from './batch-base.ts'
import { BatchTransformations } from './batch-transformations.ts'
import { refuseAsync } from './closures.ts'
import { checkPartitions, countOf, type Partitions } from './partition-count.ts'
import { synchronous } from './promise.ts'
import * as recipes from './recipes.ts'
import type { Widen } from './widen.ts'
import { freshCopies } from './zero.ts'

/** The operations that merge the values of a key. Keys are compared by value; a key that cannot
 * be fails the batch with KEY_NOT_COMPARABLE. Keys stand in first-seen order within their
 * partition. */
export abstract class PairTransformations<T> extends BatchTransformations<T> {
  /** Groups the records by key, in order.
   *
   * @example
   * ```ts
   * const groups = await onBatch([1, 2, 3], (numbers) =>
   *   numbers.groupBy((n) => n % 2, { partitions: 1 }).collect(),
   * )
   * assert.deepEqual(groups, [[1, [1, 3]], [0, [2]]])
   * ```
   */
  groupBy<K>(keyOf: (record: T) => K, options?: Partitions): Batch<[K, T[]]> {
    refuseAsync(keyOf, 'groupBy')
    const naming = dynamic('groupBy')
    const pair = (record: T) => [synchronous(keyOf(record)), record]
    const group = recipes.groupByKey(countOf(options, 'groupBy'), naming)
    return this.lift(recipes.chain(recipes.narrow('map', pair, naming), group))
  }

  /** Merges the values of each key with `f`, which must be associative.
   *
   * @example
   * ```ts
   * const pairs = [['a', 1], ['a', 2]] as [string, number][]
   * const sums = await onBatch(pairs, (batch) => batch.reduceByKey((a, b) => a + b).collect())
   * assert.deepEqual(sums, [['a', 3]])
   * ```
   */
  reduceByKey<K, V>(
    this: PairBatch<K, V>,
    f: (a: Widen<V>, b: Widen<V>) => Widen<V>,
    options?: Partitions,
  ): Batch<[K, Widen<V>]> {
    refuseAsync(f, 'reduceByKey')
    const partitions = countOf(options, 'reduceByKey')
    return this.lift(recipes.reduceByKey(f, partitions, dynamic('reduceByKey')))
  }

  /** As `reduceByKey`, from `zero`, which must be neutral: it enters once for each key of each
   * partition.
   *
   * @example
   * ```ts
   * const pairs = [['a', 1], ['a', 2]] as [string, number][]
   * const sums = await onBatch(pairs, (batch) => batch.foldByKey(0, (a, b) => a + b).collect())
   * assert.deepEqual(sums, [['a', 3]])
   * ```
   */
  foldByKey<K, V>(
    this: PairBatch<K, V>,
    zero: Widen<V>,
    f: (a: Widen<V>, b: Widen<V>) => Widen<V>,
    options?: Partitions,
  ): Batch<[K, Widen<V>]> {
    refuseAsync(f, 'foldByKey')
    const fresh = freshCopies(zero, 'foldByKey')
    const by = {
      create: (value: Widen<V>) => f(fresh(), value),
      mergeValue: f,
      mergeCombiners: f,
    }
    const partitions = countOf(options, 'foldByKey')
    return this.lift(recipes.combineByKey(by, partitions, dynamic('foldByKey')))
  }

  /** Folds the values of each key of a partition with `add` from a copy of `zero`, and the results
   * of the partitions with `merge`.
   *
   * @example
   * ```ts
   * const pairs = [['a', 1], ['a', 2]] as [string, number][]
   * const texts = await onBatch(pairs, (batch) =>
   *   batch.aggregateByKey('', (text, n) => text + n, (a, b) => `${a}|${b}`).collect(),
   * )
   * assert.deepEqual(texts, [['a', '1|2']])
   * ```
   */
  aggregateByKey<K, V, C>(
    this: PairBatch<K, V>,
    zero: C,
    add: (combiner: Widen<C>, value: V) => Widen<C>,
    merge: (a: Widen<C>, b: Widen<C>) => Widen<C>,
    options?: Partitions,
  ): Batch<[K, Widen<C>]> {
    for (const f of [add, merge]) refuseAsync(f, 'aggregateByKey')
    const fresh = freshCopies(zero as Widen<C>, 'aggregateByKey')
    const by = {
      create: (value: V) => add(fresh(), value),
      mergeValue: add,
      mergeCombiners: merge,
    }
    const partitions = countOf(options, 'aggregateByKey')
    return this.lift(recipes.combineByKey(by, partitions, dynamic('aggregateByKey')))
  }

  /** Gathers the values of each key, in order of arrival.
   *
   * @example
   * ```ts
   * const pairs = [['a', 1], ['a', 2]] as [string, number][]
   * const groups = await onBatch(pairs, (batch) => batch.groupByKey().collect())
   * assert.deepEqual(groups, [['a', [1, 2]]])
   * ```
   */
  groupByKey<K, V>(this: PairBatch<K, V>, options?: Partitions): Batch<[K, V[]]> {
    return this.lift(recipes.groupByKey(countOf(options, 'groupByKey'), dynamic('groupByKey')))
  }

  /** Merges the values of each key into a combiner of another type: `create` and `mergeValue`
   * within each partition, `mergeCombiners` between partitions, in order.
   *
   * @example
   * ```ts
   * const pairs = [['a', 1], ['a', 2]] as [string, number][]
   * const lists = await onBatch(pairs, (batch) =>
   *   batch.combineByKey((n) => [n], (list, n) => [...list, n], (a, b) => [...a, ...b]).collect(),
   * )
   * assert.deepEqual(lists, [['a', [1, 2]]])
   * ```
   */
  combineByKey<K, V, C>(
    this: PairBatch<K, V>,
    create: (value: V) => C,
    mergeValue: (combiner: C, value: V) => C,
    mergeCombiners: (a: C, b: C) => C,
    options?: Partitions,
  ): Batch<[K, C]> {
    for (const f of [create, mergeValue, mergeCombiners]) refuseAsync(f, 'combineByKey')
    const partitions = countOf(options, 'combineByKey')
    const by = { create, mergeValue, mergeCombiners }
    return this.lift(recipes.combineByKey(by, partitions, dynamic('combineByKey')))
  }

  /** Moves each pair to the partition (of 1 to 256) that its key hashes to, in order of arrival.
   *
   * @example
   * ```ts
   * const pairs = [['a', 1], ['b', 2], ['a', 3]] as [string, number][]
   * const parts = await onBatch(pairs, (batch) => batch.partitionBy(256).glom().collect())
   * assert.deepEqual(parts.filter((part) => part.length > 0).map((part) => part.length), [1, 2])
   * ```
   */
  partitionBy<K, V>(this: PairBatch<K, V>, partitions: number): Batch<[K, V]> {
    checkPartitions(partitions, 'partitionBy')
    return this.lift(recipes.repartitionPairs(partitions, dynamic('partitionBy')))
  }
}
