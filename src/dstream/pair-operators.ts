// Operators on streams of [key, value] within one batch.

import { refuseAsync } from '../batch/closures.ts'
import { countOf, type Partitions } from '../batch/partition-count.ts'
import * as recipes from '../batch/recipes.ts'
import type { Widen } from '../batch/widen.ts'
import { BatchOperators } from './batch-operators.ts'
import type { DStream } from './dstream.ts'

/** What the pair operators need of `this`: a stream of [key, value]. */
export type Pairs<K, V> = DStream<readonly [K, V]>

/** Merges two values into one; associative, and free of side effects. */
export type Reduce<V> = (a: V, b: V) => V

/** The operators that merge the values of a key. Keys are compared by value; a key that cannot be
 * fails the batch with KEY_NOT_COMPARABLE. Closures see literal types widened. */
export abstract class PairOperators<T> extends BatchOperators<T> {
  /** Merges the values of each key within a batch with `f`, which must be associative. Keys stand
   * in first-seen order within their partition.
   *
   * @example
   * ```ts
   * const outputs = await runBatches(
   *   { inputs: [[['a', 'b', 'a']]], batches: 1 },
   *   (_ssc, words: DStream<string>) =>
   *     words.map((word) => [word, 1] as const).reduceByKey((a, b) => a + b, { partitions: 1 }),
   * )
   * assert.deepEqual(outputs, [[['a', 2], ['b', 1]]])
   * ```
   */
  reduceByKey<K, V>(
    this: Pairs<K, V>,
    f: Reduce<Widen<V>>,
    options?: Partitions,
  ): DStream<[K, Widen<V>]> {
    refuseAsync(f, 'reduceByKey')
    const partitions = countOf(options, 'reduceByKey')
    const naming = this.naming('reduceByKey')
    return this.lift('reduceByKey', recipes.reduceByKey(f, partitions, naming))
  }

  /** Gathers the values of each key within a batch, in order of arrival.
   *
   * @example
   * ```ts
   * const outputs = await runBatches(
   *   { inputs: [[[['a', 1], ['b', 2], ['a', 3]]]], batches: 1 },
   *   (_ssc, pairs: DStream<[string, number]>) => pairs.groupByKey({ partitions: 1 }),
   * )
   * assert.deepEqual(outputs, [[['a', [1, 3]], ['b', [2]]]])
   * ```
   */
  groupByKey<K, V>(this: Pairs<K, V>, options?: Partitions): DStream<[K, V[]]> {
    const partitions = countOf(options, 'groupByKey')
    return this.lift('groupByKey', recipes.groupByKey(partitions, this.naming('groupByKey')))
  }

  /** Merges the values of each key within a batch into a combiner of another type. `create` and
   * `mergeValue` run within each partition, `mergeCombiners` between partitions, in order.
   *
   * @example
   * ```ts
   * const outputs = await runBatches(
   *   { inputs: [[[['a', 1], ['a', 3]]]], batches: 1 },
   *   (_ssc, pairs: DStream<[string, number]>) =>
   *     pairs.combineByKey(
   *       (n) => ({ sum: n, n: 1 }),
   *       (c, n) => ({ sum: c.sum + n, n: c.n + 1 }),
   *       (a, b) => ({ sum: a.sum + b.sum, n: a.n + b.n }),
   *     ),
   * )
   * assert.deepEqual(outputs, [[['a', { sum: 4, n: 2 }]]])
   * ```
   */
  combineByKey<K, V, C>(
    this: Pairs<K, V>,
    create: (value: V) => C,
    mergeValue: (combiner: C, value: V) => C,
    mergeCombiners: (a: C, b: C) => C,
    options?: Partitions,
  ): DStream<[K, C]> {
    for (const f of [create, mergeValue, mergeCombiners]) refuseAsync(f, 'combineByKey')
    const partitions = countOf(options, 'combineByKey')
    const by = { create, mergeValue, mergeCombiners }
    const naming = this.naming('combineByKey')
    return this.lift('combineByKey', recipes.combineByKey(by, partitions, naming))
  }
}
