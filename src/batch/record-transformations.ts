// Lazy operations that look at one record, or one partition, at a time.

import { ConfigError } from '../errors.ts'
import type { Batch, PairBatch } from './batch.ts'
import { BatchBase, dynamic } from './batch-base.ts'
import { refuseAsync } from './closures.ts'
import { type Kept, type Predicate, synchronous, type UseMapAsync } from './promise.ts'
import * as recipes from './recipes.ts'

/** The operations that need one record or one partition at a time. */
export abstract class RecordTransformations<T> extends BatchBase<T> {
  /** Applies `f` to each record. `f` is synchronous, as every closure of a lazy operation.
   *
   * @example
   * ```ts
   * const doubled = await onBatch([1, 2], (numbers) => numbers.map((n) => n * 2).collect())
   * assert.deepEqual(doubled, [2, 4])
   * ```
   */
  map<U>(f: (record: T) => U): UseMapAsync<U, Batch<U>> {
    return this.#narrow<U>('map', f) as UseMapAsync<U, Batch<U>>
  }

  /** Applies `f` to each record and joins what it gives: arrays, sets, generators, texts.
   *
   * @example
   * ```ts
   * const words = await onBatch(['to be'], (lines) => lines.flatMap((l) => l.split(' ')).collect())
   * assert.deepEqual(words, ['to', 'be'])
   * ```
   */
  flatMap<U>(f: (record: T) => Iterable<U>): Batch<U> {
    return this.#narrow('flatMap', f)
  }

  /** Keeps the records for which `f` gives true; a type predicate narrows the type.
   *
   * @example
   * ```ts
   * const even = await onBatch([1, 2], (numbers) => numbers.filter((n) => n % 2 === 0).collect())
   * assert.deepEqual(even, [2])
   * ```
   */
  filter<U>(f: Predicate<T, U>): Batch<Kept<T, U>> {
    return this.#narrow('filter', f)
  }

  /** Applies `f` to each partition as a whole.
   *
   * @example
   * ```ts
   * const sizes = await onBatch([1, 2, 3], (numbers) =>
   *   numbers.mapPartitions((part) => [[...part].length]).collect(),
   * )
   * assert.deepEqual(sizes, [1, 2])
   * ```
   */
  mapPartitions<U>(f: (records: Iterable<T>) => Iterable<U>): Batch<U> {
    refuseAsync(f, 'mapPartitions')
    const one = (records: Iterable<T>) => f(records)
    return this.lift(recipes.mapPartitions(one, dynamic('mapPartitions')))
  }

  /** Applies `f` to each partition as a whole, with its index, from 0.
   *
   * @example
   * ```ts
   * const placed = await onBatch(['a', 'b'], (words) =>
   *   words.mapPartitionsWithIndex((i, part) => [...part].map((word) => `${i}${word}`)).collect(),
   * )
   * assert.deepEqual(placed, ['0a', '1b'])
   * ```
   */
  mapPartitionsWithIndex<U>(f: (index: number, records: Iterable<T>) => Iterable<U>): Batch<U> {
    refuseAsync(f, 'mapPartitionsWithIndex')
    const swapped = (records: Iterable<T>, index: number) => f(index, records)
    return this.lift(recipes.mapPartitions(swapped, dynamic('mapPartitionsWithIndex')))
  }

  /** Makes one array of each partition.
   *
   * @example
   * ```ts
   * const parts = await onBatch([1, 2, 3], (numbers) => numbers.glom().collect())
   * assert.deepEqual(parts, [[1], [2, 3]])
   * ```
   */
  glom(): Batch<T[]> {
    return this.lift(recipes.glom(dynamic('glom')))
  }

  /** Pairs each record with its key.
   *
   * @example
   * ```ts
   * const keyed = await onBatch(['to'], (words) => words.keyBy((word) => word.length).collect())
   * assert.deepEqual(keyed, [[2, 'to']])
   * ```
   */
  keyBy<K>(keyOf: (record: T) => K): Batch<[K, T]> {
    refuseAsync(keyOf, 'keyBy')
    const pair = (record: T): [K, T] => [synchronous(keyOf(record)), record]
    return this.lift(recipes.narrow('map', pair, dynamic('keyBy')))
  }

  /** Keeps each record with probability `fraction` (0 to 1), without replacement; the same `seed`
   * (a whole number) keeps the same records of the same partitions.
   *
   * @example
   * ```ts
   * const numbers = Array.from({ length: 100 }, (_, i) => i)
   * const some = await onBatch(numbers, (all) => all.sample(0.5, 7).collect())
   * assert.deepEqual(await onBatch(numbers, (all) => all.sample(0.5, 7).collect()), some)
   * assert.ok(some.length > 30 && some.length < 70)
   * ```
   */
  sample(fraction: number, seed: number): Batch<T> {
    if (!(fraction >= 0 && fraction <= 1)) {
      throw new ConfigError(`Cannot sample a fraction of ${fraction}: it must be from 0 to 1`)
    }
    if (!Number.isSafeInteger(seed)) {
      throw new ConfigError(
        `Cannot sample with seed ${seed}: it must be a whole number, so that a batch that is run ` +
          `again keeps the same records`,
      )
    }
    return this.lift(recipes.sample(fraction, seed, dynamic('sample')))
  }

  /** Applies `f` to each value and keeps the key.
   *
   * @example
   * ```ts
   * const pairs = [['a', 1]] as [string, number][]
   * const changed = await onBatch(pairs, (batch) => batch.mapValues((n) => n + 1).collect())
   * assert.deepEqual(changed, [['a', 2]])
   * ```
   */
  mapValues<K, V, U>(this: PairBatch<K, V>, f: (value: V) => U): UseMapAsync<U, Batch<[K, U]>> {
    refuseAsync(f, 'mapValues')
    const recipe = recipes.narrow('mapValues', f, dynamic('mapValues'))
    return this.lift<[K, U]>(recipe) as UseMapAsync<U, Batch<[K, U]>>
  }

  /** Applies `f` to each value and pairs each of what it gives with the key.
   *
   * @example
   * ```ts
   * const pairs = [['a', 'xy']] as [string, string][]
   * const letters = await onBatch(pairs, (batch) => batch.flatMapValues((text) => text).collect())
   * assert.deepEqual(letters, [['a', 'x'], ['a', 'y']])
   * ```
   */
  flatMapValues<K, V, U>(this: PairBatch<K, V>, f: (value: V) => Iterable<U>): Batch<[K, U]> {
    refuseAsync(f, 'flatMapValues')
    return this.lift(recipes.narrow('flatMapValues', f, dynamic('flatMapValues')))
  }

  /** The first part of each pair.
   *
   * @example
   * ```ts
   * const pairs = [['a', 1], ['b', 2]] as [string, number][]
   * assert.deepEqual(await onBatch(pairs, (batch) => batch.keys().collect()), ['a', 'b'])
   * ```
   */
  keys<K, V>(this: PairBatch<K, V>): Batch<K> {
    return this.lift(recipes.narrow('map', (pair: readonly [K, V]) => pair[0], dynamic('keys')))
  }

  /** The second part of each pair.
   *
   * @example
   * ```ts
   * const pairs = [['a', 1], ['b', 2]] as [string, number][]
   * assert.deepEqual(await onBatch(pairs, (batch) => batch.values().collect()), [1, 2])
   * ```
   */
  values<K, V>(this: PairBatch<K, V>): Batch<V> {
    return this.lift(recipes.narrow('map', (pair: readonly [K, V]) => pair[1], dynamic('values')))
  }

  #narrow<U>(kind: 'map' | 'filter' | 'flatMap', f: (record: T) => unknown): Batch<U> {
    refuseAsync(f, kind)
    return this.lift(recipes.narrow(kind, f, dynamic(kind)))
  }
}
