import { type Block, type BlockParcel, ownBytes } from '../../batch/block.ts'
import { BytesRecords } from '../../batch/bytes-block.ts'

/** A record as the service gives it. */
export interface ReceivedRecord {
  readonly data: Uint8Array
  readonly partitionKey: string
  readonly sequenceNumber: string
  /** When the service got it, epoch milliseconds. */
  readonly arrivalMs: number
}

/** One record of a Kinesis stream. It is a view of its block: keep `text()` or `json()`, not the
 * record.
 *
 * @example
 * ```ts
 * const data = new TextEncoder().encode('{"n":1}')
 * const received = { data, partitionKey: 'k', sequenceNumber: '7', arrivalMs: 5 }
 * const record = new KinesisBlock('shard-0', [received]).at(0)
 * assert.equal(record.text(), '{"n":1}')
 * assert.deepEqual(record.json(), { n: 1 })
 * assert.equal(record.sequenceNumber, '7')
 * ```
 */
export class KinesisRecord {
  readonly #block: KinesisBlock
  readonly #index: number

  constructor(block: KinesisBlock, index: number) {
    this.#block = block
    this.#index = index
  }

  /** The data as UTF-8 text; what is no UTF-8 becomes U+FFFD.
   *
   * @example
   * ```ts
   * const data = Buffer.from('a')
   * const received = { data, partitionKey: 'k', sequenceNumber: '7', arrivalMs: 5 }
   * assert.equal(new KinesisBlock('shard-0', [received]).at(0).text(), 'a')
   * ```
   */
  text(): string {
    return this.#block.data.text(this.#index)
  }

  /** The data as JSON, said to be a `T`; throws SyntaxError where it is none.
   *
   * @example
   * ```ts
   * const data = Buffer.from('{"n":1}')
   * const received = { data, partitionKey: 'k', sequenceNumber: '7', arrivalMs: 5 }
   * const record = new KinesisBlock('shard-0', [received]).at(0)
   * assert.equal(record.json<{ n: number }>().n, 1)
   * ```
   */
  json<T = unknown>(): T {
    return JSON.parse(this.text()) as T
  }

  /** A copy of the data. */
  get bytes(): Uint8Array {
    return this.#block.data.at(this.#index).slice()
  }

  /** The key that the producer gave. */
  get partitionKey(): string {
    return this.#block.received[this.#index]?.partitionKey ?? ''
  }

  /** The service's number of the record: a decimal text that grows within a shard. */
  get sequenceNumber(): string {
    return this.#block.received[this.#index]?.sequenceNumber ?? ''
  }

  /** The shard that the record was in. */
  get shardId(): string {
    return this.#block.shardId
  }

  /** When the service got the record, epoch milliseconds. */
  get approximateArrivalMs(): number {
    return this.#block.received[this.#index]?.arrivalMs ?? 0
  }
}

type Columns = Omit<ReceivedRecord, 'data'>

/** Consecutive records of one shard.
 *
 * @example
 * ```ts
 * const data = new TextEncoder().encode('a')
 * const received = { data, partitionKey: 'k', sequenceNumber: '7', arrivalMs: 5 }
 * const block = new KinesisBlock('shard-0', [received])
 * assert.equal(block.length, 1)
 * assert.equal(block.lastSequence, '7')
 * ```
 */
export class KinesisBlock implements Block<KinesisRecord> {
  /** The shard that the records were in. */
  readonly shardId: string
  /** The data of the records. */
  readonly data: BytesRecords
  /** All else of the records, in the same order. */
  readonly received: readonly Columns[]

  constructor(shardId: string, records: readonly ReceivedRecord[])
  constructor(shardId: string, records: readonly Columns[], data: BytesRecords)
  constructor(shardId: string, records: readonly Columns[], data?: BytesRecords) {
    this.shardId = shardId
    this.data = data ?? BytesRecords.of((records as ReceivedRecord[]).map((record) => record.data))
    this.received = records.map(({ partitionKey, sequenceNumber, arrivalMs }) => {
      return { partitionKey, sequenceNumber, arrivalMs }
    })
  }

  get length(): number {
    return this.received.length
  }

  get bytes(): number {
    return this.data.bytes.length
  }

  at(index: number): KinesisRecord {
    return new KinesisRecord(this, index)
  }

  crc(before: number): number {
    return this.data.crc(before)
  }

  positionAt(index: number): string {
    return `${this.shardId}, sequence number ${this.received[index]?.sequenceNumber}`
  }

  /** The sequence number of the last record. */
  get lastSequence(): string {
    return this.received[this.length - 1]?.sequenceNumber ?? ''
  }

  slice(start: number, end: number): KinesisBlock {
    const records = this.received
      .slice(start, end)
      .map((columns, i) => ({ ...columns, data: this.data.at(start + i) }))
    return new KinesisBlock(this.shardId, records)
  }

  toParcel(): BlockParcel {
    const bytes = ownBytes(this.data.bytes)
    const offsets = new Uint32Array(this.data.offsets)
    const { shardId, received } = this
    return {
      content: { shardId, bytes, offsets, received },
      buffers: [bytes.buffer, offsets.buffer],
    }
  }

  /** A block that came from another thread: `content` of the `toParcel` of the one that was sent.
   *
   * @example
   * ```ts
   * const data = new TextEncoder().encode('a')
   * const received = { data, partitionKey: 'k', sequenceNumber: '7', arrivalMs: 5 }
   * const { content } = new KinesisBlock('shard-0', [received]).toParcel()
   * assert.equal(KinesisBlock.fromParcel(content).at(0).text(), 'a')
   * ```
   */
  static fromParcel(content: unknown): KinesisBlock {
    const { shardId, bytes, offsets, received } = content as ParcelContent
    return new KinesisBlock(shardId, received, new BytesRecords(bytes, offsets))
  }
}

interface ParcelContent {
  readonly shardId: string
  readonly bytes: Uint8Array
  readonly offsets: Uint32Array
  readonly received: readonly Columns[]
}
