// The producer of `kill`: sends orders and their payments, and writes down what it sent.

import { KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { CUSTOMERS, STREAMS } from './kill-pipeline.ts'

const BURST = 60
const EVERY_MS = 100
/** A payment comes some bursts after its order. */
const PAID_AFTER = 3 * BURST

/** Sends until it is stopped. */
export class KillProducer {
  /** Numbers below this are ordered; and paid, below the second. */
  ordered = 0
  paid = 0
  readonly #client: KinesisClient
  readonly #sending: Promise<void>
  #stopped = false

  constructor(endpoint: string) {
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
    const requestHandler = new NodeHttpHandler()
    this.#client = new KinesisClient({ endpoint, credentials, region: 'us-east-1', requestHandler })
    this.#sending = this.#run()
    this.#sending.catch(() => undefined)
  }

  /** Rejects with what went wrong. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#sending
    this.#client.destroy()
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      await this.#put(STREAMS.orders, this.ordered, this.ordered + BURST)
      this.ordered += BURST
      const payable = Math.max(this.paid, this.ordered - PAID_AFTER)
      if (payable > this.paid) await this.#put(STREAMS.payments, this.paid, payable)
      this.paid = payable
      await new Promise((resume) => setTimeout(resume, EVERY_MS))
    }
  }

  async #put(stream: string, from: number, to: number): Promise<void> {
    const records = Array.from({ length: to - from }, (_, i) => ({
      Data: Buffer.from(String(from + i)),
      PartitionKey: String((from + i) % CUSTOMERS),
    }))
    const command = new PutRecordsCommand({ StreamName: stream, Records: records })
    const { FailedRecordCount } = await this.#client.send(command)
    if (FailedRecordCount !== 0) throw new Error(`${FailedRecordCount} records were not taken`)
  }
}
