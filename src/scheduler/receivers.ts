// The receivers of a run: opened where the log says, cut together, each at its own rate.

import { assert } from '../assert.ts'
import type { BatchLog, Recovered } from '../checkpoint/log.ts'
import type { Clock } from '../clock.ts'
import type { StreamGraph } from '../dstream/graph.ts'
import type { EndedBatchInfo, EventBus, Logger, SourceInfo } from '../events.ts'
import { advance } from '../receivers/positions.ts'
import type {
  CutLimits,
  PartitionPositions,
  RangeData,
  Receiver,
  ReceiverNews,
  Source,
  SourceRange,
} from '../receivers/receiver.ts'
import type { Settings } from './options.ts'
import { RateController } from './rate-controller.ts'
import { PidRateEstimator, type RateEstimator } from './rate-estimator.ts'

/** What one batch takes from each source; undefined where a source has no batch. */
export type SourceCuts = readonly (readonly RangeData[] | undefined)[]

/** What receivers are opened with. */
export interface ReceiversParts {
  readonly pipeline: string
  readonly graph: StreamGraph
  readonly settings: Settings
  readonly clock: Clock
  readonly logger: Logger
  readonly events: EventBus
  /** Aborts when the run ends. */
  readonly signal: AbortSignal
  /** Called when a receiver cannot go on. */
  readonly fail: (error: unknown) => void
  /** Makes the estimator of a source's rate. @default the one of the settings */
  readonly estimatorOf?: (sourceId: number) => RateEstimator | undefined
}

interface OpenReceiver {
  readonly sourceId: number
  readonly source: Source<unknown>
  readonly receiver: Receiver
  readonly rate: RateController
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
  readonly #open: OpenReceiver[] = []
  readonly #running = new Set<number>()

  constructor(parts: ReceiversParts) {
    this.#parts = parts
  }

  /** Opens each source at its position after what the log holds, redone batches included. */
  async start(log: BatchLog | undefined, recovered: SourceRecovery): Promise<void> {
    for (const { source, sourceId } of this.#parts.graph.sources) {
      const receiver = this.#openOne(source, sourceId)
      const known = recovered.positions.get(sourceId) ?? []
      const from = advance(known, redoRanges(recovered, sourceId))
      const positions = await receiver.start(from)
      if (log !== undefined && isNew(positions, from)) await log.resolved(sourceId, positions)
    }
  }

  /** Begins to read. */
  run(): void {
    for (const { sourceId, source, receiver, rate } of this.#open) {
      if (Number.isFinite(rate.recordsPerSecond)) receiver.setRate?.(rate.recordsPerSecond)
      this.#tell({ sourceId, name: source.name }, { kind: 'receiver-started' })
      receiver.run()
    }
  }

  /** Takes what has arrived: at most `batchBytesMax` of each source, and what its rate allows.
   * `unhurried`: the rate does not count, since no batch follows that could be late. */
  async cut(how: {
    readonly unhurried: boolean
    readonly arrivedBy?: number
  }): Promise<SourceCuts> {
    const limits = this.#open.map((open) => this.#limitsOf(open, how))
    await Promise.all(
      this.#open.map(async ({ receiver }, i) => receiver.prepare?.(limits[i] as CutLimits)),
    )
    return this.#open.map(({ receiver }, i) => receiver.cut(limits[i] as CutLimits))
  }

  #limitsOf(
    { source, receiver, rate }: OpenReceiver,
    { unhurried, ...arrived }: { readonly unhurried: boolean; readonly arrivedBy?: number },
  ): CutLimits {
    const { batchBytesMax: bytesMax, batchIntervalMs } = this.#parts.settings
    const limitedItself = !source.replayable && receiver.setRate !== undefined
    const unlimited = unhurried || limitedItself
    const recordsMax = unlimited ? Number.POSITIVE_INFINITY : rate.recordsMax(batchIntervalMs)
    return { bytesMax, recordsMax, ...arrived }
  }

  /** Reads the ranges of a planned batch again; `check` compares them with the plan. What a source
   * that cannot be replayed gave is lost, and told. */
  async replay(
    plan: Recovered['redo'][number],
    check: (source: string, planned: readonly SourceRange[], read: readonly RangeData[]) => void,
  ): Promise<SourceCuts> {
    const cuts: (readonly RangeData[] | undefined)[] = this.#open.map(() => undefined)
    for (const { sourceId, ranges } of plan.sources) {
      const open = this.#open[sourceId]
      assert(open !== undefined, 'the plan agrees on the sources')
      const data = await open.receiver.replay(ranges)
      if (open.source.replayable) check(open.source.name, ranges, data)
      else this.#tellLost(open.source.name, plan.batchId, ranges)
      cuts[sourceId] = data
    }
    return cuts
  }

  #tellLost(name: string, batchId: number, ranges: readonly SourceRange[]): void {
    const records = ranges.reduce((n, range) => n + range.records, 0)
    if (records === 0) return
    this.#parts.events.emit({ kind: 'source-counted', name: 'records-lost', by: records })
    this.#parts.logger.warn(
      { source: name, batchId, records },
      'Records of a batch that was not committed are lost: their source keeps none',
    )
  }

  /** The records and bytes of each source in a batch. */
  infoOf(cuts: SourceCuts): SourceInfo[] {
    return this.#open.map(({ sourceId, source }) => {
      const blocks = (cuts[sourceId] ?? []).flatMap((cut) => cut.blocks)
      const records = blocks.reduce((n, block) => n + block.length, 0)
      const bytes = blocks.reduce((n, block) => n + block.bytes, 0)
      return { sourceId, name: source.name, records, bytes }
    })
  }

  /** Adapts the rate of each source to a completed batch. */
  batchCompleted(batch: BatchSpeed): void {
    const { processingDelayMs, schedulingDelayMs, processingEndTime: endTime } = batch
    for (const { sourceId, source, receiver, rate } of this.#open) {
      const records = batch.sources[sourceId]?.records ?? 0
      const figures = { endTime, records, processingDelayMs, schedulingDelayMs }
      if (!rate.batchCompleted(figures)) continue
      const { recordsPerSecond } = rate
      receiver.setRate?.(recordsPerSecond)
      const event = { kind: 'rate-updated', sourceId, name: source.name } as const
      this.#parts.events.emit({ ...event, recordsPerSecond })
    }
  }

  get caughtUp(): boolean {
    return this.#open.every(({ receiver }) => receiver.caughtUp() && receiver.bufferedBytes() === 0)
  }

  get bufferedBytes(): number {
    return this.#open.reduce((n, { receiver }) => n + receiver.bufferedBytes(), 0)
  }

  /** The largest lag of those that know theirs. */
  get lagMs(): number | undefined {
    const lags = this.#open.flatMap(({ receiver }) => receiver.lagMs() ?? [])
    return lags.length === 0 ? undefined : Math.max(...lags)
  }

  /** Stops reading; what was received waits in the buffers. */
  async stop(): Promise<void> {
    const stopOne = async ({ sourceId, source, receiver }: OpenReceiver): Promise<void> => {
      await receiver.stop()
      this.#tell({ sourceId, name: source.name }, { kind: 'receiver-stopped' })
    }
    await Promise.all(this.#open.map(stopOne))
  }

  /** Emits the event, but no stop of a receiver that is stopped already. */
  #tell(receiver: { readonly sourceId: number; readonly name: string }, news: ReceiverNews): void {
    const { sourceId } = receiver
    if (news.kind === 'receiver-started') this.#running.add(sourceId)
    if (news.kind === 'receiver-stopped' && !this.#running.delete(sourceId)) return
    this.#parts.events.emit({ ...news, ...receiver })
  }

  #openOne(source: Source<unknown>, sourceId: number): Receiver {
    const { pipeline, clock, logger, signal, settings, events, fail } = this.#parts
    const { name } = source
    const receiverError = (message: string, error: unknown): void =>
      events.emit({ kind: 'receiver-error', sourceId, name, message, error })
    const receiver = source.open({
      pipeline,
      sourceId,
      clock,
      logger,
      signal,
      bufferBytesMax: settings.bufferBytesMax,
      fail: (error) => {
        receiverError('The receiver cannot go on', error)
        fail(error)
      },
      reportError: (message, error) => {
        logger.warn({ err: error, source: name }, message)
        receiverError(message, error)
      },
      tell: (news) => this.#tell({ sourceId, name }, news),
      count: (counted, by = 1) => events.emit({ kind: 'source-counted', name: counted, by }),
    })
    this.#open.push({ sourceId, source, receiver, rate: this.#rateOf(sourceId) })
    return receiver
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

function isNew(positions: PartitionPositions, from: PartitionPositions): boolean {
  const known = new Set(from.map(({ partition }) => partition))
  return positions.some(({ partition }) => !known.has(partition))
}
