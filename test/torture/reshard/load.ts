// The producer of `reshard`: orders, and their payments some seconds later. It writes down the
// partition key of each number.

import type { KinesisSimulator } from 'millrace/testing'
import type { VirtualClock } from '../virtual-clock.ts'
import { STREAMS, type StreamName } from './two-streams.ts'

const KEYS = 40
const EVERY_MS_MIN = 100
const EVERY_MS_MAX = 700
const AT_ONCE_MAX = 24
/** A payment comes at most so many numbers after its order, or so many before. */
const LATE_MAX = 160
const BURST = { small: { records: 300, bytes: 12 }, fat: { records: 28, bytes: 30_000 } } as const

/** How a burst is made up: many records, or big ones. */
export type BurstKind = keyof typeof BURST

/** Sends until it is told to end. */
export class Load {
  /** The partition key of each number that was sent, by stream. */
  readonly sent: Readonly<Record<StreamName, string[]>> = { orders: [], payments: [] }
  readonly #simulator: KinesisSimulator
  readonly #clock: VirtualClock
  readonly #pick: (below: number) => number
  #ends = false

  constructor(simulator: KinesisSimulator, clock: VirtualClock, pick: (below: number) => number) {
    this.#simulator = simulator
    this.#clock = clock
    this.#pick = pick
  }

  async run(): Promise<void> {
    while (!this.#ends) {
      this.#put('orders', 1 + this.#pick(AT_ONCE_MAX))
      const missing = this.sent.orders.length - this.sent.payments.length
      // Now and then a payment is there before its order.
      const late = this.#pick(LATE_MAX) - 10
      if (missing > late) this.#put('payments', Math.min(AT_ONCE_MAX + 2, missing - late))
      await this.#clock.wait(EVERY_MS_MIN + this.#pick(EVERY_MS_MAX - EVERY_MS_MIN))
    }
    const missing = this.sent.orders.length - this.sent.payments.length
    if (missing > 0) this.#put('payments', Math.min(500, missing))
  }

  end(): void {
    this.#ends = true
  }

  /** Sends what its reader needs seconds for, all under one key; gives the shard that has it. */
  burst(stream: StreamName, kind: BurstKind): string {
    const { records, bytes } = BURST[kind]
    return this.#put(stream, records, String(this.#pick(KEYS)), bytes)
  }

  /** Sends the next numbers; gives the shard of the first. */
  #put(stream: StreamName, count: number, oneKey?: string, bytes = 1): string {
    const first = this.sent[stream].length
    const Records = Array.from({ length: count }, (_, i) => {
      const PartitionKey = oneKey ?? String(this.#pick(KEYS))
      this.sent[stream].push(PartitionKey)
      return { PartitionKey, Data: Buffer.from(String(first + i).padEnd(bytes)) }
    })
    const answer = this.#simulator.call('PutRecords', { StreamName: stream, Records })
    if (answer['FailedRecordCount'] !== 0) throw new Error(`"${stream}" refuses the load`)
    return (answer['Records'] as { ShardId: string }[])[0]?.ShardId ?? ''
  }
}

/** True once both streams' records are all in the outputs. */
export function hasArrived({ sent }: Load, arrivedOf: (stream: StreamName) => number): boolean {
  return STREAMS.every((stream) => arrivedOf(stream) >= sent[stream].length)
}
