import type { Batch } from './batch/batch.ts'
import { union } from './batch/recipes.ts'
import type { Accumulator } from './dstream/accumulator.ts'
import type { Broadcast } from './dstream/broadcast.ts'
import { DStream } from './dstream/dstream.ts'
import type { StreamGraph } from './dstream/graph.ts'
import { liftNode, transformNode } from './dstream/stream-base.ts'
import { type Duration, positiveDurationMs } from './duration.ts'
import { queue } from './receivers/queue.ts'
import type { Source } from './receivers/receiver.ts'
import { checkAccumulatorName } from './scheduler/metrics.ts'

/** Where a pipeline's streams begin; `build` gets one.
 *
 * @example
 * ```ts
 * const inputs = [[[1]], [[2]]]
 * const outputs = await runBatches({ inputs, batches: 1 }, (ssc, a, b) => ssc.union(a, b))
 * assert.deepEqual(outputs, [[1, 2]])
 * ```
 */
export class StreamingContext {
  readonly #graph: StreamGraph

  constructor(graph: StreamGraph) {
    this.#graph = graph
  }

  /** The stream of a source. A source of its own is opened for each call.
   *
   * @example
   * ```ts
   * const p = pipeline('p', { batchInterval: 10, checkpoint: false }, (ssc) => {
   *   const source = scriptedSource('numbers', [[1, 2]], 1, { batchId: 1 })
   *   assert.ok(ssc.receive(source) instanceof DStream)
   * })
   * await assert.rejects(start(p), /without an output operation/)
   * ```
   */
  receive<T>(source: Source<T>): DStream<T> {
    return new DStream(this.#graph, this.#graph.addSource(source))
  }

  /** A stream of values that are there already: one of `batches` for each batch time, in order, or
   * all in the first with `oneAtATime: false`. For tests and trials: what was not written ends with
   * the process, and resuming from a checkpoint is refused (SOURCE_NOT_REPLAYABLE).
   *
   * @example
   * ```ts
   * const counts: number[] = []
   * const p = pipeline('p', { batchInterval: 10, checkpoint: false }, (ssc) => {
   *   ssc.queue([[1], [2, 3]]).foreachBatch(async (batch) => {
   *     counts.push(await batch.count())
   *   })
   * })
   * await (await start(p, { until: 'caught-up' })).done
   * assert.deepEqual(counts.slice(0, 2), [1, 2])
   * ```
   */
  queue<T>(
    // Arrays are named too: TypeScript 7.0 infers unknown from Iterable<Iterable<T>> alone.
    batches: Iterable<readonly T[] | Iterable<T>>,
    options: { readonly oneAtATime?: boolean } = {},
  ): DStream<T> {
    return this.receive(queue(batches, options))
  }

  /** The records of all streams, in the order given; they have one slide.
   *
   * @example
   * ```ts
   * const inputs = [[[1]], [[2]], [[3]]]
   * const outputs = await runBatches({ inputs, batches: 1 }, (ssc, ...all) => ssc.union(...all))
   * assert.deepEqual(outputs, [[1, 2, 3]])
   * ```
   */
  union<T>(...streams: DStream<T>[]): DStream<T> {
    const nodes = streams.map((stream) => stream.node)
    const recipe = union(this.#graph.naming('union'))
    return new DStream(this.#graph, liftNode(this.#graph, 'union', recipe, nodes))
  }

  /** Applies `f` to the batches of several streams at the same time; see `DStream.transform`. They
   * have one slide.
   *
   * @example
   * ```ts
   * const outputs = await runBatches(
   *   { inputs: [[[1, 2]], [['a', 'b']]], batches: 1 },
   *   (ssc, numbers: DStream<number>, words: DStream<string>) =>
   *     ssc.transform([numbers, words], ([n, w]) => n.zip(w)),
   * )
   * assert.deepEqual(outputs, [[[1, 'a'], [2, 'b']]])
   * ```
   */
  transform<const T extends readonly unknown[], U>(
    streams: { readonly [I in keyof T]: DStream<T[I]> },
    f: (batches: { -readonly [I in keyof T]: Batch<T[I]> }, time: number) => Batch<U>,
  ): DStream<U> {
    const nodes = streams.map((stream) => stream.node)
    const apply = (batches: Batch<never>[], time: number) => f(batches as never, time)
    return new DStream(this.#graph, transformNode(this.#graph, 'transform', nodes, apply))
  }

  /** A value for closures that is loaded at each start, before the first batch: `load` is called
   * then, once a run, and a rejection fails the start. Reading `.value` earlier throws.
   *
   * @example
   * ```ts
   * const outputs = await runBatches(
   *   { inputs: [[[1, 2]]], batches: 1 },
   *   (ssc, numbers: DStream<number>) => {
   *     const factor = ssc.broadcast(() => Promise.resolve(10))
   *     return numbers.map((n) => n * factor.value)
   *   },
   * )
   * assert.deepEqual(outputs, [[10, 20]])
   * ```
   */
  broadcast<T>(load: () => T | Promise<T>): Broadcast<T> {
    return this.#graph.broadcast(load)
  }

  /** A sum that closures and output operations add to: each committed batch counts once, whatever
   * was tried again or redone. `run.metrics()` has it under `name`; the totals are in the
   * checkpoint, and begin at 0 without one.
   *
   * @example
   * ```ts
   * const p = pipeline('p', { batchInterval: 10, checkpoint: false }, (ssc) => {
   *   const words = ssc.accumulator('words')
   *   ssc.queue([['to', 'be']]).foreachBatch(async (batch) => words.add(await batch.count()))
   * })
   * const run = await start(p, { until: 'caught-up' })
   * await run.done
   * assert.equal(run.metrics()['words'], 2)
   * ```
   */
  accumulator(name: string): Accumulator {
    checkAccumulatorName(name)
    return this.#graph.accumulator(name)
  }

  /** Keeps the batches of cached streams for `duration` and no longer (a stream that windows are
   * made of for longer, by the window), within `cacheBytesMax`. Without it only the bytes bound
   * them.
   *
   * @example
   * ```ts
   * await runBatches({ inputs: [[[1]]], batches: 1 }, (ssc, numbers: DStream<number>) => {
   *   ssc.remember('1m')
   *   return numbers.cache()
   * })
   * ```
   */
  remember(duration: Duration): void {
    this.#graph.remember(positiveDurationMs(duration, 'the remember duration'))
  }
}
