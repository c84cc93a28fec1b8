// One stream of a case: a producer that writes it, and an engine that cuts what its receiver reads,
// pauses now and then, and is restarted.

import type { KinesisClient } from '@aws-sdk/client-kinesis'
import type { PartitionPositions, RangeData } from 'millrace'
import type { LoggedCall } from 'millrace/testing'
import type { CutLimits } from '../../../src/receivers/receiver.ts'
import type { VirtualClock } from '../virtual-clock.ts'
import { Delivered } from './delivered.ts'
import { compareCounts, ExpectedCounts } from './expected-counts.ts'
import { FaultedProducer, type ProducerPlan } from './faulted-producer.ts'
import { ReceiverLife } from './receiver-life.ts'

/** How a stream is written and read. */
export interface StreamPlan extends ProducerPlan {
  readonly batchMs: number
  readonly limits: CutLimits
  readonly bufferBytesMax: number
  readonly concurrentCallsMax: number
}

/** What a stream works with. */
export interface StreamWorld {
  readonly client: KinesisClient
  readonly clock: VirtualClock
  readonly pick: (below: number) => number
  /** Hands on what the log of the service has had since. */
  readonly readLog: () => void
}

const ALL: CutLimits = { bytesMax: 1e9, recordsMax: Number.POSITIVE_INFINITY }
const DOWN_MS_MIN = 1_000
const DOWN_MS_MORE = 30_000

/** Writes and reads one stream. */
export class FaultedStream {
  readonly plan: StreamPlan
  readonly producer: FaultedProducer
  readonly #world: StreamWorld
  readonly #delivered: Delivered
  /** Those of the receiver that lives. */
  #calls: LoggedCall[] = []
  #life: ReceiverLife | undefined
  #lastCut: readonly RangeData[] = []
  #pausedUntil = 0
  #limits: CutLimits
  #stored = 0
  #storedBytes = 0

  constructor(plan: StreamPlan, world: StreamWorld) {
    this.plan = plan
    this.#world = world
    this.#limits = plan.limits
    this.#delivered = new Delivered(plan.stream)
    this.producer = new FaultedProducer(plan, world.client, world.clock, world.pick)
  }

  /** True while a receiver reads. */
  get isRead(): boolean {
    return this.#life !== undefined
  }

  /** True once all that the stream holds has come out. */
  get isDrained(): boolean {
    return this.#delivered.records >= this.#stored
  }

  /** Takes in a call of the service's log for this stream. */
  take(call: LoggedCall, isOfReceiver: boolean): void {
    if (isOfReceiver) this.#calls.push(call)
    else if (call.operation.startsWith('Put')) {
      this.#stored += call.records
      this.#storedBytes += call.bytes
    }
  }

  /** Cuts batches, for ever. */
  async cutBatches(): Promise<void> {
    const { clock } = this.#world
    for (;;) {
      await clock.wait(this.plan.batchMs)
      if (this.#life === undefined || clock.monotonicMs() < this.#pausedUntil) continue
      this.#lastCut = this.#life.cut(this.#limits)
      this.#delivered.take(this.#lastCut)
    }
  }

  /** Cuts nothing for so long. */
  pause(ms: number): void {
    this.#pausedUntil = this.#world.clock.monotonicMs() + ms
  }

  /** Cuts all there is from now on. */
  hurry(): void {
    this.#limits = ALL
    this.#pausedUntil = 0
  }

  /** Begins to read at positions; `redo` must come again as it was. */
  async begin(from: PartitionPositions, redo: readonly RangeData[] = []): Promise<void> {
    const { clock, client, pick } = this.#world
    for (;;) {
      const life = new ReceiverLife({ ...this.plan, clock, client, seed: pick(2 ** 31) })
      if (await life.start(from)) {
        checkSame(await life.receiver.replay(redo.map(({ range }) => range)), redo)
        life.receiver.run()
        this.#life = life
        return
      }
      await life.receiver.stop()
      this.#checkCounts(life, clock.monotonicMs(), 'no start')
    }
  }

  /** Stops the receiver; called when nothing is to be done at this moment. */
  async end(): Promise<PartitionPositions> {
    const life = this.#life
    if (life === undefined) return []
    this.#life = undefined
    const stoppedMs = this.#world.clock.monotonicMs()
    await life.receiver.stop()
    life.check()
    this.#checkCounts(life, stoppedMs)
    return life.positions
  }

  /** Stops the receiver, and opens another after a while; the last batch may be done again. */
  async restart(): Promise<void> {
    const { clock, pick } = this.#world
    const redo = pick(2) === 0 ? this.#lastCut : []
    const positions = await this.end()
    await clock.wait(DOWN_MS_MIN + pick(DOWN_MS_MORE))
    await this.begin(positions, redo)
  }

  /** Throws what must not be at any moment. */
  checkNow(): void {
    this.#life?.check()
  }

  /** Throws what was lost or is too much, at the end. */
  checkAll(): void {
    this.#delivered.check(this.producer)
    const came = `${this.#delivered.records} records of ${this.#delivered.bytes} bytes`
    const stored = `${this.#stored} records of ${this.#storedBytes} bytes`
    if (came === stored) return
    throw new Error(`"${this.plan.stream}" holds ${stored}, and ${came} came out`)
  }

  #checkCounts(life: ReceiverLife, stoppedMs: number, started?: 'no start'): void {
    this.#world.readLog()
    const calls = this.#calls
    this.#calls = []
    const expected = new ExpectedCounts()
    if (started === 'no start' && calls.pop() !== undefined) expected.takeLast()
    for (const call of calls) expected.take(call, stoppedMs)
    compareCounts(`The receiver of "${this.plan.stream}"`, life.counts, expected.sums)
  }
}

function checkSame(replayed: readonly RangeData[], cut: readonly RangeData[]): void {
  const [has, had] = [textOf(replayed), textOf(cut)]
  if (has !== had) throw new Error(`A batch is done again with ${has}, it was ${had}`)
}

function textOf(cut: readonly RangeData[]): string {
  return cut
    .map(({ range, blocks }) => {
      const records = blocks.reduce((n, block) => n + block.length, 0)
      return `${range.partition} ${records} ${blocks.reduce((crc, block) => block.crc(crc), 0)}`
    })
    .join(', ')
}
