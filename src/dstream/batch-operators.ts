// Operators that look at a batch as a whole.

import type { Batch } from '../batch/batch.ts'
import { refuseAsync } from '../batch/closures.ts'
import { checkPartitions, countOf, type Partitions } from '../batch/partition-count.ts'
import * as recipes from '../batch/recipes.ts'
import type { DStream } from './dstream.ts'
import { RecordOperators } from './record-operators.ts'
import { transformNode } from './stream-base.ts'

/** The operators that need all records of a batch. */
export abstract class BatchOperators<T> extends RecordOperators<T> {
  /** Cuts the records, in order, into `partitions` (1 to 256) whose lengths differ by at most one.
   *
   * @example
   * ```ts
   * const outputs = await runBatches(
   *   { inputs: [[[1, 2, 3]]], batches: 1 },
   *   (_ssc, numbers: DStream<number>) => numbers.repartition(3).glom(),
   * )
   * assert.deepEqual(outputs, [[[1], [2], [3]]])
   * ```
   */
  repartition(partitions: number): DStream<T> {
    checkPartitions(partitions, 'repartition')
    return this.lift('repartition', recipes.repartition(partitions, this.naming('repartition')))
  }

  /** The partitions of this stream, then those of `other`. Both must have the same slide, and a
   * batch at each time: a source that gives none fails the batch (BATCH_MISSING).
   *
   * @example
   * ```ts
   * const outputs = await runBatches(
   *   { inputs: [[['a']], [['b']]], batches: 1 },
   *   (_ssc, one: DStream<string>, two: DStream<string>) => one.union(two),
   * )
   * assert.deepEqual(outputs, [['a', 'b']])
   * ```
   */
  union(other: DStream<T>): DStream<T> {
    return this.lift('union', recipes.union(this.naming('union')), [other])
  }

  /** The number of records: one record in each batch, 0 in an empty one.
   *
   * @example
   * ```ts
   * const outputs = await runBatches(
   *   { inputs: [[['a', 'b'], []]], batches: 2 },
   *   (_ssc, words: DStream<string>) => words.count(),
   * )
   * assert.deepEqual(outputs, [[2], [0]])
   * ```
   */
  count(): DStream<number> {
    return this.lift('count', recipes.count(this.naming('count')))
  }

  /** Each value with its number of occurrences; values are compared as keys are.
   *
   * @example
   * ```ts
   * const outputs = await runBatches(
   *   { inputs: [[['a', 'b', 'a']]], batches: 1 },
   *   (_ssc, words: DStream<string>) => words.countByValue({ partitions: 1 }),
   * )
   * assert.deepEqual(outputs, [[['a', 2], ['b', 1]]])
   * ```
   */
  countByValue(options?: Partitions): DStream<[T, number]> {
    const partitions = countOf(options, 'countByValue')
    return this.lift('countByValue', recipes.countByValue(partitions, this.naming('countByValue')))
  }

  /** Merges all records of a batch with `f`, which must be associative; an empty batch stays
   * empty.
   *
   * @example
   * ```ts
   * const outputs = await runBatches(
   *   { inputs: [[[1, 2, 3], []]], batches: 2 },
   *   (_ssc, numbers: DStream<number>) => numbers.reduce((a, b) => a + b),
   * )
   * assert.deepEqual(outputs, [[6], []])
   * ```
   */
  reduce(f: (a: T, b: T) => T): DStream<T> {
    refuseAsync(f, 'reduce')
    return this.lift('reduce', recipes.reduce(f, this.naming('reduce')))
  }

  /** Applies `f` to each batch as a whole; `time` is the batch time in epoch milliseconds. `f` is
   * synchronous and may only use lazy operations: an action in it rejects with ACTION_NOT_ALLOWED,
   * and a result that is no batch fails with BATCH_MISSING. It runs again when a batch is tried
   * again.
   *
   * @example
   * ```ts
   * const outputs = await runBatches(
   *   { inputs: [[[3, 1, 2]]], batches: 1 },
   *   (_ssc, numbers: DStream<number>) => numbers.transform((batch) => batch.sortBy((n) => n)),
   * )
   * assert.deepEqual(outputs, [[1, 2, 3]])
   * ```
   */
  transform<U>(f: (batch: Batch<T>, time: number) => Batch<U>): DStream<U> {
    refuseAsync(f, 'transform')
    const apply = ([batch]: Batch<never>[], time: number) => f(batch as Batch<T>, time)
    return this.derive(transformNode(this.graph, 'transform', [this.node], apply))
  }

  /** As `transform`, over the batches of two streams of the same slide at the same time.
   *
   * @example
   * ```ts
   * const outputs = await runBatches(
   *   { inputs: [[[1, 2, 3]], [[2]]], batches: 1 },
   *   (_ssc, all: DStream<number>, bad: DStream<number>) =>
   *     all.transformWith(bad, (a, b) => a.subtract(b, { partitions: 1 })),
   * )
   * assert.deepEqual(outputs, [[1, 3]])
   * ```
   */
  transformWith<V, U>(
    other: DStream<V>,
    f: (a: Batch<T>, b: Batch<V>, time: number) => Batch<U>,
  ): DStream<U> {
    refuseAsync(f, 'transformWith')
    const apply = ([a, b]: Batch<never>[], time: number) => f(a as Batch<T>, b as Batch<V>, time)
    const parents = [this.node, other.node]
    return this.derive(transformNode(this.graph, 'transformWith', parents, apply))
  }
}
