// The life of one batch: plan, run, sinks, commit (docs/architecture.md).
//
// Always: no sink is written before the plan is durable and the epoch is still ours; committed
// state changes only after all sinks succeeded; a batch that failed has changed nothing.

import { crc32 } from 'node:zlib'
import type { BatchRuntime } from '../batch/batch-base.ts'
import { type BatchNode, leaf } from '../batch/node.ts'
import { KEY_GROUPS, SHUFFLE_PARTITIONS } from '../batch/partitioner.ts'
import type { BatchLog } from '../checkpoint/log.ts'
import type { Clock } from '../clock.ts'
import { ConfigError, codeOf, StreamingError } from '../errors.ts'
import type { BatchInfo, EventBus } from '../events.ts'
import { Evaluator } from '../plan/evaluator.ts'
import type { StageCache } from '../plan/stage-cache.ts'
import type { Position, RangeData } from '../receivers/receiver.ts'
import type { SinkReceipt } from '../sinks/sink.ts'
import type { BatchGraph } from '../state/batch-graph.ts'
import { runTask, Tally } from '../task-scope.ts'
import type { OutputOperations } from './output-operations.ts'
import type { SourceCuts } from './receivers.ts'

/** Points in a batch's life at which a test may let the process die. */
export type LifePoint = 'planned' | 'ran' | 'sinks' | 'committed'

/** Called at each point; whatever it throws ends the run as a death would. */
export type LifeProbe = (point: LifePoint, batchId: number) => Promise<void>

/** A batch to run. */
export interface BatchRequest {
  readonly batchId: number
  readonly time: number
  readonly cuts: SourceCuts
  /** Planned by an earlier run, and run again with the same ranges. */
  readonly redo: boolean
}

/** How a committed batch ended. */
export interface BatchOutcome {
  /** True if the batch is in the log. */
  readonly logged: boolean
  /** What it added to accumulators. */
  readonly tally: Tally
}

/** What the runner works with. */
export interface RunnerParts {
  readonly pipeline: string
  readonly planHash: string
  readonly epoch: number
  readonly graph: BatchGraph
  readonly log: BatchLog | undefined
  readonly outputs: OutputOperations
  readonly events: EventBus
  readonly clock: Clock
  readonly stages: StageCache
  readonly attemptsMax: number
  readonly probe: LifeProbe | undefined
}

type Results = readonly (readonly (readonly unknown[])[] | undefined)[]

/** One attempt at the records of a batch. */
interface Attempt {
  readonly tally: Tally
  /** The output whose records are being computed. */
  outputId: number | undefined
}

const refuseActions: BatchRuntime = {
  run: () =>
    Promise.reject(
      new StreamingError(
        'ACTION_NOT_ALLOWED',
        'Cannot run an action inside transform: it may only build lazy operations; ' +
          'use foreachBatch for actions',
      ),
    ),
}

/** Runs batches one after the other. */
export class BatchRunner {
  readonly #parts: RunnerParts

  constructor(parts: RunnerParts) {
    this.#parts = parts
  }

  /** Runs a batch to its commit. */
  async run(request: BatchRequest, info: BatchInfo): Promise<BatchOutcome> {
    const { events, log, graph, probe } = this.#parts
    const hasRanges = request.cuts.some((cuts) => cuts !== undefined && cuts.length > 0)
    let planned = request.redo
    const plan = async (): Promise<void> => {
      planned = true
      await log?.plan(this.#planOf(request))
      events.emit({ kind: 'batch-planned', ...info })
      await probe?.('planned', request.batchId)
    }
    if (hasRanges && !planned) await plan()
    const { results, tally } = await this.#runWithRetries(request)
    const changes = graph.changes()
    events.emit({ kind: 'batch-ran', ...info })
    const changed = changes !== undefined || !tally.isEmpty || results.some(hasRecords)
    if (changed && !planned) await plan()
    await probe?.('ran', request.batchId)
    if (planned) await log?.sync()
    const receipts = await this.#write(request, results, tally)
    events.emit({ kind: 'batch-written', ...info })
    await probe?.('sinks', request.batchId)
    if (!tally.isEmpty && !planned) await plan()
    if (planned) await this.#commit(request, receipts, changes, tally)
    graph.merge()
    await probe?.('committed', request.batchId)
    return { logged: planned, tally }
  }

  async #commit(
    { batchId, time }: BatchRequest,
    receipts: SinkReceipt[],
    changes: Uint8Array | undefined,
    tally: Tally,
  ): Promise<void> {
    const commit = { batchId, time, receipts, changes: changes ?? new Uint8Array(0) }
    const accumulators = [...tally.entries()]
    await this.#parts.log?.commit(tally.isEmpty ? commit : { ...commit, accumulators })
  }

  /** The first attempt runs generated loops; later ones are interpreted, so that the error names
   * its operator. */
  async #runWithRetries(
    request: BatchRequest,
  ): Promise<{ readonly results: Results; readonly tally: Tally }> {
    const { attemptsMax, events, graph, outputs } = this.#parts
    for (let n = 1; ; n++) {
      const attempt: Attempt = { tally: new Tally(), outputId: undefined }
      const { tally } = attempt
      try {
        const work = () => this.#attempt(request, n > 1, attempt)
        return { results: await runTask(graph.graph, tally, work), tally }
      } catch (error) {
        const hopeless = error instanceof Error && error.cause instanceof ConfigError
        if (n >= attemptsMax || (hopeless && n > 1) || !isTaskFailure(error)) {
          if (attempt.outputId !== undefined) outputs.notComputed(request, attempt.outputId, error)
          throw error
        }
        events.emit({ kind: 'task-retried', time: request.time, error })
      }
    }
  }

  async #attempt(request: BatchRequest, traced: boolean, attempt: Attempt): Promise<Results> {
    const { graph, stages, clock } = this.#parts
    const sources = (sourceId: number): BatchNode | undefined => {
      const cuts = request.cuts[sourceId]
      return cuts && leaf(cuts.map((cut) => cut.blocks))
    }
    const plan = graph.plan(request.time, sources, refuseActions)
    const evaluator = new Evaluator({ time: request.time, traced, stages, clock })
    const results: (unknown[][] | undefined)[] = []
    for (const [outputId, node] of plan.outputs.entries()) {
      attempt.outputId = outputId
      results.push(node === undefined ? undefined : await evaluator.run(node))
    }
    attempt.outputId = undefined
    for (const { node, ran } of plan.stateful) if (!ran()) await evaluator.run(node)
    return results
  }

  async #write(
    { batchId, time }: BatchRequest,
    results: Results,
    tally: Tally,
  ): Promise<SinkReceipt[]> {
    const { graph, outputs, pipeline, epoch } = this.#parts
    const batch = { pipeline, batchId, time, epoch, attempt: 0 }
    try {
      return await outputs.write(batch, results, (work) => runTask(graph.graph, tally, work))
    } catch (error) {
      await this.#throwIfFenced()
      throw error
    }
  }

  /** A sink fails in many ways when another process has taken the checkpoint over and writes the
   * same batch: say why. */
  async #throwIfFenced(): Promise<void> {
    const failed = await this.#parts.log?.sync().then(
      () => undefined,
      (error: unknown) => error,
    )
    if (codeOf(failed) === 'FENCED') throw failed
  }

  #planOf({ batchId, time, cuts }: BatchRequest): Parameters<BatchLog['plan']>[0] {
    const { epoch, planHash } = this.#parts
    const sources = cuts.flatMap((ranges, sourceId) =>
      ranges === undefined ? [] : [{ sourceId, ranges: ranges.map((cut) => cut.range) }],
    )
    const partitions = SHUFFLE_PARTITIONS
    return { batchId, time, epoch, sources, partitions, keyGroups: KEY_GROUPS, planHash }
  }
}

function hasRecords(partitions: readonly (readonly unknown[])[] | undefined): boolean {
  return partitions?.some((part) => part.length > 0) ?? false
}

function isTaskFailure(error: unknown): boolean {
  return error instanceof StreamingError && error.code === 'TASK_FAILED'
}

/** The runtime of batches in foreachBatch: actions work there. */
export function actionRuntime(stages: StageCache, clock: Clock): BatchRuntime {
  return {
    run: (node, time = clock.wallMs()) =>
      new Evaluator({ time, traced: false, stages, clock }).run(node),
  }
}

/** Checks that a replay gave what the plan recorded. */
export function checkReplay(
  source: string,
  planned: readonly RangeData['range'][],
  read: readonly RangeData[],
): void {
  for (const range of planned) {
    const data = read.find((candidate) => candidate.range.partition === range.partition)
    const blocks = data?.blocks ?? []
    const records = blocks.reduce((n, block) => n + block.length, 0)
    const crc = blocks.reduce((before, block) => block.crc(before), 0)
    if (records === range.records && crc === range.crc) continue
    throw new StreamingError(
      'SOURCE_REPLAY_DIFFERS',
      `Cannot redo a batch from "${source}", partition "${range.partition}", after ` +
        `${shortened(range.after)} up to ${shortened(range.upTo)}: the log has ` +
        `${range.records} records with checksum ${range.crc}, the source now gives ` +
        `${records} with ${crc}; restore the source, or start with a new checkpoint`,
    )
  }
}

/** A position for a message: that of a source of files may name many. */
function shortened(position: Position): string {
  const text = JSON.stringify(position)
  return text.length <= 300 ? text : `${text.slice(0, 300)}…`
}

/** A stable hash of a text, for plans. */
export function hashText(text: string): string {
  return crc32(text).toString(16).padStart(8, '0')
}
