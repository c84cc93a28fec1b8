// The life of one batch: plan, run, sinks, commit (docs/architecture.md).
//
// Always: no sink is written before the plan is durable and the epoch is still ours; committed
// state changes only after all sinks succeeded; a batch that failed has changed nothing.

import { crc32 } from 'node:zlib'
import type { BatchRuntime } from '../batch/batch-base.ts'
import { KEY_GROUPS, SHUFFLE_PARTITIONS } from '../batch/partitioner.ts'
import type { BatchLog } from '../checkpoint/log.ts'
import type { Clock } from '../clock.ts'
import type { StreamGraph } from '../dstream/graph.ts'
import { ConfigError, codeOf, StreamingError, TaskError } from '../errors.ts'
import type { BatchInfo, EventBus } from '../events.ts'
import { Evaluator } from '../plan/evaluator.ts'
import type { StageCache } from '../plan/stage-cache.ts'
import type { SinkBatch, SinkReceipt } from '../sinks/sink.ts'
import { runTask, Tally } from '../task-scope.ts'
import { AttemptFailure } from '../workers/attempt-failure.ts'
import type { BatchInput, Executor, OutputPartitions, Ran } from '../workers/executor.ts'
import type { OutputOperations, Staged } from './output-operations.ts'

/** Points in a batch's life at which a test may let the process die. 'staged' comes only where
 * tasks write: they have, and nothing is committed to a sink. */
export type LifePoint = 'planned' | 'ran' | 'staged' | 'sinks' | 'committed'

/** Called at each point; whatever it throws ends the run as a death would. */
export type LifeProbe = (point: LifePoint, batchId: number) => Promise<void>

/** A batch to run. */
export interface BatchRequest extends BatchInput {
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
  readonly graph: StreamGraph
  readonly executor: Executor
  readonly log: BatchLog | undefined
  readonly outputs: OutputOperations
  readonly events: EventBus
  readonly attemptsMax: number
  readonly probe: LifeProbe | undefined
  /** Aborts when nothing of a batch may be done any more. */
  readonly givenUp: AbortSignal
}

/** A batch that ran: its results wait to be written. */
export interface RanBatch {
  readonly request: BatchRequest
  readonly info: BatchInfo
  readonly ran: Ran
  /** Which attempt it is that ran, from 0. */
  readonly attempt: number
  /** True if its plan is in the log. */
  readonly planned: boolean
  /** What tasks have written, by output. */
  readonly staged: readonly (Staged | undefined)[]
}

/** Takes batches through their life, in three steps: the last of one may go on while the first of
 * the next one does. */
export class BatchRunner {
  readonly #parts: RunnerParts

  constructor(parts: RunnerParts) {
    this.#parts = parts
  }

  /** Plans and runs a batch. */
  async run(request: BatchRequest, info: BatchInfo): Promise<RanBatch> {
    const { events, log, outputs, probe } = this.#parts
    const hasRanges = request.sources.some((parts) => parts !== undefined && parts.length > 0)
    let planned = request.redo
    if (hasRanges && !planned) {
      await this.#plan(request, info)
      planned = true
    }
    const { ran, attempt } = await this.#runWithRetries(request, 0)
    events.emit({ kind: 'batch-ran', ...info })
    const changed =
      ran.changes !== undefined || ran.added.length > 0 || ran.outputs.some(hasRecords)
    // Whoever keeps batches by their ids must not be given this one again with other records.
    const isTold = log !== undefined && outputs.tellsOf(ran.outputs)
    if ((changed || isTold) && !planned) {
      await this.#plan(request, info)
      planned = true
    }
    await probe?.('ran', request.batchId)
    return { request, info, ran, attempt, planned, staged: [] }
  }

  /** Lets tasks write a batch that ran, once its plan is durable. If a worker dies with records,
   * the batch is run again. */
  async stage(batch: RanBatch): Promise<RanBatch> {
    const { attemptsMax, events, log, outputs, probe } = this.#parts
    const { request, planned } = batch
    let { ran, attempt } = batch
    while (outputs.hasTasks(ran.outputs)) {
      if (planned) await log?.planDurable(request.batchId)
      try {
        const staged = await outputs.stage(this.#nameOf(request, attempt), ran.outputs)
        await probe?.('staged', request.batchId)
        return { ...batch, ran, attempt, staged }
      } catch (error) {
        if (attempt + 1 >= attemptsMax || !mayBeRetried(error)) throw error
        events.emit({ kind: 'task-retried', time: request.time, error })
        const again = await this.#runWithRetries(request, attempt + 1)
        ran = again.ran
        attempt = again.attempt
      }
    }
    return { ...batch, ran, attempt }
  }

  /** Writes a batch that ran to the sinks and commits it. */
  async finish(batch: RanBatch): Promise<BatchOutcome> {
    const { events, givenUp, log, probe } = this.#parts
    const { request, info, ran } = batch
    let { planned } = batch
    const tally = new Tally()
    for (const [name, n] of ran.added) tally.add(name, n)
    if (planned) await log?.planDurable(request.batchId)
    const receipts = await this.#write(batch, tally)
    events.emit({ kind: 'batch-written', ...info })
    await probe?.('sinks', request.batchId)
    givenUp.throwIfAborted()
    if (!tally.isEmpty && !planned) {
      await this.#plan(request, info)
      planned = true
    }
    if (planned) await this.#commit(request, receipts, ran.changes, tally)
    return { logged: planned, tally }
  }

  async #plan(request: BatchRequest, info: BatchInfo): Promise<void> {
    await this.#parts.log?.plan(this.#planOf(request))
    this.#parts.events.emit({ kind: 'batch-planned', ...info })
    await this.#parts.probe?.('planned', request.batchId)
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
    first: number,
  ): Promise<Pick<RanBatch, 'ran' | 'attempt'>> {
    const { attemptsMax, events, executor, givenUp, outputs } = this.#parts
    for (let n = first + 1; ; n++) {
      givenUp.throwIfAborted()
      try {
        const ran = await executor.run(request, n > 1)
        givenUp.throwIfAborted()
        this.#tellRetries(request, ran)
        return { ran, attempt: n - 1 }
      } catch (thrown) {
        const failure =
          thrown instanceof AttemptFailure
            ? thrown
            : new AttemptFailure(undefined, { cause: thrown })
        this.#tellRetries(request, failure)
        const { outputId, cause: error } = failure
        if (n >= attemptsMax || (n > 1 && isHopeless(error)) || !mayBeRetried(error)) {
          if (outputId !== undefined) outputs.notComputed(request, outputId, error)
          throw error
        }
        events.emit({ kind: 'task-retried', time: request.time, error })
      }
    }
  }

  #tellRetries({ time }: BatchRequest, { retriedCalls: calls }: Pick<Ran, 'retriedCalls'>): void {
    if (calls > 0) this.#parts.events.emit({ kind: 'calls-retried', time, calls })
  }

  #nameOf({ batchId, time }: BatchRequest, attempt: number): SinkBatch {
    const { pipeline, epoch } = this.#parts
    return { pipeline, batchId, time, epoch, attempt }
  }

  async #write({ request, ran, attempt, staged }: RanBatch, tally: Tally): Promise<SinkReceipt[]> {
    const { graph, outputs } = this.#parts
    const batch = this.#nameOf(request, attempt)
    try {
      const inTask = (work: () => Promise<SinkReceipt>) => runTask(graph, tally, work)
      return await outputs.write(batch, ran.outputs, staged, inTask)
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

  #planOf({ batchId, time, sources }: BatchRequest): Parameters<BatchLog['plan']>[0] {
    const { epoch, planHash } = this.#parts
    const planned = sources.flatMap((parts, sourceId) =>
      parts === undefined ? [] : [{ sourceId, ranges: parts.map(({ range }) => range) }],
    )
    const partitions = SHUFFLE_PARTITIONS
    return { batchId, time, epoch, sources: planned, partitions, keyGroups: KEY_GROUPS, planHash }
  }
}

function hasRecords(partitions: OutputPartitions | undefined): boolean {
  return partitions?.some((part) => part.length > 0) ?? false
}

/** A closure that threw may not do so again; a worker that died has a successor. */
function mayBeRetried(error: unknown): boolean {
  if (error instanceof TaskError) return true
  return error instanceof StreamingError && error.code === 'WORKER_DIED' && error.retryable
}

/** True for what fails again however often it is tried: the second attempt tells where it was. */
function isHopeless(error: unknown): boolean {
  if (!(error instanceof TaskError)) return false
  return error.code === 'KEY_NOT_COMPARABLE' || error.cause instanceof ConfigError
}

/** The runtime of batches in foreachBatch: actions work there. */
export function actionRuntime(stages: StageCache, clock: Clock): BatchRuntime {
  return {
    run: (node, time = clock.wallMs()) =>
      new Evaluator({ time, traced: false, stages, clock }).records(node),
  }
}

/** A stable hash of a text, for plans. */
export function hashText(text: string): string {
  return crc32(text).toString(16).padStart(8, '0')
}
