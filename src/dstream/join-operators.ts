// Joins of two streams, and of a stream with a table that is the same for every batch.

import { lineageOf } from '../batch/batch-base.ts'
import type { PairTable } from '../batch/join-transformations.ts'
import type { Recipe } from '../batch/node.ts'
import { countOf, type Partitions } from '../batch/partition-count.ts'
import * as recipes from '../batch/recipes.ts'
import type { DStream } from './dstream.ts'
import { PairOperators, type Pairs } from './pair-operators.ts'
import { StreamBase } from './stream-base.ts'

/** The other side of a join: a stream of pairs with the same slide, or a table that every batch is
 * joined with: a `Batch` made by `Batch.of`, a `Map`, or any iterable of pairs. A table is read
 * once, where the join is declared, and all of it takes part in the shuffle of each batch. */
export type JoinSide<K, W> = Pairs<K, W> | PairTable<K, W>

/** The operators that bring the pairs of two sides together by key. Keys are compared by value;
 * those of the stream stand first, in first-seen order within their partition, then those that only
 * the other side has. */
export abstract class JoinOperators<T> extends PairOperators<T> {
  /** The values of both sides for each key of either.
   *
   * @example
   * ```ts
   * const outputs = await runBatches(
   *   { inputs: [[[['a', 1], ['a', 2]]], [[['b', 3]]]], batches: 1 },
   *   (_ssc, left: DStream<[string, number]>, right: DStream<[string, number]>) =>
   *     left.cogroup(right, { partitions: 1 }),
   * )
   * assert.deepEqual(outputs, [[['a', [[1, 2], []]], ['b', [[], [3]]]]])
   * ```
   */
  cogroup<K, V, W>(
    this: Pairs<K, V>,
    other: JoinSide<K, W>,
    options?: Partitions,
  ): DStream<[K, [V[], W[]]]> {
    const partitions = countOf(options, 'cogroup')
    return this.meet('cogroup', recipes.cogroup(partitions, this.naming('cogroup')), other)
  }

  /** Pairs the values of keys that are on both sides.
   *
   * @example
   * ```ts
   * const prices = new Map([['tea', 3]])
   * const outputs = await runBatches(
   *   { inputs: [[[['tea', 2], ['rum', 1]]]], batches: 1 },
   *   (_ssc, orders: DStream<[string, number]>) => orders.join(prices),
   * )
   * assert.deepEqual(outputs, [[['tea', [2, 3]]]])
   * ```
   */
  join<K, V, W>(
    this: Pairs<K, V>,
    other: JoinSide<K, W>,
    options?: Partitions,
  ): DStream<[K, [V, W]]> {
    const partitions = countOf(options, 'join')
    return this.meet('join', recipes.join('inner', partitions, this.naming('join')), other)
  }

  /** As `join`, and keeps the keys that are only in this stream's batch.
   *
   * @example
   * ```ts
   * const outputs = await runBatches(
   *   { inputs: [[[['tea', 2], ['rum', 1]]]], batches: 1 },
   *   (_ssc, orders: DStream<[string, number]>) =>
   *     orders.leftOuterJoin(Batch.of([['tea', 3] as const]), { partitions: 1 }),
   * )
   * assert.deepEqual(outputs, [[['tea', [2, 3]], ['rum', [1, undefined]]]])
   * ```
   */
  leftOuterJoin<K, V, W>(
    this: Pairs<K, V>,
    other: JoinSide<K, W>,
    options?: Partitions,
  ): DStream<[K, [V, W | undefined]]> {
    const partitions = countOf(options, 'leftOuterJoin')
    const recipe = recipes.join('left', partitions, this.naming('leftOuterJoin'))
    return this.meet('leftOuterJoin', recipe, other)
  }

  /** As `join`, and keeps the keys that are only on the other side.
   *
   * @example
   * ```ts
   * const outputs = await runBatches(
   *   { inputs: [[[['tea', 2]]]], batches: 1 },
   *   (_ssc, orders: DStream<[string, number]>) =>
   *     orders.rightOuterJoin([['tea', 3], ['rum', 9]] as [string, number][], { partitions: 1 }),
   * )
   * assert.deepEqual(outputs, [[['tea', [2, 3]], ['rum', [undefined, 9]]]])
   * ```
   */
  rightOuterJoin<K, V, W>(
    this: Pairs<K, V>,
    other: JoinSide<K, W>,
    options?: Partitions,
  ): DStream<[K, [V | undefined, W]]> {
    const partitions = countOf(options, 'rightOuterJoin')
    const recipe = recipes.join('right', partitions, this.naming('rightOuterJoin'))
    return this.meet('rightOuterJoin', recipe, other)
  }

  /** As `join`, and keeps the keys of either side.
   *
   * @example
   * ```ts
   * const outputs = await runBatches(
   *   { inputs: [[[['tea', 2]]], [[['rum', 9]]]], batches: 1 },
   *   (_ssc, orders: DStream<[string, number]>, prices: DStream<[string, number]>) =>
   *     orders.fullOuterJoin(prices, { partitions: 1 }),
   * )
   * assert.deepEqual(outputs, [[['tea', [2, undefined]], ['rum', [undefined, 9]]]])
   * ```
   */
  fullOuterJoin<K, V, W>(
    this: Pairs<K, V>,
    other: JoinSide<K, W>,
    options?: Partitions,
  ): DStream<[K, [V | undefined, W | undefined]]> {
    const partitions = countOf(options, 'fullOuterJoin')
    const recipe = recipes.join('full', partitions, this.naming('fullOuterJoin'))
    return this.meet('fullOuterJoin', recipe, other)
  }

  /** The recipe over this stream and another, or over this stream and a table. */
  protected meet<U>(
    operator: string,
    recipe: Recipe,
    other: JoinSide<unknown, unknown>,
  ): DStream<U> {
    if (other instanceof StreamBase) return this.lift(operator, recipe, [other])
    const table = lineageOf(other, operator).node
    return this.lift(operator, (parents) => recipe([...parents, table]))
  }
}
