// A discretized stream: one immutable batch at each multiple of its slide. Declaring an operator
// only adds to the graph; nothing runs before start().

import { type Batch, checkPartitions, countOf, type Partitions } from '../batch/batch.ts'
import * as recipes from '../batch/recipes.ts'
import { type Duration, durationMs, multipleMs, positiveDurationMs } from '../duration.ts'
import { ConfigError } from '../errors.ts'
import type { Sink } from '../sinks/sink.ts'
import { refuseAsync } from './closures.ts'
import type { BatchContext, StreamNode } from './graph.ts'
import { InitialState } from './initial-state.ts'
import { PairOperators, type Pairs } from './pair-operators.ts'
import { groupedNode, partitionedNode } from './state-parents.ts'
import { transformNode } from './stream-base.ts'
import { reducedWholeWindowNode, windowNode, windowTimes } from './windows.ts'

/** How `mapAsync` runs its closure. */
export interface MapAsyncOptions {
  /** How many promises may be pending at once. */
  readonly concurrency: number
  /** How long one attempt may take. @default no limit */
  readonly timeout?: Duration
  /** How often a failed attempt is made again. @default 0 */
  readonly retries?: number
}

/** Settings of `updateStateByKey`. */
export interface UpdateStateByKeyOptions<K, S> extends Partitions {
  /** The state of each key before the first batch. @default none */
  readonly initialState?: Iterable<readonly [K, S]>
  /** Call the closure, and emit, only for keys with new values. @default false, as in Spark */
  readonly onlyActiveKeys?: boolean
}

/** Settings of `mapWithState`. */
export interface MapWithStateOptions<K, S> extends Partitions {
  /** The state of each key before the first batch. @default none */
  readonly initialState?: Iterable<readonly [K, S]>
  /** A key without a value for longer than this is removed, after one last call. @default never */
  readonly timeout?: Duration
}

/** The state of one key, as `mapWithState` hands it to its closure. */
export interface State<S> {
  /** True if the key has a state. */
  exists(): boolean
  /** The state; throws if there is none. */
  get(): S
  /** Sets the state; throws if it was removed or is timing out. */
  update(state: S): void
  /** Removes the state; throws if it was removed or is timing out. */
  remove(): void
  /** True in the last call for a key that had no value for longer than the timeout. */
  isTimingOut(): boolean
}

type WindowReduction<T> = (a: T, b: T) => T

/** A stream of batches of `T`, with Spark Streaming's operators under their own names.
 *
 * @example
 * ```ts
 * const outputs = await runBatches(
 *   { inputs: [[['to be'], ['or not to be']]], batches: 2 },
 *   (_ssc, lines: DStream<string>) =>
 *     lines.flatMap((line) => line.split(' ')).map((word) => [word, 1] as const)
 *       .reduceByKey((a, b) => a + b, { partitions: 1 }),
 * )
 * assert.deepEqual(outputs, [
 *   [['to', 1], ['be', 1]],
 *   [['or', 1], ['not', 1], ['to', 1], ['be', 1]],
 * ])
 * ```
 */
export class DStream<T> extends PairOperators<T> {
  /** Gives the stream a stable identity: its state is found under this name after the code
   * changed. */
  named(id: string): this {
    this.graph.nameNode(this.node, id)
    return this
  }

  /** Applies `f` to each record. */
  map<U>(f: (record: T) => U): DStream<U extends PromiseLike<unknown> ? never : U> {
    return this.#narrow('map', f)
  }

  /** Applies `f` to each record and joins the results. */
  flatMap<U>(f: (record: T) => Iterable<U>): DStream<U> {
    return this.#narrow('flatMap', f)
  }

  /** Keeps the records for which `f` gives true. */
  filter(f: (record: T) => boolean): DStream<T> {
    return this.#narrow('filter', f)
  }

  /** Awaits `f` for each record, at most `concurrency` at a time; the order is kept. */
  mapAsync<U>(f: (record: T) => Promise<U>, options: MapAsyncOptions): DStream<U> {
    if (!Number.isInteger(options.concurrency) || options.concurrency < 1) {
      throw new ConfigError(
        `Cannot use ${options.concurrency} as the concurrency of mapAsync: it must be a ` +
          `whole number, at least 1`,
      )
    }
    const timeoutMs =
      options.timeout === undefined ? undefined : durationMs(options.timeout, 'timeout')
    const { concurrency, retries = 0 } = options
    const recipe = recipes.mapAsync({ f, concurrency, timeoutMs, retries }, this.naming('mapAsync'))
    return this.lift('mapAsync', recipe)
  }

  /** Makes one array of each partition. */
  glom(): DStream<T[]> {
    return this.lift('glom', recipes.glom(this.naming('glom')))
  }

  /** Applies `f` to each partition as a whole. */
  mapPartitions<U>(f: (records: Iterable<T>) => Iterable<U>): DStream<U> {
    refuseAsync(f, 'mapPartitions')
    return this.lift('mapPartitions', recipes.mapPartitions(f, this.naming('mapPartitions')))
  }

  /** Cuts the records, in order, into `partitions` of even length. */
  repartition(partitions: number): DStream<T> {
    checkPartitions(partitions, 'repartition')
    return this.lift('repartition', recipes.repartition(partitions, this.naming('repartition')))
  }

  /** The records of this stream, then those of `other`; both have the same slide. */
  union(other: DStream<T>): DStream<T> {
    return this.lift('union', recipes.union(this.naming('union')), [other])
  }

  /** The number of records: one record in each batch. */
  count(): DStream<number> {
    return this.lift('count', recipes.count(this.naming('count')))
  }

  /** Each value with its number of occurrences. */
  countByValue(options?: Partitions): DStream<[T, number]> {
    const partitions = countOf(options, 'countByValue')
    return this.lift('countByValue', recipes.countByValue(partitions, this.naming('countByValue')))
  }

  /** Merges all records of a batch with `f`, which must be associative; nothing for an empty
   * batch. */
  reduce(f: (a: T, b: T) => T): DStream<T> {
    refuseAsync(f, 'reduce')
    return this.lift('reduce', recipes.reduce(f, this.naming('reduce')))
  }

  /** Applies `f` to each batch as a whole: synchronous, and only lazy operations of `Batch`. */
  transform<U>(f: (batch: Batch<T>, time: number) => Batch<U>): DStream<U> {
    refuseAsync(f, 'transform')
    const apply = ([batch]: Batch<never>[], time: number) => f(batch as Batch<T>, time)
    return this.derive(transformNode(this.graph, 'transform', [this.node], apply))
  }

  /** As `transform`, over the batches of two streams at the same time. */
  transformWith<V, U>(
    other: DStream<V>,
    f: (a: Batch<T>, b: Batch<V>, time: number) => Batch<U>,
  ): DStream<U> {
    refuseAsync(f, 'transformWith')
    const apply = ([a, b]: Batch<never>[], time: number) => f(a as Batch<T>, b as Batch<V>, time)
    const parents = [this.node, other.node]
    return this.derive(transformNode(this.graph, 'transformWith', parents, apply))
  }

  /** The records of the last `length`, every `slide` (default: the slide of this stream). */
  window(length: Duration, slide?: Duration): DStream<T> {
    const times = windowTimes(this.node, 'window', length, slide)
    return new DStream(this.graph, windowNode(this.graph, this.node, times))
  }

  /** The number of records in the last `length`. */
  countByWindow(length: Duration, slide?: Duration): DStream<number> {
    const add: WindowReduction<number> = (a, b) => a + b
    const take: WindowReduction<number> = (a, b) => a - b
    return this.count().reduceByWindow(add, take, length, slide)
  }

  /** Each value with its number of occurrences in the last `length`; drops those that fell to 0. */
  countByValueAndWindow(
    length: Duration,
    slide?: Duration,
    options?: Partitions,
  ): DStream<[T, number]> {
    return this.map((value): [T, number] => [value, 1]).reduceByKeyAndWindow(
      (a, b) => a + b,
      (a, b) => a - b,
      length,
      slide,
      { ...options, filter: ([, n]) => n !== 0 },
    ) as DStream<[T, number]>
  }

  /** Merges all records of the last `length`; with `inverse`, by adding and subtracting. */
  reduceByWindow(f: WindowReduction<T>, length: Duration, slide?: Duration): DStream<T>
  reduceByWindow(
    f: WindowReduction<T>,
    inverse: WindowReduction<T>,
    length: Duration,
    slide?: Duration,
  ): DStream<T>
  reduceByWindow(
    f: WindowReduction<T>,
    second: WindowReduction<T> | Duration,
    third?: Duration,
    fourth?: Duration,
  ): DStream<T> {
    refuseAsync(f, 'reduceByWindow')
    const inverse = typeof second === 'function' ? second : undefined
    const [length, slide] = typeof second === 'function' ? [third, fourth] : [second, third]
    if (inverse !== undefined) refuseAsync(inverse, 'reduceByWindow')
    const times = windowTimes(this.node, 'reduceByWindow', length as Duration, slide)
    const perBatch = this.reduce(f)
    const options = { ...times, f, inverse }
    return new DStream(
      this.graph,
      reducedWholeWindowNode(this.graph, perBatch.node, options, 'reduceByWindow'),
    )
  }

  /** Keeps each batch's result for all who read it. */
  cache(): this {
    return this.persist()
  }

  /** The batches of a cached stream with from ≤ time ≤ to (epoch milliseconds) that are still
   * kept. */
  slice(from: number, to: number): Promise<Batch<T>[]> {
    return this.graph.slice(this.node, from, to) as Promise<Batch<T>[]>
  }

  /** As `cache`: `slice` finds the last batches, up to `cacheBytesMax` in all; the level is
   * memory. */
  persist(_level: 'memory' | 'memory-and-disk' | 'disk' = 'memory'): this {
    this.graph.change(this.node, { persisted: true }, 'persist a stream')
    return this
  }

  /** Takes back `persist`. */
  unpersist(): this {
    this.graph.change(this.node, { persisted: false }, 'unpersist a stream')
    return this
  }

  /** Asks for a snapshot of state at least this often; a multiple of the stream's slide. */
  checkpoint(interval: Duration): this {
    const unit = `slide of "${this.node.name}"`
    const checkpointMs = multipleMs(interval, 'the checkpoint interval', this.node.slideMs, unit)
    this.graph.change(this.node, { checkpointMs }, 'set a checkpoint interval')
    return this
  }

  /** Prints the first `count` records (default 10) of each batch to standard output. */
  print(count = 10): void {
    this.graph.addOutput({ kind: 'print', node: this.node, count })
  }

  /** Calls `f` with each batch, in the driver's thread: at least once, with the same batch id
   * each time. */
  foreachBatch(f: (batch: Batch<T>, context: BatchContext) => void | Promise<void>): void {
    this.graph.addOutput({ kind: 'foreachBatch', node: this.node, f })
  }

  /** Writes each batch to `sink`. */
  writeTo(sink: Sink<T>): void {
    this.graph.addOutput({ kind: 'sink', node: this.node, sink: sink as Sink<unknown> })
  }

  /** Calls `f` with the new values and the state of each key: undefined removes the key.
   *
   * As in Spark, it is called for every key that has a state in every batch, and all of them are
   * emitted; `onlyActiveKeys` keeps to those with new values. */
  updateStateByKey<K, V, S>(
    this: Pairs<K, V>,
    f: (values: V[], state: S | undefined, context: { key: K; time: number }) => S | undefined,
    options: UpdateStateByKeyOptions<K, S> = {},
  ): DStream<[K, S]> {
    refuseAsync(f, 'updateStateByKey')
    const partitions = countOf(options, 'updateStateByKey')
    const node = this.graph.add(
      {
        kind: 'updateStateByKey',
        f,
        partitions,
        initialState: new InitialState(options.initialState ?? [], 'updateStateByKey'),
        onlyActiveKeys: options.onlyActiveKeys ?? false,
        parents: [groupedNode(this, partitions, 'updateStateByKey')],
        slideMs: this.node.slideMs,
      },
      'updateStateByKey',
    )
    return new DStream(this.graph, node)
  }

  /** Calls `f` for each value with the state of its key, and emits what it gives unless undefined.
   *
   * With `timeout`, a key without a value for longer than that is removed after a last call, in
   * which `value` is undefined and `state.isTimingOut()` true. */
  mapWithState<K, V, S, U>(
    this: Pairs<K, V>,
    f: (key: K, value: V | undefined, state: State<S>, context: { time: number }) => U | undefined,
    options: MapWithStateOptions<K, S> = {},
  ): MapWithStateDStream<K, S, U> {
    refuseAsync(f, 'mapWithState')
    const partitions = countOf(options, 'mapWithState')
    const { timeout } = options
    const node = this.graph.add(
      {
        kind: 'mapWithState',
        f,
        partitions,
        initialState: new InitialState(options.initialState ?? [], 'mapWithState'),
        timeoutMs: timeout === undefined ? undefined : positiveDurationMs(timeout, 'timeout'),
        parents: [partitionedNode(this, partitions, 'mapWithState')],
        slideMs: this.node.slideMs,
      },
      'mapWithState',
    )
    return new MapWithStateDStream(this.graph, node)
  }

  protected derive<U>(node: StreamNode): DStream<U> {
    return new DStream(this.graph, node)
  }

  #narrow<U>(kind: 'map' | 'filter' | 'flatMap', f: (record: T) => unknown): DStream<U> {
    refuseAsync(f, kind)
    return this.lift(kind, recipes.narrow(kind, f, this.naming(kind)))
  }
}

/** What `mapWithState` emits; `stateSnapshots` gives its state.
 *
 * @example
 * ```ts
 * const outputs = await runBatches(
 *   { inputs: [[[['a', 1]], [['a', 2]]]], batches: 2 },
 *   (_ssc, pairs: DStream<[string, number]>) =>
 *     pairs.mapWithState((_key, n: number | undefined, sum: State<number>) => {
 *       sum.update((sum.exists() ? sum.get() : 0) + (n ?? 0))
 *       return undefined
 *     }).stateSnapshots(),
 * )
 * assert.deepEqual(outputs, [[['a', 1]], [['a', 3]]])
 * ```
 */
export class MapWithStateDStream<K, S, U> extends DStream<U> {
  /** The state of every key, after each batch. */
  stateSnapshots(): DStream<[K, S]> {
    const slideMs = this.node.slideMs
    const node = this.graph.add(
      { kind: 'stateSnapshots', parents: [this.node], slideMs },
      'stateSnapshots',
    )
    return new DStream(this.graph, node)
  }
}
