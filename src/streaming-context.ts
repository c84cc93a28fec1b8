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

  /** The stream of a source. */
  receive<T>(source: Source<T>): DStream<T> {
    return new DStream(this.#graph, this.#graph.addSource(source))
  }

  /** A stream of values that are there already: one of `batches` for each batch time, or all in
   * the first. */
  queue<T>(
    // Arrays are named too: TypeScript 7.0 infers unknown from Iterable<Iterable<T>> alone.
    batches: readonly (readonly T[])[] | Iterable<Iterable<T>>,
    options: { readonly oneAtATime?: boolean } = {},
  ): DStream<T> {
    return this.receive(queue(batches, options))
  }

  /** The records of all streams, in the order given; they have one slide. */
  union<T>(...streams: DStream<T>[]): DStream<T> {
    const nodes = streams.map((stream) => stream.node)
    const recipe = union(this.#graph.naming('union'))
    return new DStream(this.#graph, liftNode(this.#graph, 'union', recipe, nodes))
  }

  /** Applies `f` to the batches of several streams at the same time. */
  transform<U>(
    // biome-ignore lint/suspicious/noExplicitAny: streams of different types
    streams: DStream<any>[],
    // biome-ignore lint/suspicious/noExplicitAny: batches of different types
    f: (batches: Batch<any>[], time: number) => Batch<U>,
  ): DStream<U> {
    const nodes = streams.map((stream) => stream.node)
    return new DStream(this.#graph, transformNode(this.#graph, 'transform', nodes, f))
  }
  /** A value for closures that is loaded at each start, before the first batch: `load` is called
   * then, once a run, and a rejection fails the start. Reading `.value` earlier throws. */
  broadcast<T>(load: () => T | Promise<T>): Broadcast<T> {
    return this.#graph.broadcast(load)
  }

  /** A sum that closures and output operations add to: each committed batch counts once, whatever
   * was tried again or redone. `run.metrics()` has it under `name`; the totals are in the
   * checkpoint, and begin at 0 without one. */
  accumulator(name: string): Accumulator {
    checkAccumulatorName(name)
    return this.#graph.accumulator(name)
  }

  /** Keeps the batches of cached streams for `duration` and no longer (a stream that windows are
   * made of for longer, by the window), within `cacheBytesMax`. Without it only the bytes bound
   * them. */
  remember(duration: Duration): void {
    this.#graph.remember(positiveDurationMs(duration, 'the remember duration'))
  }
}
