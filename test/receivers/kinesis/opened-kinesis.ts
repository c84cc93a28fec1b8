// A Kinesis receiver over the simulated service, on a clock that the test moves.

import { setImmediate } from 'node:timers/promises'
import type { PartitionPositions, RangeData, ReceiverNews } from 'millrace'
import type { KinesisOptions, KinesisRecord } from 'millrace/kinesis'
import { ManualClock, quietLogger } from 'millrace/testing'
import { mulberry32 } from '../../../src/batch/recipes.ts'
import { KinesisReceiver } from '../../../src/receivers/kinesis/kinesis-receiver.ts'
import { kinesisSettings } from '../../../src/receivers/kinesis/options.ts'
import { advance } from '../../../src/receivers/positions.ts'
import type { Receiver, ReceiverContext } from '../../../src/receivers/receiver.ts'
import { recordsOf } from '../opened-source.ts'
import { SimulatedKinesis, type SimulatedOptions } from './simulated-client.ts'

/** How often work that waits for nothing but promises may go on before the clock moves. */
const TURNS = 4
const ALL = { bytesMax: 1e9, recordsMax: Number.POSITIVE_INFINITY }

/** What a receiver did, and the means to drive it. */
export class OpenedKinesis {
  readonly receiver: Receiver
  readonly failures: unknown[] = []
  readonly errors: string[] = []
  readonly news: ReceiverNews[] = []
  readonly counts = new Map<string, number>()
  readonly cuts: (readonly RangeData[])[] = []
  readonly lines: string[] = []
  /** As the log would have them. */
  positions: PartitionPositions = []
  readonly #kinesis: SimulatedKinesis

  private constructor(
    simulated: SimulatedKinesis,
    options: KinesisOptions,
    bufferBytesMax: number,
  ) {
    this.#kinesis = simulated
    const { client, clock } = simulated
    const line = (_fields: object, message: string): unknown => this.lines.push(message)
    const settings = kinesisSettings({ startAt: 'TRIM_HORIZON', client, ...options })
    const context: ReceiverContext = {
      pipeline: 'test',
      sourceId: 0,
      clock,
      logger: { ...quietLogger, info: line, warn: line },
      signal: new AbortController().signal,
      bufferBytesMax,
      fail: (error) => this.failures.push(error),
      reportError: (message) => this.errors.push(message),
      tell: (news) => this.news.push(news),
      count: (name, by = 1) => this.counts.set(name, (this.counts.get(name) ?? 0) + by),
    }
    // Jitter of its own, the same in each run of a test: nobody else draws from it.
    simulated.readers += 1
    this.receiver = new KinesisReceiver(settings, context, mulberry32(simulated.readers))
  }

  /** Opens a receiver and begins to read. */
  static async start(
    simulated: SimulatedKinesis,
    options: KinesisOptions,
    from: PartitionPositions = [],
    bufferBytesMax = 128 * 1_048_576,
  ): Promise<OpenedKinesis> {
    const opened = new OpenedKinesis(simulated, options, bufferBytesMax)
    opened.positions = await opened.#within(opened.receiver.start(from))
    opened.receiver.run()
    return opened
  }

  /** A receiver that has read, committed and stopped. */
  static async committed(
    simulated: SimulatedKinesis,
    options: KinesisOptions,
  ): Promise<OpenedKinesis> {
    const opened = await OpenedKinesis.start(simulated, options)
    await opened.pass(2_000)
    opened.cut()
    await opened.stop()
    return opened
  }

  /** Lets so much time pass, a step at a time. */
  async pass(ms: number, stepMs = 50): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      for (let turn = 0; turn < TURNS; turn++) await setImmediate()
      this.#kinesis.clock.advance(Math.min(stepMs, ms - passed))
    }
    for (let turn = 0; turn < TURNS; turn++) await setImmediate()
  }

  /** Cuts a batch, which counts as committed. */
  cut(limits: Partial<typeof ALL> = {}): readonly RangeData[] {
    const cut = this.receiver.cut({ ...ALL, ...limits }) ?? []
    this.cuts.push(cut)
    this.positions = advance(
      this.positions,
      cut.map(({ range }) => range),
    )
    return cut
  }

  /** The texts of a cut. */
  texts(limits: Partial<typeof ALL> = {}): string[] {
    return textsOf(this.cut(limits))
  }

  /** The kinds of what was told of shards, in order. */
  get kinds(): string[] {
    return this.news.map(({ kind }) => kind)
  }

  async stop(): Promise<void> {
    await this.#within(this.receiver.stop())
  }

  /** Moves the clock until something has come of it. */
  async #within<T>(work: Promise<T>): Promise<T> {
    let isOver = false
    const over = (): void => {
      isOver = true
    }
    work.then(over, over)
    while (!isOver) await this.pass(10, 10)
    return work
  }
}

/** The texts of the records of a cut, in order. */
export function textsOf(cut: readonly RangeData[]): string[] {
  return (recordsOf(cut) as KinesisRecord[]).map((record) => record.text())
}

/** A service with a stream "s". */
export function newStream(
  shards: number,
  options: SimulatedOptions = {},
  clock = new ManualClock(1_700_000_000_000),
): SimulatedKinesis {
  const simulated = new SimulatedKinesis(clock, options)
  simulated.createStream('s', shards)
  return simulated
}

/** The numbers of each key, in order. */
export function byKey(texts: readonly string[]): Record<string, number[]> {
  const numbers: Record<string, number[]> = {}
  for (const text of texts) {
    const [key = '', n] = text.split(':')
    numbers[key] = [...(numbers[key] ?? []), Number(n)]
  }
  return numbers
}
