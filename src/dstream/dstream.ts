// A discretized stream: one immutable batch at each multiple of its slide. Declaring an operator
// only adds to the graph; nothing runs before start(). The operators stand in the files of their
// families, each a class that the next one extends.

import type { Batch } from '../batch/batch.ts'
import { type Duration, multipleMs } from '../duration.ts'
import type { StreamNode } from './graph.ts'
import { OutputOperators } from './output-operators.ts'
import { checkedLevel, type PersistLevel } from './persist-level.ts'

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
export class DStream<T> extends OutputOperators<T> {
  /** Gives the stream a stable identity: its state is found under this name after the code
   * changed. A name is used once in a pipeline.
   *
   * @example
   * ```ts
   * const outputs = await runBatches(
   *   { inputs: [[[1], [2]]], batches: 2, restartAfter: [1] },
   *   (_ssc, numbers: DStream<number>) => numbers.window('2s').named('last two'),
   * )
   * assert.deepEqual(outputs, [[1], [1, 2]])
   * ```
   */
  named(id: string): this {
    this.graph.nameNode(this.node, id)
    return this
  }

  /** As `persist('memory')`.
   *
   * @example
   * ```ts
   * let seen: Promise<Batch<number>[]> | undefined
   * const p = pipeline('p', { batchInterval: 10, checkpoint: false }, (ssc) => {
   *   const numbers = ssc.queue([[1]]).cache()
   *   numbers.foreachBatch(() => {
   *     seen = numbers.slice(0, Date.now())
   *   })
   * })
   * await (await start(p, { until: 'caught-up' })).done
   * assert.ok(Array.isArray(await seen))
   * ```
   */
  cache(): this {
    return this.persist()
  }

  /** Keeps the stream's batches: each is computed once for all who read it, and `slice` finds the
   * last ones, up to `cacheBytesMax` of the pipeline in all. Every level keeps them in memory:
   * Spark's levels with a disk are taken, but nothing is spilled. What does not fit is dropped, the
   * least recently used first, and `slice` leaves it out; the start logs a warning that says so.
   * Throws ConfigError for another level.
   *
   * @example
   * ```ts
   * let runs = 0
   * await runBatches({ inputs: [[[1]]], batches: 1 }, (_ssc, numbers: DStream<number>) => {
   *   const counted = numbers.map((n) => n + runs++).persist('memory')
   *   return counted.union(counted)
   * })
   * assert.equal(runs, 1)
   * ```
   */
  persist(level: PersistLevel = 'memory'): this {
    const persistLevel = checkedLevel(level, this.node.name)
    this.graph.change(this.node, { persisted: true, persistLevel }, 'persist a stream')
    return this
  }

  /** Takes back `persist`.
   *
   * @example
   * ```ts
   * const outputs = await runBatches(
   *   { inputs: [[[1]]], batches: 1 },
   *   (_ssc, numbers: DStream<number>) => numbers.persist().unpersist(),
   * )
   * assert.deepEqual(outputs, [[1]])
   * ```
   */
  unpersist(): this {
    this.graph.change(
      this.node,
      { persisted: false, persistLevel: undefined },
      'unpersist a stream',
    )
    return this
  }

  /** Asks for a snapshot of state after as many commits as batches fit into `interval`, a multiple
   * of the stream's slide; of several intervals, and of `snapshotEvery`, the smallest counts.
   * Starting rejects with CONFIG_INVALID where the pipeline has `checkpoint: false`.
   *
   * @example
   * ```ts
   * await runBatches({ inputs: [[[1]]], batches: 1 }, (_ssc, numbers: DStream<number>) => {
   *   assert.throws(() => numbers.checkpoint('1500ms'), ConfigError)
   *   return numbers.checkpoint('10s')
   * })
   * ```
   */
  checkpoint(interval: Duration): this {
    const unit = `slide of "${this.node.name}"`
    const checkpointMs = multipleMs(interval, 'the checkpoint interval', this.node.slideMs, unit)
    this.graph.change(this.node, { checkpointMs }, 'set a checkpoint interval')
    return this
  }

  /** The batches of a cached stream with from ≤ time ≤ to (epoch milliseconds) that are still
   * kept, oldest first; as in Spark, a `from` between two batch times is taken as the earlier one.
   * `cacheBytesMax` and `remember` say how long batches are kept. Rejects with CONFIG_INVALID
   * before the pipeline runs, and for a stream that is not cached or that no output operation
   * needs. Actions work on what it gives.
   *
   * @example
   * ```ts
   * let early: Promise<Batch<number>[]> = Promise.resolve([])
   * await runBatches({ inputs: [[[1]]], batches: 1 }, (_ssc, numbers: DStream<number>) => {
   *   early = numbers.slice(0, 1_000)
   *   early.catch(() => undefined)
   *   return numbers
   * })
   * await assert.rejects(early, /has not been initialized/)
   * ```
   */
  async slice(from: number, to: number): Promise<Batch<T>[]> {
    return (await this.graph.slice(this.node, from, to)) as Batch<T>[]
  }

  protected derive<U>(node: StreamNode): DStream<U> {
    return new DStream(this.graph, node)
  }

  protected deriveMapWithState<K, S, U>(node: StreamNode): MapWithStateDStream<K, S, U> {
    return new MapWithStateDStream(this.graph, node)
  }
}

/** What `mapWithState` emits; `stateSnapshots` gives its state.
 *
 * @example
 * ```ts
 * const outputs = await runBatches(
 *   { inputs: [[[['a', 1]], [['a', 2]]]], batches: 2 },
 *   (_ssc, pairs: DStream<[string, number]>) => {
 *     const counted = pairs.mapWithState((key, _value, _state: State<number>) => key)
 *     assert.ok(counted instanceof MapWithStateDStream)
 *     return counted
 *   },
 * )
 * assert.deepEqual(outputs, [['a'], ['a']])
 * ```
 */
export class MapWithStateDStream<K, S, U> extends DStream<U> {
  /** The state of every key, after each batch.
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
  stateSnapshots(): DStream<[K, S]> {
    const slideMs = this.node.slideMs
    const node = this.graph.add(
      { kind: 'stateSnapshots', parents: [this.node], slideMs },
      'stateSnapshots',
    )
    return this.derive(node)
  }
}
