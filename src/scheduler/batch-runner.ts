// The life of one batch: plan, run, sinks, commit (docs/architecture.md).
//
// Always: no sink is written before the plan is durable and the epoch is still ours; committed
// state changes only after all sinks succeeded; a batch that failed has changed nothing.

import { crc32 } from 'node:zlib'
import type { BatchRuntime } from '../batch/batch.ts'
import { KEY_GROUPS, SHUFFLE_PARTITIONS } from '../batch/partitioner.ts'
import { recordsOf } from '../batch/record-columns.ts'
import type { BatchLog } from '../checkpoint/log.ts'
import type { Clock } from '../clock.ts'
import type { Output } from '../dstream/graph.ts'
import { ConfigError, StreamingError } from '../errors.ts'
import type { BatchInfo, EventBus } from '../events.ts'
import { Evaluator } from '../plan/evaluator.ts'
import type { StageCache } from '../plan/stage-cache.ts'
import type { SourceRange } from '../receivers/receiver.ts'
import type { SinkBatch, SinkReceipt, SinkWriter } from '../sinks/sink.ts'
import type {
  BatchInput,
  BatchSources,
  Executor,
  OutputPartitions,
  Ran,
} from '../workers/executor.ts'
import { sinkError } from './outputs.ts'

/** Points in a batch's life at which a test may let the process die. */
export type LifePoint = 'planned' | 'ran' | 'sinks' | 'committed'

/** Called at each point; whatever it throws ends the run as a death would. */
export type LifeProbe = (point: LifePoint, batchId: number) => Promise<void>

/** A batch to run. */
export interface BatchRequest extends BatchInput {
  /** Planned by an earlier run, and run again with the same ranges. */
  readonly redo: boolean
}

/** What the runner works with. */
export interface RunnerParts {
  readonly pipeline: string
  readonly planHash: string
  readonly epoch: number
  readonly outputs: readonly Output[]
  readonly executor: Executor
  readonly log: BatchLog | undefined
  readonly writers: readonly SinkWriter<unknown>[]
  readonly events: EventBus
  readonly attemptsMax: number
  readonly probe: LifeProbe | undefined
}

/** Runs batches one after the other. */
export class BatchRunner {
  readonly #parts: RunnerParts

  constructor(parts: RunnerParts) {
    this.#parts = parts
  }

  /** Runs a batch to its commit; gives whether it is in the log. */
  async run(request: BatchRequest): Promise<boolean> {
    const { events, log, executor, probe } = this.#parts
    const info = this.#infoOf(request)
    events.emit({ kind: 'batch-started', ...info })
    const hasRanges = request.sources.some((parts) => parts !== undefined && parts.length > 0)
    let planned = request.redo
    const plan = async (): Promise<void> => {
      planned = true
      await log?.plan(this.#planOf(request))
      events.emit({ kind: 'batch-planned', ...info })
      await probe?.('planned', request.batchId)
    }
    if (hasRanges && !planned) await plan()
    const { outputs, changes } = await this.#runWithRetries(request)
    events.emit({ kind: 'batch-ran', ...info })
    const logged = planned || changes !== undefined || outputs.some(hasRecords)
    if (logged && !planned) await plan()
    await probe?.('ran', request.batchId)
    if (logged) await log?.sync()
    const receipts = await this.#write(request, outputs)
    events.emit({ kind: 'batch-written', ...info })
    await probe?.('sinks', request.batchId)
    if (logged) await this.#commit(request, receipts, changes)
    executor.merge()
    await probe?.('committed', request.batchId)
    return logged
  }

  async #commit(
    { batchId, time }: BatchRequest,
    receipts: SinkReceipt[],
    changes: Uint8Array | undefined,
  ): Promise<void> {
    await this.#parts.log?.commit({
      batchId,
      time,
      receipts,
      changes: changes ?? new Uint8Array(0),
    })
  }

  /** The first attempt runs generated loops; later ones are interpreted, so that the error names
   * its operator. */
  async #runWithRetries(request: BatchRequest): Promise<Ran> {
    const { attemptsMax, events, executor } = this.#parts
    for (let attempt = 0; ; attempt++) {
      try {
        return await executor.run(request, attempt > 0)
      } catch (error) {
        const hopeless = error instanceof Error && error.cause instanceof ConfigError
        const last = attempt + 1 >= attemptsMax || (hopeless && attempt > 0)
        if (last || !isTaskFailure(error)) throw error
        events.emit({ kind: 'task-retried', time: request.time, error })
      }
    }
  }

  async #write(request: BatchRequest, results: Ran['outputs']): Promise<SinkReceipt[]> {
    const { outputs, writers, pipeline, epoch } = this.#parts
    const { batchId, time } = request
    const receipts: SinkReceipt[] = []
    for (const [i, partitions] of results.entries()) {
      const writer = writers[i]
      const output = outputs[i]
      if (partitions === undefined || writer === undefined || output === undefined) {
        receipts.push({ records: 0, bytes: 0 })
        continue
      }
      const batch: SinkBatch = { pipeline, batchId, time, epoch, attempt: 0 }
      try {
        receipts.push(
          await writer.write(
            batch,
            partitions.map((records) => recordsOf([records])),
          ),
        )
      } catch (cause) {
        throw sinkError(output, batch, cause)
      }
    }
    return receipts
  }

  #planOf({ batchId, time, sources }: BatchRequest): Parameters<BatchLog['plan']>[0] {
    const { epoch, planHash } = this.#parts
    const planned = sources.flatMap((parts, sourceId) =>
      parts === undefined ? [] : [{ sourceId, ranges: parts.map(({ range }) => range) }],
    )
    const partitions = SHUFFLE_PARTITIONS
    return { batchId, time, epoch, sources: planned, partitions, keyGroups: KEY_GROUPS, planHash }
  }

  #infoOf({ batchId, time, sources, redo }: BatchRequest): BatchInfo {
    const parts = sources.flatMap((of) => of ?? [])
    return {
      batchId,
      time,
      epoch: this.#parts.epoch,
      records: parts.reduce((n, { range }) => n + range.records, 0),
      bytes: parts.reduce((n, { bytes }) => n + bytes, 0),
      redo,
    }
  }
}

function hasRecords(partitions: OutputPartitions | undefined): boolean {
  return partitions?.some((part) => part.length > 0) ?? false
}

function isTaskFailure(error: unknown): boolean {
  return error instanceof StreamingError && error.code === 'TASK_FAILED'
}

/** The runtime of batches in foreachBatch: actions work there. */
export function actionRuntime(stages: StageCache, clock: Clock): BatchRuntime {
  return {
    run: (node) =>
      new Evaluator({ time: clock.wallMs(), traced: false, stages, clock }).records(node),
  }
}

/** Checks that a replay gave what the plan recorded. */
export function checkReplay(
  source: string,
  planned: readonly SourceRange[],
  read: BatchSources[number],
): void {
  for (const range of planned) {
    const data = read?.find((candidate) => candidate.range.partition === range.partition)
    const { records, crc } = data?.range ?? { records: 0, crc: 0 }
    if (records === range.records && crc === range.crc) continue
    throw new StreamingError(
      'SOURCE_REPLAY_DIFFERS',
      `Cannot redo a batch from "${source}", partition "${range.partition}", after ` +
        `${JSON.stringify(range.after)} up to ${JSON.stringify(range.upTo)}: the log has ` +
        `${range.records} records with checksum ${range.crc}, the source now gives ` +
        `${records} with ` +
        `${crc}; restore the source, or start with a new checkpoint`,
    )
  }
}

/** A stable hash of a text, for plans. */
export function hashText(text: string): string {
  return crc32(text).toString(16).padStart(8, '0')
}
