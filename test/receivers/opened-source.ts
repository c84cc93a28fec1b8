// A source opened as the engine opens it, without an engine: tests cut it by hand.

import type {
  PartitionPositions,
  RangeData,
  Receiver,
  ReceiverNews,
  Source,
  SourceRange,
} from 'millrace'
import { type ManualClock, quietLogger } from 'millrace/testing'

const started: OpenedSource[] = []

/** What a source did, and the means to drive it. */
export class OpenedSource {
  readonly clock: ManualClock
  readonly receiver: Receiver
  readonly failures: unknown[] = []
  readonly counts = new Map<string, number>()
  readonly errors: string[] = []
  readonly news: ReceiverNews[] = []
  /** Positions that `start` gave, and after each cut. */
  #positions: PartitionPositions = []
  readonly #aborted = new AbortController()

  constructor(source: Source<unknown>, clock: ManualClock, bufferBytesMax = 1_048_576) {
    this.clock = clock
    this.receiver = source.open({
      pipeline: 'test',
      sourceId: 0,
      clock,
      logger: quietLogger,
      signal: this.#aborted.signal,
      bufferBytesMax,
      fail: (error) => this.failures.push(error),
      reportError: (message) => this.errors.push(message),
      tell: (news) => this.news.push(news),
      count: (name, by = 1) => this.counts.set(name, (this.counts.get(name) ?? 0) + by),
    })
  }

  /** Stops every source that was started since the last call. */
  static async stopAll(): Promise<void> {
    await Promise.all(started.splice(0).map(({ receiver }) => receiver.stop()))
  }

  static async start(
    source: Source<unknown>,
    options: {
      readonly clock: ManualClock
      readonly from?: PartitionPositions
      readonly bufferBytesMax?: number
    },
  ): Promise<OpenedSource> {
    const opened = new OpenedSource(source, options.clock, options.bufferBytesMax)
    started.push(opened)
    opened.#positions = await opened.receiver.start(options.from ?? [])
    opened.receiver.run()
    return opened
  }

  get positions(): PartitionPositions {
    return this.#positions
  }

  /** Prepares and cuts one batch. */
  async cut(
    limits: { bytesMax?: number; recordsMax?: number; arrivedBy?: number } = {},
  ): Promise<readonly RangeData[]> {
    const { bytesMax = 1_048_576, recordsMax = Number.POSITIVE_INFINITY } = limits
    const all = { ...limits, bytesMax, recordsMax }
    await this.receiver.prepare?.(all)
    const cut = this.receiver.cut(all) ?? []
    if (cut.length > 0) this.#positions = cut.map(({ range }) => positionAfter(range))
    return cut
  }

  /** The records of one batch. */
  async records(limits?: Parameters<OpenedSource['cut']>[0]): Promise<unknown[]> {
    return recordsOf(await this.cut(limits))
  }

  abort(): void {
    this.#aborted.abort()
  }
}

function positionAfter({ partition, upTo, caughtUpAt, parents }: SourceRange) {
  return { partition, position: upTo, caughtUpAt, parents }
}

/** All records of a cut, in order. */
export function recordsOf(cut: readonly RangeData[]): unknown[] {
  return cut.flatMap(({ blocks }) =>
    blocks.flatMap((block) => Array.from({ length: block.length }, (_, i) => block.at(i))),
  )
}

/** What the log would compare: count and checksum of each range. */
export function summaryOf(cut: readonly RangeData[]): unknown[] {
  return cut.map(({ range, blocks }) => ({
    partition: range.partition,
    records: blocks.reduce((n, block) => n + block.length, 0),
    crc: blocks.reduce((before, block) => block.crc(before), 0),
  }))
}
