import { setImmediate } from 'node:timers/promises'
import type { Partition, Records } from '../batch/records.ts'
import type { Clock } from '../clock.ts'
import { alone } from '../plan/peers.ts'
import type { StageCache } from '../plan/stage-cache.ts'
import type { WrittenPartition } from '../sinks/sink.ts'
import type { BatchGraph } from '../state/batch-graph.ts'
import type {
  BatchInput,
  Committed,
  Executor,
  FrozenState,
  OutputPartitions,
  Ran,
} from './executor.ts'
import { type GraphRunnerParts, type OutputSpreads, runGraph } from './graph-runner.ts'
import type { SinkTasks, SinkWrite } from './sink-tasks.ts'

/** What an executor in one thread works with. */
export interface InlineExecutorParts {
  readonly graph: BatchGraph
  readonly stages: StageCache
  readonly clock: Clock
  readonly tasks: SinkTasks
  /** Batches say what they changed. */
  readonly logged: boolean
}

/** Runs batches in this thread. */
export class InlineExecutor implements Executor {
  readonly overlaps = false
  readonly #parts: GraphRunnerParts
  readonly #graph: BatchGraph
  readonly #tasks: SinkTasks
  readonly #logged: boolean
  #outputs: OutputSpreads = []

  constructor({ graph, stages, clock, tasks, logged }: InlineExecutorParts) {
    this.#graph = graph
    this.#tasks = tasks
    this.#logged = logged
    this.#parts = { graph, stages, clock, peers: alone }
  }

  /** Lets others go on between two pieces: signs of life come from this thread. */
  async restore({ snapshot, changes }: Committed): Promise<void> {
    for (const file of snapshot) {
      this.#graph.restore(file)
      await setImmediate()
    }
    for (const entry of changes) {
      this.#graph.apply(entry)
      await setImmediate()
    }
  }

  async run({ time, sources }: BatchInput, traced: boolean): Promise<Ran> {
    const spreads = sources.map(
      (parts) => parts && { owners: parts.map(() => 0), parts: parts.map(({ blocks }) => blocks) },
    )
    const { outputs, tally, retriedCalls } = await runGraph(this.#parts, time, spreads, traced)
    this.#outputs = outputs
    return {
      outputs: outputs.map((output) => output?.parts.map((pieces) => oneRecords(pieces ?? []))),
      changes: this.#logged ? this.#graph.changes() : undefined,
      added: [...tally.entries()],
      retriedCalls,
    }
  }

  write(write: SinkWrite): Promise<WrittenPartition[]> {
    return this.#tasks.write(write, this.#outputs[write.outputId]?.parts ?? [])
  }

  merge(): void {
    this.#outputs = []
    this.#graph.merge()
  }

  freeze(): FrozenState {
    const frozen = this.#graph.freeze()
    return { next: () => Promise.resolve(frozen.next()), release: () => frozen.release() }
  }

  slice(nodeId: number, from: number, to: number): Promise<readonly OutputPartitions[]> {
    const batches = this.#graph.slice(nodeId, from, to)
    return Promise.resolve(batches.map(({ spread }) => spread.parts.map((part) => part ?? [])))
  }

  close(): Promise<void> {
    return this.#tasks.close()
  }
}

/** The pieces of a partition as one. */
function oneRecords(pieces: Partition<unknown>): Records<unknown> {
  const [only, ...more] = pieces
  if (only !== undefined && more.length === 0) return only
  const records: unknown[] = []
  for (const piece of pieces) {
    for (let i = 0; i < piece.length; i++) records.push(piece.at(i))
  }
  return records
}
