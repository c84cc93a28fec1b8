// The receivers of a run: opened where the log says, cut together, each at its own rate.

import { present } from '../assert.ts'
import type { BatchLog, Recovered } from '../checkpoint/log.ts'
import { type Clock, unlessAborted } from '../clock.ts'
import type { StreamGraph } from '../dstream/graph.ts'
import type { EndedBatchInfo, EventBus, Logger, SourceInfo } from '../events.ts'
import { advance } from '../receivers/positions.ts'
import type { CutLimits, PartitionPositions, SourceRange } from '../receivers/receiver.ts'
import type { BatchSources } from '../workers/executor.ts'
import type { ReceiverHost } from '../workers/receiver-host.ts'
import type { Settings } from './options.ts'
import { RateController } from './rate-controller.ts'
import { PidRateEstimator, type RateEstimator } from './rate-estimator.ts'
import type { ReceiverEvents } from './receiver-events.ts'

/** What receivers are opened with. */
export interface ReceiversParts {
  readonly pipeline: string
  readonly graph: StreamGraph
  readonly settings: Settings
  readonly clock: Clock
  readonly logger: Logger
  readonly events: EventBus
  /** Aborts when the run ends, and when its start is told to stop. */
  readonly signal: AbortSignal
  /** Called when a receiver cannot go on. */
  readonly fail: (error: unknown) => void
  /** Makes the estimator of a source's rate. @default the one of the settings */
  readonly estimatorOf?: (sourceId: number) => RateEstimator | undefined
}

/** How a cut is made. */
interface CutHow {
  /** The rate does not count, since no batch follows that could be late. */
  readonly unhurried: boolean
  readonly arrivedBy?: number
}

/** What a start finds about sources. */
export type SourceRecovery = Pick<Recovered, 'redo' | 'positions'>

/** What a completed batch says about the speed of the run. */
export type BatchSpeed = Pick<
  EndedBatchInfo,
  'sources' | 'processingEndTime' | 'processingDelayMs' | 'schedulingDelayMs'
>

/** All receivers of a run. */
export class Receivers {
  readonly #parts: ReceiversParts
  readonly #host: ReceiverHost
  readonly #rates: readonly RateController[]
  readonly #told: ReceiverEvents

  constructor(parts: ReceiversParts, host: ReceiverHost, told: ReceiverEvents) {
    this.#parts = parts
    this.#host = host
    this.#told = told
    this.#rates = parts.graph.sources.map(({ sourceId }) => this.#rateOf(sourceId))
  }

  /** Opens each source at its position after what the log holds, redone batches included. */
  async start(log: BatchLog | undefined, recovered: SourceRecovery): Promise<void> {
    const { signal } = this.#parts
    for (const { sourceId } of this.#parts.graph.sources) {
      const known = recovered.positions.get(sourceId) ?? []
      const from = advance(known, redoRanges(recovered, sourceId))
      const positions = await unlessAborted(this.#host.start(sourceId, from), signal)
      const forgotten = missingIn(positions, from)
      if (log === undefined || !isNew(positions, from, forgotten)) continue
      await log.resolved(sourceId, positions, forgotten)
    }
  }

  /** Begins to read. */
  run(): void {
    this.#rates.forEach(({ recordsPerSecond }, sourceId) => {
      if (Number.isFinite(recordsPerSecond)) this.#host.setRate(sourceId, recordsPerSecond)
    })
    this.#tellEach('receiver-started')
    this.#host.run()
  }

  /** Takes what has arrived: at most `batchBytesMax` of each source, and what its rate allows. */
  cut(batchId: number, { unhurried, ...arrived }: CutHow): Promise<BatchSources> {
    const { batchBytesMax: bytesMax, batchIntervalMs } = this.#parts.settings
    const limits = this.#rates.map((rate): CutLimits => {
      const recordsMax = unhurried ? Number.POSITIVE_INFINITY : rate.recordsMax(batchIntervalMs)
      return { bytesMax, recordsMax, ...arrived }
    })
    return this.#host.cut(batchId, limits)
  }

  /** Reads the ranges of a planned batch again; `check` compares them with the plan. What a source
   * that cannot be replayed gave is lost, and told. */
  async replay(
    plan: Recovered['redo'][number],
    check: (source: string, planned: readonly SourceRange[], read: BatchSources[number]) => void,
  ): Promise<BatchSources> {
    const reading = this.#host.replay(plan.batchId, plan.sources)
    const read = await unlessAborted(reading, this.#parts.signal)
    for (const { sourceId, ranges } of plan.sources) {
      const source = present(this.#parts.graph.sources[sourceId], 'a planned source').source
      if (source.replayable) check(source.name, ranges, read[sourceId])
      else this.#tellLost(source.name, plan.batchId, ranges)
    }
    return read
  }

  #tellLost(name: string, batchId: number, ranges: readonly SourceRange[]): void {
    const records = ranges.reduce((n, range) => n + range.records, 0)
    if (records === 0) return
    const counted = { kind: 'source-counted', name: 'records-lost', source: name } as const
    this.#parts.events.emit({ ...counted, by: records })
    this.#parts.logger.warn(
      { source: name, batchId, records },
      'Records of a batch that was not committed are lost: their source keeps none',
    )
  }

  /** The records and bytes of each source in a batch. */
  infoOf(sources: BatchSources): SourceInfo[] {
    return this.#parts.graph.sources.map(({ sourceId, source }) => {
      const parts = sources[sourceId] ?? []
      const records = parts.reduce((n, { range }) => n + range.records, 0)
      const bytes = parts.reduce((n, part) => n + part.bytes, 0)
      return { sourceId, name: source.name, records, bytes }
    })
  }

  /** Adapts the rate of each source to a completed batch. */
  batchCompleted(batch: BatchSpeed): void {
    const { processingDelayMs, schedulingDelayMs, processingEndTime: endTime } = batch
    for (const { sourceId, source } of this.#parts.graph.sources) {
      const rate = present(this.#rates[sourceId], 'the rate of a source')
      const records = batch.sources[sourceId]?.records ?? 0
      const figures = { endTime, records, processingDelayMs, schedulingDelayMs }
      if (!rate.batchCompleted(figures)) continue
      const { recordsPerSecond } = rate
      this.#host.setRate(sourceId, recordsPerSecond)
      const event = { kind: 'rate-updated', sourceId, name: source.name } as const
      this.#parts.events.emit({ ...event, recordsPerSecond })
    }
  }

  /** True if each has what had arrived before the start: it may wait in a buffer. */
  get caughtUp(): boolean {
    return this.#host.status().caughtUp
  }

  get bufferedBytes(): number {
    return this.#host.status().bufferedBytes
  }

  /** The largest lag of those that know theirs. */
  get lagMs(): number | undefined {
    return this.#host.status().lagMs
  }

  /** Stops reading; what was received waits in the buffers. */
  async stop(): Promise<void> {
    await this.#host.stop()
    this.#tellEach('receiver-stopped')
  }

  /** Lets go of what holds the receivers; after `stop`. */
  close(): Promise<void> {
    return this.#host.close()
  }

  #tellEach(kind: 'receiver-started' | 'receiver-stopped'): void {
    for (const { sourceId } of this.#parts.graph.sources) this.#told.tell(sourceId, { kind })
  }

  #rateOf(sourceId: number): RateController {
    const { rateMax, initialRate, pid } = this.#parts.settings.rate
    const { estimatorOf = () => (pid === undefined ? undefined : new PidRateEstimator(pid)) } =
      this.#parts
    return new RateController({ estimator: estimatorOf(sourceId), initialRate, rateMax })
  }
}

function redoRanges(recovered: SourceRecovery, sourceId: number): SourceRange[] {
  return recovered.redo.flatMap((plan) =>
    plan.sources.flatMap((source) => (source.sourceId === sourceId ? source.ranges : [])),
  )
}

/** The partitions of `from` that the receiver does not know any more. */
function missingIn(positions: PartitionPositions, from: PartitionPositions): string[] {
  const given = new Set(positions.map(({ partition }) => partition))
  return from.flatMap(({ partition }) => (given.has(partition) ? [] : [partition]))
}

function isNew(
  positions: PartitionPositions,
  from: PartitionPositions,
  forgotten: readonly string[],
): boolean {
  if (forgotten.length > 0) return true
  const known = new Map(from.map((one) => [one.partition, JSON.stringify(one.position)]))
  return positions.some((one) => known.get(one.partition) !== JSON.stringify(one.position))
}
