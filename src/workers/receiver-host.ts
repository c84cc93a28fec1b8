// Whoever keeps the receivers of a run: this thread, or an I/O thread of its own.

import type {
  CutLimits,
  PartitionPositions,
  RangeData,
  Receiver,
  ReceiverContext,
  Source,
  SourceRange,
} from '../receivers/receiver.ts'
import type { BatchSources, SourcePart } from './executor.ts'

/** Ranges that a batch took of a source. */
export interface PlannedSource {
  readonly sourceId: number
  readonly ranges: readonly SourceRange[]
}

/** How far the receivers are. */
export interface ReceiverStatus {
  /** True if every receiver has what had arrived before the start. */
  readonly caughtUp: boolean
  /** Bytes that wait in the receivers. */
  readonly bufferedBytes: number
  /** The largest lag of the receivers that know theirs. */
  readonly lagMs: number | undefined
}

/** Opens receivers and cuts batches. The contract of `Receiver` holds for all of them together. */
export interface ReceiverHost {
  /** Opens receiver `sourceId` and asks it what there is. */
  start(sourceId: number, from: PartitionPositions): Promise<PartitionPositions>
  /** Begins to read. */
  run(): void
  /** Takes what has arrived, from each source within its limits. */
  cut(batchId: number, limits: readonly CutLimits[]): Promise<BatchSources>
  /** Reads the ranges of a planned batch again. */
  replay(batchId: number, planned: readonly PlannedSource[]): Promise<BatchSources>
  /** Sends the records of batch `from`, and of a later one that was cut, to a worker that begins
   * anew. What is read again is compared with what the batch had. */
  resend(from: number, worker: number): Promise<void>
  /** Lets a source give at most so many records a second, where its receiver can slow down. */
  setRate(sourceId: number, recordsPerSecond: number): void
  status(): ReceiverStatus
  /** Stops reading; what was received waits to be cut. */
  stop(): Promise<void>
  /** Lets go of what the host itself holds; `stop` comes first. */
  close(): Promise<void>
}

/** Makes the context of a receiver. */
export type ContextOf = (sourceId: number) => ReceiverContext

/** Keeps the receivers in this thread. */
export class InlineReceiverHost implements ReceiverHost {
  readonly #sources: readonly Source<unknown>[]
  readonly #contextOf: ContextOf
  readonly #receivers: Receiver[] = []

  constructor(sources: readonly Source<unknown>[], contextOf: ContextOf) {
    this.#sources = sources
    this.#contextOf = contextOf
  }

  start(sourceId: number, from: PartitionPositions): Promise<PartitionPositions> {
    const source = this.#sources[sourceId]
    if (source === undefined) throw new Error(`millrace bug: there is no source ${sourceId}`)
    const receiver = source.open(this.#contextOf(sourceId))
    this.#receivers[sourceId] = receiver
    return receiver.start(from)
  }

  run(): void {
    for (const receiver of this.#receivers) receiver.run()
  }

  async cut(_batchId: number, limits: readonly CutLimits[]): Promise<BatchSources> {
    const own = this.#receivers.map((receiver, sourceId) =>
      this.#limitsOf(receiver, sourceId, limits[sourceId] as CutLimits),
    )
    await Promise.all(
      this.#receivers.map(async (receiver, i) => receiver.prepare?.(own[i] as CutLimits)),
    )
    return this.#receivers.map((receiver, i) => receiver.cut(own[i] as CutLimits)?.map(partOf))
  }

  async replay(_batchId: number, planned: readonly PlannedSource[]): Promise<BatchSources> {
    const sources: (SourcePart[] | undefined)[] = this.#receivers.map(() => undefined)
    for (const { sourceId, ranges } of planned) {
      const data = await this.#receivers[sourceId]?.replay(ranges)
      sources[sourceId] = data?.map(partOf).map(asRead)
    }
    return sources
  }

  resend(): Promise<void> {
    return Promise.resolve()
  }

  setRate(sourceId: number, recordsPerSecond: number): void {
    this.#receivers[sourceId]?.setRate?.(recordsPerSecond)
  }

  status(): ReceiverStatus {
    const lags = this.#receivers.flatMap((receiver) => receiver.lagMs() ?? [])
    return {
      caughtUp: this.#receivers.every((receiver) => receiver.caughtUp()),
      bufferedBytes: this.#receivers.reduce((n, receiver) => n + receiver.bufferedBytes(), 0),
      lagMs: lags.length === 0 ? undefined : Math.max(...lags),
    }
  }

  /** A receiver that slows its source down is not limited a second time. */
  #limitsOf(receiver: Receiver, sourceId: number, limits: CutLimits): CutLimits {
    const limitedItself = !this.#sources[sourceId]?.replayable && receiver.setRate !== undefined
    return limitedItself ? { ...limits, recordsMax: Number.POSITIVE_INFINITY } : limits
  }

  async stop(): Promise<void> {
    await Promise.all(this.#receivers.map((receiver) => receiver.stop()))
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

function partOf({ range, blocks }: RangeData): SourcePart {
  const bytes = blocks.reduce((n, block) => n + block.bytes, 0)
  return { range, blocks, bytes, owner: 0 }
}

/** A part of a replay, with the count and the checksum of what was read now. */
function asRead(part: SourcePart): SourcePart {
  const records = part.blocks.reduce((n, block) => n + block.length, 0)
  const crc = part.blocks.reduce((before, block) => block.crc(before), 0)
  return { ...part, range: { ...part.range, records, crc } }
}
