// The life of one batch: plan, run, sinks, commit (docs/architecture.md).
//
// Always: no sink is written before the plan is durable and the epoch is still ours; committed
// state changes only after all sinks succeeded; a batch that failed has changed nothing.

import { crc32 } from 'node:zlib'
import type { BatchRuntime } from '../batch/batch.ts'
import { type BatchNode, leaf } from '../batch/node.ts'
import { KEY_GROUPS, SHUFFLE_PARTITIONS } from '../batch/partitioner.ts'
import type { BatchLog } from '../checkpoint/log.ts'
import type { Clock } from '../clock.ts'
import { ConfigError, StreamingError } from '../errors.ts'
import type { BatchInfo, EventBus } from '../events.ts'
import { Evaluator } from '../plan/evaluator.ts'
import type { StageCache } from '../plan/stage-cache.ts'
import type { RangeData } from '../receivers/receiver.ts'
import type { SinkBatch, SinkReceipt, SinkWriter } from '../sinks/sink.ts'
import type { BatchGraph } from '../state/batch-graph.ts'
import { sinkError } from './outputs.ts'

/** Points in a batch's life at which a test may let the process die. */
export type LifePoint = 'planned' | 'ran' | 'sinks' | 'committed'

/** Called at each point; whatever it throws ends the run as a death would. */
export type LifeProbe = (point: LifePoint, batchId: number) => Promise<void>

/** What one batch takes from each source; undefined where a source has no batch. */
export type SourceCuts = readonly (readonly RangeData[] | undefined)[]

/** A batch to run. */
export interface BatchRequest {
  readonly batchId: number
  readonly time: number
  readonly cuts: SourceCuts
  /** Planned by an earlier run, and run again with the same ranges. */
  readonly redo: boolean
}

/** What the runner works with. */
export interface RunnerParts {
  readonly pipeline: string
  readonly planHash: string
  readonly epoch: number
  readonly graph: BatchGraph
  readonly log: BatchLog | undefined
  readonly writers: readonly SinkWriter<unknown>[]
  readonly events: EventBus
  readonly clock: Clock
  readonly stages: StageCache
  readonly attemptsMax: number
  readonly probe: LifeProbe | undefined
}

type Results = readonly (readonly (readonly unknown[])[] | undefined)[]

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

  /** Runs a batch to its commit; gives whether it is in the log. */
  async run(request: BatchRequest): Promise<boolean> {
    const { events, log, graph, probe } = this.#parts
    const info = this.#infoOf(request)
    events.emit({ kind: 'batch-started', ...info })
    const hasRanges = request.cuts.some((cuts) => cuts !== undefined && cuts.length > 0)
    let planned = request.redo
    const plan = async (): Promise<void> => {
      planned = true
      await log?.plan(this.#planOf(request))
      events.emit({ kind: 'batch-planned', ...info })
      await probe?.('planned', request.batchId)
    }
    if (hasRanges && !planned) await plan()
    const results = await this.#runWithRetries(request)
    const changes = graph.changes()
    events.emit({ kind: 'batch-ran', ...info })
    const logged = planned || changes !== undefined || results.some(hasRecords)
    if (logged && !planned) await plan()
    await probe?.('ran', request.batchId)
    if (logged) await log?.sync()
    const receipts = await this.#write(request, results)
    events.emit({ kind: 'batch-written', ...info })
    await probe?.('sinks', request.batchId)
    if (logged) await this.#commit(request, receipts, changes)
    graph.merge()
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
  async #runWithRetries(request: BatchRequest): Promise<Results> {
    const { attemptsMax, events } = this.#parts
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#attempt(request, attempt > 0)
      } catch (error) {
        const hopeless = error instanceof Error && error.cause instanceof ConfigError
        const last = attempt + 1 >= attemptsMax || (hopeless && attempt > 0)
        if (last || !isTaskFailure(error)) throw error
        events.emit({ kind: 'task-retried', time: request.time, error })
      }
    }
  }

  async #attempt(request: BatchRequest, traced: boolean): Promise<Results> {
    const { graph, stages, clock } = this.#parts
    const sources = (sourceId: number): BatchNode | undefined => {
      const cuts = request.cuts[sourceId]
      return cuts && leaf(cuts.map((cut) => cut.blocks))
    }
    const plan = graph.plan(request.time, sources, refuseActions)
    const evaluator = new Evaluator({ time: request.time, traced, stages, clock })
    const results: (unknown[][] | undefined)[] = []
    for (const node of plan.outputs) {
      results.push(node === undefined ? undefined : await evaluator.run(node))
    }
    for (const { node, ran } of plan.stateful) if (!ran()) await evaluator.run(node)
    return results
  }

  async #write(request: BatchRequest, results: Results): Promise<SinkReceipt[]> {
    const { graph, writers, pipeline, epoch } = this.#parts
    const { batchId, time } = request
    const receipts: SinkReceipt[] = []
    for (const [i, partitions] of results.entries()) {
      const writer = writers[i]
      const output = graph.graph.outputs[i]
      if (partitions === undefined || writer === undefined || output === undefined) {
        receipts.push({ records: 0, bytes: 0 })
        continue
      }
      const batch: SinkBatch = { pipeline, batchId, time, epoch, attempt: 0 }
      try {
        receipts.push(await writer.write(batch, partitions))
      } catch (cause) {
        throw sinkError(output, batch, cause)
      }
    }
    return receipts
  }

  #planOf({ batchId, time, cuts }: BatchRequest): Parameters<BatchLog['plan']>[0] {
    const { epoch, planHash } = this.#parts
    const sources = cuts.flatMap((ranges, sourceId) =>
      ranges === undefined ? [] : [{ sourceId, ranges: ranges.map((cut) => cut.range) }],
    )
    const partitions = SHUFFLE_PARTITIONS
    return { batchId, time, epoch, sources, partitions, keyGroups: KEY_GROUPS, planHash }
  }

  #infoOf({ batchId, time, cuts, redo }: BatchRequest): BatchInfo {
    const blocks = cuts.flatMap((ranges) => (ranges ?? []).flatMap((cut) => cut.blocks))
    return {
      batchId,
      time,
      epoch: this.#parts.epoch,
      records: blocks.reduce((n, block) => n + block.length, 0),
      bytes: blocks.reduce((n, block) => n + block.bytes, 0),
      redo,
    }
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
    run: (node) => new Evaluator({ time: clock.wallMs(), traced: false, stages, clock }).run(node),
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
