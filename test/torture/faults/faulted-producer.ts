// A producer that sends again what was not acknowledged: a lost acknowledgement doubles a record,
// under a sequence number of its own. The next record of a key is sent after the last one was
// acknowledged, so that its numbers never go back in the stream.

import { type KinesisClient, PutRecordCommand, PutRecordsCommand } from '@aws-sdk/client-kinesis'
import type { VirtualClock } from '../virtual-clock.ts'

/** How a producer sends. */
export interface ProducerPlan {
  readonly stream: string
  readonly keys: number
  /** Bytes of a record, at least 24. */
  readonly bytes: number
  /** Between two requests, milliseconds, at most. */
  readonly intervalMs: number
}

interface Entry {
  readonly PartitionKey: string
  readonly Data: Uint8Array
}

const AGAIN_MS = 1_000

/** Sends to one stream until it is told to end. */
export class FaultedProducer {
  /** The last number that each key was sent with. */
  readonly sent = new Map<string, number>()
  /** Shard and sequence number of each record that was acknowledged. */
  readonly acknowledged: string[] = []
  readonly #plan: ProducerPlan
  readonly #client: KinesisClient
  readonly #clock: VirtualClock
  readonly #pick: (below: number) => number
  #ends = false

  constructor(
    plan: ProducerPlan,
    client: KinesisClient,
    clock: VirtualClock,
    pick: (below: number) => number,
  ) {
    this.#plan = plan
    this.#client = client
    this.#clock = clock
    this.#pick = pick
  }

  /** Ends after what is under way was acknowledged. */
  end(): void {
    this.#ends = true
  }

  async run(): Promise<void> {
    while (!this.#ends) {
      await this.#sendAll(this.#nextEntries())
      await this.#clock.wait(1 + this.#pick(this.#plan.intervalMs))
    }
  }

  /** Some keys' next records, one of each. */
  #nextEntries(): Entry[] {
    const { keys, bytes } = this.#plan
    const first = this.#pick(keys)
    const count = 1 + this.#pick(keys)
    return Array.from({ length: count }, (_, i) => {
      const key = `key${(first + i) % keys}`
      const n = (this.sent.get(key) ?? -1) + 1
      this.sent.set(key, n)
      return { PartitionKey: key, Data: Buffer.from(`${key}:${n}:`.padEnd(bytes, '.')) }
    })
  }

  async #sendAll(entries: readonly Entry[]): Promise<void> {
    let left = entries
    while (left.length > 0) {
      left = await this.#send(left).catch(() => left)
      if (left.length > 0) await this.#clock.wait(1 + this.#pick(AGAIN_MS))
    }
  }

  /** Gives what was refused. */
  async #send(entries: readonly Entry[]): Promise<readonly Entry[]> {
    const StreamName = this.#plan.stream
    const [only, ...others] = entries
    if (only !== undefined && others.length === 0) {
      this.#take(await this.#client.send(new PutRecordCommand({ StreamName, ...only })))
      return []
    }
    const command = new PutRecordsCommand({ StreamName, Records: [...entries] })
    const { Records = [] } = await this.#client.send(command)
    return entries.filter((_, i) => Records[i] === undefined || !this.#take(Records[i]))
  }

  #take({ ShardId, SequenceNumber }: AckedRecord): boolean {
    if (ShardId === undefined || SequenceNumber === undefined) return false
    this.acknowledged.push(`${ShardId}/${SequenceNumber}`)
    return true
  }
}

interface AckedRecord {
  readonly ShardId?: string | undefined
  readonly SequenceNumber?: string | undefined
}
