// Operators on streams of [key, value] within one batch, and windows over them.

import { countOf, type Partitions, type Widen } from '../batch/batch.ts'
import * as recipes from '../batch/recipes.ts'
import type { Duration } from '../duration.ts'
import { refuseAsync } from './closures.ts'
import type { DStream } from './dstream.ts'
import { StreamBase } from './stream-base.ts'
import { reducedWindowNode, windowTimes } from './windows.ts'

/** What the pair operators need of `this`: a stream of [key, value]. */
export type Pairs<K, V> = DStream<readonly [K, V]>

/** Merges two values into one; associative, and free of side effects. */
export type Reduce<V> = (a: V, b: V) => V

/** Settings of `reduceByKeyAndWindow` with an inverse. */
export interface InverseWindowOptions<K, V> extends Partitions {
  /** Keys for which it gives false are not emitted, and are forgotten once nothing in the window is
   * theirs. @default none: a count that fell to 0 stays */
  readonly filter?: (pair: [K, V]) => boolean
}

/** The operators that need keys. Their closures see literal types widened. */
export abstract class PairOperators<T> extends StreamBase<T> {
  /** Applies `f` to each value and keeps the key. */
  mapValues<K, V, U>(this: Pairs<K, V>, f: (value: V) => U): DStream<[K, U]> {
    refuseAsync(f, 'mapValues')
    return this.lift('mapValues', recipes.narrow('mapValues', f, this.naming('mapValues')))
  }

  /** Applies `f` to each value and pairs each result with the key. */
  flatMapValues<K, V, U>(this: Pairs<K, V>, f: (value: V) => Iterable<U>): DStream<[K, U]> {
    refuseAsync(f, 'flatMapValues')
    const naming = this.naming('flatMapValues')
    return this.lift('flatMapValues', recipes.narrow('flatMapValues', f, naming))
  }

  /** Merges the values of each key within a batch. */
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

  /** Gathers the values of each key within a batch, in order of arrival. */
  groupByKey<K, V>(this: Pairs<K, V>, options?: Partitions): DStream<[K, V[]]> {
    const partitions = countOf(options, 'groupByKey')
    return this.lift('groupByKey', recipes.groupByKey(partitions, this.naming('groupByKey')))
  }

  /** Merges the values of each key within a batch into a combiner of another type. */
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

  /** The values of both streams for each key. */
  cogroup<K, V, W>(
    this: Pairs<K, V>,
    other: Pairs<K, W>,
    options?: Partitions,
  ): DStream<[K, [V[], W[]]]> {
    const partitions = countOf(options, 'cogroup')
    return this.lift('cogroup', recipes.cogroup(partitions, this.naming('cogroup')), [other])
  }

  /** Pairs the values of keys that are in both streams' batches. */
  join<K, V, W>(this: Pairs<K, V>, other: Pairs<K, W>, options?: Partitions): DStream<[K, [V, W]]> {
    const recipe = recipes.join('inner', countOf(options, 'join'), this.naming('join'))
    return this.lift('join', recipe, [other])
  }

  /** As `join`, and keeps the keys that are only in this stream's batch. */
  leftOuterJoin<K, V, W>(
    this: Pairs<K, V>,
    other: Pairs<K, W>,
    options?: Partitions,
  ): DStream<[K, [V, W | undefined]]> {
    const partitions = countOf(options, 'leftOuterJoin')
    const recipe = recipes.join('left', partitions, this.naming('leftOuterJoin'))
    return this.lift('leftOuterJoin', recipe, [other])
  }

  /** As `join`, and keeps the keys that are only in the other stream's batch. */
  rightOuterJoin<K, V, W>(
    this: Pairs<K, V>,
    other: Pairs<K, W>,
    options?: Partitions,
  ): DStream<[K, [V | undefined, W]]> {
    const partitions = countOf(options, 'rightOuterJoin')
    const recipe = recipes.join('right', partitions, this.naming('rightOuterJoin'))
    return this.lift('rightOuterJoin', recipe, [other])
  }

  /** As `join`, and keeps the keys of either. */
  fullOuterJoin<K, V, W>(
    this: Pairs<K, V>,
    other: Pairs<K, W>,
    options?: Partitions,
  ): DStream<[K, [V | undefined, W | undefined]]> {
    const partitions = countOf(options, 'fullOuterJoin')
    const recipe = recipes.join('full', partitions, this.naming('fullOuterJoin'))
    return this.lift('fullOuterJoin', recipe, [other])
  }

  /** Gathers the values of each key over the last `length`, in order of arrival. */
  groupByKeyAndWindow<K, V>(
    this: Pairs<K, V>,
    length: Duration,
    slide?: Duration,
    options?: Partitions,
  ): DStream<[K, V[]]> {
    const panes = this.groupByKey(options).window(length, slide)
    const concat = (a: V[], b: V[]): V[] => {
      for (const value of b) a.push(value)
      return a
    }
    return panes.combineByKey((values) => values, concat, concat, options)
  }

  /** Merges the values of each key over the last `length`, every `slide` (default: this stream's).
   *
   * With `inverse` (f without an argument that entered), each slide adds what enters and
   * subtracts what leaves; `inverse(f(a, b), b)` must equal `a`. */
  reduceByKeyAndWindow<K, V>(
    this: Pairs<K, V>,
    f: Reduce<Widen<V>>,
    length: Duration,
    slide?: Duration,
    options?: Partitions,
  ): DStream<[K, Widen<V>]>
  reduceByKeyAndWindow<K, V>(
    this: Pairs<K, V>,
    f: Reduce<Widen<V>>,
    inverse: Reduce<Widen<V>>,
    length: Duration,
    slide?: Duration,
    options?: InverseWindowOptions<K, Widen<V>>,
  ): DStream<[K, Widen<V>]>
  reduceByKeyAndWindow<K, V>(
    this: Pairs<K, V>,
    f: Reduce<Widen<V>>,
    second: Reduce<Widen<V>> | Duration,
    third?: Duration,
    fourth?: Duration | Partitions,
    fifth?: InverseWindowOptions<K, Widen<V>>,
  ): DStream<[K, Widen<V>]> {
    refuseAsync(f, 'reduceByKeyAndWindow')
    const name = 'reduceByKeyAndWindow'
    if (typeof second !== 'function') {
      const times = windowTimes(this.node, name, second, third)
      const partitions = countOf(fourth as Partitions | undefined, name)
      const reduction = { ...times, f, inverse: undefined, filter: undefined, partitions }
      return this.derive(reducedWindowNode(this.graph, this.node, reduction, name))
    }
    refuseAsync(second, name)
    const times = windowTimes(this.node, name, third as Duration, fourth as Duration | undefined)
    const partitions = countOf(fifth, name)
    const filter = fifth?.filter
    const reduction = { ...times, f, inverse: second, filter, partitions }
    return this.derive(reducedWindowNode(this.graph, this.node, reduction, name))
  }
}
