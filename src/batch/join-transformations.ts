// Lazy operations that bring the pairs of two batches together by key.

import type { Batch, PairBatch } from './batch.ts'
import { dynamic, lineageOf } from './batch-base.ts'
import { PairTransformations } from './pair-transformations.ts'
import { countOf, type Partitions } from './partition-count.ts'
import * as recipes from './recipes.ts'

/** A table of pairs: a batch, a `Map`, or any iterable of pairs, which is read at once. */
export type PairTable<K, W> = PairBatch<K, W> | Iterable<readonly [K, W]>

/** The operations on two batches of pairs. Keys are compared by value; those of this batch stand
 * first, in first-seen order within their partition, then those that only the other has. */
export abstract class JoinTransformations<T> extends PairTransformations<T> {
  /** The values of both sides for each key of either.
   *
   * @example
   * ```ts
   * const pairs = [['a', 1], ['a', 2]] as [string, number][]
   * const groups = await onBatch(pairs, (batch) => batch.cogroup(new Map([['a', 'x']])).collect())
   * assert.deepEqual(groups, [['a', [[1, 2], ['x']]]])
   * ```
   */
  cogroup<K, V, W>(
    this: PairBatch<K, V>,
    other: PairTable<K, W>,
    options?: Partitions,
  ): Batch<[K, [V[], W[]]]> {
    const partitions = countOf(options, 'cogroup')
    return this.lift(recipes.cogroup(partitions, dynamic('cogroup')), lineageOf(other, 'cogroup'))
  }

  /** Pairs the values of keys that are on both sides.
   *
   * @example
   * ```ts
   * const orders = [['tea', 2], ['rum', 1]] as [string, number][]
   * const priced = await onBatch(orders, (batch) => batch.join(new Map([['tea', 3]])).collect())
   * assert.deepEqual(priced, [['tea', [2, 3]]])
   * ```
   */
  join<K, V, W>(
    this: PairBatch<K, V>,
    other: PairTable<K, W>,
    options?: Partitions,
  ): Batch<[K, [V, W]]> {
    return this.#join('inner', 'join', other, options)
  }

  /** As `join`, and keeps the keys that are only in this batch.
   *
   * @example
   * ```ts
   * const orders = [['rum', 1]] as [string, number][]
   * const prices = Batch.of([['tea', 3] as const])
   * const priced = await onBatch(orders, (batch) => batch.leftOuterJoin(prices).collect())
   * assert.deepEqual(priced, [['rum', [1, undefined]]])
   * ```
   */
  leftOuterJoin<K, V, W>(
    this: PairBatch<K, V>,
    other: PairTable<K, W>,
    options?: Partitions,
  ): Batch<[K, [V, W | undefined]]> {
    return this.#join('left', 'leftOuterJoin', other, options)
  }

  /** As `join`, and keeps the keys that are only on the other side.
   *
   * @example
   * ```ts
   * const orders = [['rum', 1]] as [string, number][]
   * const prices = Batch.of([['tea', 3] as const])
   * const priced = await onBatch(orders, (batch) => batch.rightOuterJoin(prices).collect())
   * assert.deepEqual(priced, [['tea', [undefined, 3]]])
   * ```
   */
  rightOuterJoin<K, V, W>(
    this: PairBatch<K, V>,
    other: PairTable<K, W>,
    options?: Partitions,
  ): Batch<[K, [V | undefined, W]]> {
    return this.#join('right', 'rightOuterJoin', other, options)
  }

  /** As `join`, and keeps the keys of either side.
   *
   * @example
   * ```ts
   * const orders = [['rum', 1]] as [string, number][]
   * const prices = Batch.of([['tea', 3] as const])
   * const priced = await onBatch(orders, (batch) =>
   *   batch.fullOuterJoin(prices, { partitions: 1 }).collect(),
   * )
   * assert.deepEqual(priced, [['rum', [1, undefined]], ['tea', [undefined, 3]]])
   * ```
   */
  fullOuterJoin<K, V, W>(
    this: PairBatch<K, V>,
    other: PairTable<K, W>,
    options?: Partitions,
  ): Batch<[K, [V | undefined, W | undefined]]> {
    return this.#join('full', 'fullOuterJoin', other, options)
  }

  /** The pairs whose key is not on the other side; those that are here twice stay so.
   *
   * @example
   * ```ts
   * const pairs = [['a', 1], ['b', 2]] as [string, number][]
   * const gone = new Map([['a', 0]])
   * const left = await onBatch(pairs, (batch) => batch.subtractByKey(gone).collect())
   * assert.deepEqual(left, [['b', 2]])
   * ```
   */
  subtractByKey<K, V, W>(
    this: PairBatch<K, V>,
    other: PairTable<K, W>,
    options?: Partitions,
  ): Batch<[K, V]> {
    const partitions = countOf(options, 'subtractByKey')
    const recipe = recipes.subtractByKey(partitions, dynamic('subtractByKey'))
    return this.lift(recipe, lineageOf(other, 'subtractByKey'))
  }

  #join<U>(
    kind: recipes.JoinKind,
    name: string,
    other: PairTable<unknown, unknown>,
    options?: Partitions,
  ): Batch<U> {
    const recipe = recipes.join(kind, countOf(options, name), dynamic(name))
    return this.lift(recipe, lineageOf(other, name))
  }
}
