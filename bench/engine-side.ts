// A pipeline as the engine runs it between the cut of a batch and its sinks: the graph of streams,
// the lineage of each batch, and its evaluation with generated loops.

import type { BatchRuntime } from '../src/batch/batch-base.ts'
import { leaf } from '../src/batch/node.ts'
import type { Records } from '../src/batch/records.ts'
import { systemClock } from '../src/clock.ts'
import type { DStream } from '../src/dstream/dstream.ts'
import { StreamGraph } from '../src/dstream/graph.ts'
import { Evaluator } from '../src/plan/evaluator.ts'
import { StageCache } from '../src/plan/stage-cache.ts'
import { queue } from '../src/receivers/queue.ts'
import { BatchGraph } from '../src/state/batch-graph.ts'
import { StreamingContext } from '../src/streaming-context.ts'

const INTERVAL_MS = 1_000
const CACHE_BYTES_MAX = 2 ** 20

const noActions: BatchRuntime = { run: () => Promise.reject(new Error('No actions here')) }

/** Runs one pipeline of one source and one output over batches of one partition. */
export class EngineSide<T, U> {
  readonly #graph: BatchGraph
  readonly #stages = new StageCache()
  #time = 0

  /** Build gets the stream of the source and gives the one that is written. */
  constructor(build: (input: DStream<T>) => DStream<U>) {
    const graph = new StreamGraph(INTERVAL_MS)
    const input = new StreamingContext(graph).receive(queue<T>([]))
    build(input).foreachBatch(() => undefined)
    graph.start()
    this.#graph = new BatchGraph(graph, 0, CACHE_BYTES_MAX)
  }

  /** Gives the partitions of the output of one batch. */
  async run(records: Records<T>): Promise<U[][]> {
    this.#time += INTERVAL_MS
    const time = this.#time
    const [node] = this.#graph.plan(time, () => leaf([[records]]), noActions).outputs
    if (node === undefined) throw new Error('The output has no batch')
    const options = { time, traced: false, stages: this.#stages, clock: systemClock }
    const partitions = (await new Evaluator(options).records(node)) as U[][]
    this.#graph.merge()
    return partitions
  }
}
