// Operators that look at one record, or at one partition, at a time: no record moves to another
// partition.

import { refuseAsync, requireFunction } from '../batch/closures.ts'
import type { Kept, Predicate, UseMapAsync } from '../batch/promise.ts'
import * as recipes from '../batch/recipes.ts'
import { type Duration, positiveDurationMs } from '../duration.ts'
import { ConfigError } from '../errors.ts'
import type { DStream } from './dstream.ts'
import type { Pairs } from './pair-operators.ts'
import { StreamBase } from './stream-base.ts'

/** How `mapAsync` runs its closure. */
export interface MapAsyncOptions {
  /** How many promises of a batch may be pending at once, over all its partitions; at least 1. With
   * worker threads each has an even share, at least 1. Higher waits less and asks more of whom the
   * closure asks. */
  readonly concurrency: number
  /** How long one attempt may take; more than 0 ms. What is too late is dropped, not cancelled.
   * @default no limit */
  readonly timeout?: Duration
  /** How often a failed attempt is made again for the same record, at once. Each is counted in
   * `totalCallRetries` of `run.metrics()`. @default 0 */
  readonly retries?: number
}

/** The operators that need one record or one partition at a time. */
export abstract class RecordOperators<T> extends StreamBase<T> {
  /** Applies `f` to each record. `f` is synchronous: an async function is refused where it is
   * declared, and a promise that it gives is an error of the batch.
   *
   * @example
   * ```ts
   * const outputs = await runBatches(
   *   { inputs: [[['to', 'be?']]], batches: 1 },
   *   (_ssc, words: DStream<string>) => words.map((word) => word.length),
   * )
   * assert.deepEqual(outputs, [[2, 3]])
   * ```
   */
  map<U>(f: (record: T) => U): UseMapAsync<U, DStream<U>> {
    return this.#narrow<U>('map', f) as UseMapAsync<U, DStream<U>>
  }

  /** Applies `f` to each record and joins what it gives: arrays, sets, generators, texts.
   *
   * @example
   * ```ts
   * const outputs = await runBatches(
   *   { inputs: [[['to be', 'or']]], batches: 1 },
   *   (_ssc, lines: DStream<string>) => lines.flatMap((line) => line.split(' ')),
   * )
   * assert.deepEqual(outputs, [['to', 'be', 'or']])
   * ```
   */
  flatMap<U>(f: (record: T) => Iterable<U>): DStream<U> {
    return this.#narrow('flatMap', f)
  }

  /** Keeps the records for which `f` gives true; a type predicate narrows the type.
   *
   * @example
   * ```ts
   * const outputs = await runBatches(
   *   { inputs: [[[1, 2, 3, 4]]], batches: 1 },
   *   (_ssc, numbers: DStream<number>) => numbers.filter((n) => n % 2 === 0),
   * )
   * assert.deepEqual(outputs, [[2, 4]])
   * ```
   */
  filter<U>(f: Predicate<T, U>): DStream<Kept<T, U>> {
    return this.#narrow('filter', f)
  }

  /** Awaits `f` for each record; the order is kept. At most `concurrency` calls of a batch are
   * pending at once, and no call starts after one has failed. An attempt that fails or takes
   * longer than `timeout` is made again `retries` times; then the batch fails with a TaskError that
   * names the record, and is itself tried again (`batchAttemptsMax`), with all its calls.
   *
   * @example
   * ```ts
   * const ages = new Map([['ada', 36]])
   * const outputs = await runBatches(
   *   { inputs: [[['ada', 'bob']]], batches: 1 },
   *   (_ssc, names: DStream<string>) =>
   *     names.mapAsync((name) => Promise.resolve(ages.get(name) ?? 0), { concurrency: 8 }),
   * )
   * assert.deepEqual(outputs, [[36, 0]])
   * ```
   */
  mapAsync<U>(f: (record: T) => Promise<U>, options: MapAsyncOptions): DStream<U> {
    requireFunction(f, 'mapAsync')
    const { concurrency, timeout, retries = 0 } = options
    requireCount(concurrency, 1, 'the concurrency of mapAsync')
    requireCount(retries, 0, 'the retries of mapAsync')
    const timeoutMs =
      timeout === undefined ? undefined : positiveDurationMs(timeout, 'the timeout of mapAsync')
    const recipe = recipes.mapAsync({ f, concurrency, timeoutMs, retries }, this.naming('mapAsync'))
    return this.lift('mapAsync', recipe)
  }

  /** Makes one array of each partition.
   *
   * @example
   * ```ts
   * const outputs = await runBatches(
   *   { inputs: [[[1, 2, 3]]], batches: 1, partitions: 2 },
   *   (_ssc, numbers: DStream<number>) => numbers.glom(),
   * )
   * assert.deepEqual(outputs, [[[1], [2, 3]]])
   * ```
   */
  glom(): DStream<T[]> {
    return this.lift('glom', recipes.glom(this.naming('glom')))
  }

  /** Applies `f` to each partition as a whole: what it needs once for many records is made there.
   *
   * @example
   * ```ts
   * const outputs = await runBatches(
   *   { inputs: [[[1, 2, 3]]], batches: 1, partitions: 2 },
   *   (_ssc, numbers: DStream<number>) =>
   *     numbers.mapPartitions((part) => [[...part].reduce((a, b) => a + b, 0)]),
   * )
   * assert.deepEqual(outputs, [[1, 5]])
   * ```
   */
  mapPartitions<U>(f: (records: Iterable<T>) => Iterable<U>): DStream<U> {
    refuseAsync(f, 'mapPartitions')
    const one = (records: Iterable<T>) => f(records)
    return this.lift('mapPartitions', recipes.mapPartitions(one, this.naming('mapPartitions')))
  }

  /** Applies `f` to each value and keeps the key.
   *
   * @example
   * ```ts
   * const outputs = await runBatches(
   *   { inputs: [[[['a', 1]]]], batches: 1 },
   *   (_ssc, pairs: DStream<[string, number]>) => pairs.mapValues((n) => n * 10),
   * )
   * assert.deepEqual(outputs, [[['a', 10]]])
   * ```
   */
  mapValues<K, V, U>(this: Pairs<K, V>, f: (value: V) => U): UseMapAsync<U, DStream<[K, U]>> {
    refuseAsync(f, 'mapValues')
    const recipe = recipes.narrow('mapValues', f, this.naming('mapValues'))
    return this.lift<[K, U]>('mapValues', recipe) as UseMapAsync<U, DStream<[K, U]>>
  }

  /** Applies `f` to each value and pairs each of what it gives with the key.
   *
   * @example
   * ```ts
   * const outputs = await runBatches(
   *   { inputs: [[[['a', 2], ['b', 0]]]], batches: 1 },
   *   (_ssc, pairs: DStream<[string, number]>) =>
   *     pairs.flatMapValues((n) => Array.from({ length: n }, (_, i) => i)),
   * )
   * assert.deepEqual(outputs, [[['a', 0], ['a', 1]]])
   * ```
   */
  flatMapValues<K, V, U>(this: Pairs<K, V>, f: (value: V) => Iterable<U>): DStream<[K, U]> {
    refuseAsync(f, 'flatMapValues')
    const naming = this.naming('flatMapValues')
    return this.lift('flatMapValues', recipes.narrow('flatMapValues', f, naming))
  }

  #narrow<U>(kind: 'map' | 'filter' | 'flatMap', f: (record: T) => unknown): DStream<U> {
    refuseAsync(f, kind)
    return this.lift(kind, recipes.narrow(kind, f, this.naming(kind)))
  }
}

function requireCount(value: number, least: number, what: string): void {
  if (Number.isSafeInteger(value) && value >= least) return
  throw new ConfigError(
    `Cannot use ${value} as ${what}: it must be a whole number, at least ${least}`,
  )
}
