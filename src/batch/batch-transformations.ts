// Lazy operations over whole batches: sets of values, the cut into partitions, order.

import { ConfigError } from '../errors.ts'
import type { Batch, PairBatch } from './batch.ts'
import { dynamic } from './batch-base.ts'
import { refuseAsync } from './closures.ts'
import { checkPartitions, countOf, type Partitions } from './partition-count.ts'
import * as recipes from './recipes.ts'
import { RecordTransformations } from './record-transformations.ts'
import * as sets from './set-recipes.ts'

/** The operations that need all records of a batch. Values are compared as keys are; one that
 * cannot be fails the batch with KEY_NOT_COMPARABLE. */
export abstract class BatchTransformations<T> extends RecordTransformations<T> {
  /** The partitions of this batch, then those of `other`; nothing is left out.
   *
   * @example
   * ```ts
   * const both = await onBatch([1, 2], (numbers) => numbers.union(Batch.of([2])).collect())
   * assert.deepEqual(both, [1, 2, 2])
   * ```
   */
  union(other: Batch<T>): Batch<T> {
    return this.lift(recipes.union(dynamic('union')), other)
  }

  /** One of each value, in first-seen order within its partition.
   *
   * @example
   * ```ts
   * const kinds = await onBatch(['b', 'a', 'b'], (all) => all.coalesce(1).distinct().collect())
   * assert.deepEqual(kinds.sort(), ['a', 'b'])
   * ```
   */
  distinct(options?: Partitions): Batch<T> {
    return this.lift(recipes.distinct(countOf(options, 'distinct'), dynamic('distinct')))
  }

  /** One of each value that is also in `other`.
   *
   * @example
   * ```ts
   * const common = await onBatch([1, 2, 2, 3], (numbers) =>
   *   numbers.intersection(Batch.of([3, 2]), { partitions: 1 }).collect(),
   * )
   * assert.deepEqual(common, [2, 3])
   * ```
   */
  intersection(other: Batch<T>, options?: Partitions): Batch<T> {
    const partitions = countOf(options, 'intersection')
    return this.lift(sets.intersection(partitions, dynamic('intersection')), other)
  }

  /** The records that are not in `other`; those that are here twice stay so.
   *
   * @example
   * ```ts
   * const rest = await onBatch([1, 2, 1, 3], (numbers) =>
   *   numbers.subtract(Batch.of([3, 2]), { partitions: 1 }).collect(),
   * )
   * assert.deepEqual(rest, [1, 1])
   * ```
   */
  subtract(other: Batch<T>, options?: Partitions): Batch<T> {
    const partitions = countOf(options, 'subtract')
    return this.lift(sets.subtract(partitions, dynamic('subtract')), other)
  }

  /** Every pair of a record of this batch and one of `other`: partitions and records of this batch
   * come first.
   *
   * @example
   * ```ts
   * const pairs = await onBatch([1], (one) => one.cartesian(Batch.of(['a', 'b'])).collect())
   * assert.deepEqual(pairs, [[1, 'a'], [1, 'b']])
   * ```
   */
  cartesian<U>(other: Batch<U>): Batch<[T, U]> {
    return this.lift(recipes.cartesian(dynamic('cartesian')), other)
  }

  /** Pairs the records that stand at the same place. Both batches must have as many partitions, and
   * as many records in each; else the batch fails.
   *
   * @example
   * ```ts
   * const named = await onBatch([1, 2], (n) => n.zip(n.map((i) => `no ${i}`)).collect())
   * assert.deepEqual(named, [[1, 'no 1'], [2, 'no 2']])
   * ```
   */
  zip<U>(other: Batch<U>): Batch<[T, U]> {
    const zip = (lefts: readonly T[], rights: readonly U[]) => pairUp(lefts, rights)
    return this.lift(recipes.zipPartitions(zip, dynamic('zip')), other)
  }

  /** Applies `f` to the partitions of both batches that stand at the same place; they must have as
   * many, else the batch fails.
   *
   * @example
   * ```ts
   * const sizes = await onBatch([1, 2, 3], (n) =>
   *   n.zipPartitions(n, (a, b) => [[...a].length + [...b].length]).collect(),
   * )
   * assert.deepEqual(sizes, [2, 4])
   * ```
   */
  zipPartitions<U, V>(
    other: Batch<U>,
    f: (records: Iterable<T>, others: Iterable<U>) => Iterable<V>,
  ): Batch<V> {
    refuseAsync(f, 'zipPartitions')
    return this.lift(recipes.zipPartitions(f, dynamic('zipPartitions')), other)
  }

  /** Pairs each record with its index in the batch, from 0, in partition order.
   *
   * @example
   * ```ts
   * const placed = await onBatch(['a', 'b'], (words) => words.zipWithIndex().collect())
   * assert.deepEqual(placed, [['a', 0], ['b', 1]])
   * ```
   */
  zipWithIndex(): Batch<[T, number]> {
    return this.lift(recipes.zipWithIndex(dynamic('zipWithIndex')))
  }

  /** Cuts the records, in order, into `partitions` (1 to 256) whose lengths differ by at most one.
   *
   * @example
   * ```ts
   * const parts = await onBatch([1, 2, 3], (numbers) => numbers.repartition(3).glom().collect())
   * assert.deepEqual(parts, [[1], [2], [3]])
   * ```
   */
  repartition(partitions: number): Batch<T> {
    checkPartitions(partitions, 'repartition')
    return this.lift(recipes.repartition(partitions, dynamic('repartition')))
  }

  /** Joins neighbouring partitions until at most `partitions` (1 to 256) are left; never makes
   * more.
   *
   * @example
   * ```ts
   * const parts = await onBatch([1, 2, 3], (numbers) => numbers.coalesce(1).glom().collect())
   * assert.deepEqual(parts, [[1, 2, 3]])
   * ```
   */
  coalesce(partitions: number): Batch<T> {
    checkPartitions(partitions, 'coalesce')
    return this.lift(recipes.coalesce(partitions, dynamic('coalesce')))
  }

  /** Sorts by `keyOf`, stable in both directions, over all partitions: null, booleans, numbers and
   * bigints by value with NaN last, texts by UTF-16 units, dates, bytes, arrays part by part, plain
   * objects by their sorted names and values. Anything else, undefined too, fails the batch. Gives
   * as many partitions as this batch has, unless told otherwise.
   *
   * @example
   * ```ts
   * const sorted = await onBatch([2, 3, 1], (n) => n.sortBy((i) => i, false).collect())
   * assert.deepEqual(sorted, [3, 2, 1])
   * ```
   */
  sortBy<K>(keyOf: (record: T) => K, ascending = true, options?: Partitions): Batch<T> {
    return this.lift(this.#sort('sortBy', keyOf, ascending, options))
  }

  /** Sorts pairs by key, as `sortBy` does.
   *
   * @example
   * ```ts
   * const pairs = [['b', 1], ['a', 2]] as [string, number][]
   * const sorted = await onBatch(pairs, (batch) => batch.sortByKey().collect())
   * assert.deepEqual(sorted, [['a', 2], ['b', 1]])
   * ```
   */
  sortByKey<K, V>(this: PairBatch<K, V>, ascending = true, options?: Partitions): Batch<[K, V]> {
    const keyOf = (pair: readonly [K, V]) => pair[0]
    return this.lift(this.#sort('sortByKey', keyOf, ascending, options))
  }

  /** Keeps the result for all who read it while the batch runs. `DStream.cache` keeps it longer.
   *
   * @example
   * ```ts
   * let calls = 0
   * await onBatch([1], (numbers) => {
   *   const kept = numbers.map((n) => n + calls++).cache()
   *   return kept.union(kept).collect()
   * })
   * assert.equal(calls, 1)
   * ```
   */
  cache(): Batch<T> {
    return this.lift(recipes.cache(dynamic('cache')))
  }

  #sort(
    operator: string,
    keyOf: (record: T) => unknown,
    ascending: boolean,
    options: Partitions | undefined,
  ) {
    refuseAsync(keyOf, operator)
    if (options?.partitions !== undefined) checkPartitions(options.partitions, operator)
    const naming = dynamic(operator)
    return recipes.sortBy({ keyOf, ascending, partitions: options?.partitions, naming })
  }
}

function pairUp<T, U>(lefts: readonly T[], rights: readonly U[]): [T, U][] {
  if (lefts.length === rights.length) return lefts.map((left, i) => [left, rights[i] as U])
  throw new ConfigError(
    `${lefts.length} and ${rights.length} records cannot be zipped: each partition must have as ` +
      `many in both batches; join them by zipWithIndex instead`,
  )
}
