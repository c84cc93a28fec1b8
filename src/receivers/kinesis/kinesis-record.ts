import { type Block, type BlockParcel, ownBytes } from '../../batch/block.ts'
import { BytesRecords } from '../../batch/bytes-block.ts'
import { makeStorable } from '../../batch/codec.ts'
import { BlockColumns, type BlockColumnsParcel, type RecordHead } from './block-columns.ts'

/** A record as the service gives it. */
export interface ReceivedRecord extends RecordHead {
  readonly data: Uint8Array
}

/** One record of a Kinesis stream. It is a view of its block, which it keeps in memory: keep
 * `text()` or `json()` where you can. What is stored of a record, in a window or in state, is the
 * record alone.
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
    return this.#block.columns.partitionKeys.at(this.#index)
  }

  /** The service's number of the record: a decimal text that grows within a shard. */
  get sequenceNumber(): string {
    return this.#block.columns.sequenceNumbers.at(this.#index)
  }

  /** The shard that the record was in. */
  get shardId(): string {
    return this.#block.shardId
  }

  /** When the service got the record, epoch milliseconds. */
  get approximateArrivalMs(): number {
    return this.#block.columns.arrivals[this.#index] ?? 0
  }

  /** What `print` and `files` write of a record: its text, and where it was.
   *
   * @example
   * ```ts
   * const data = Buffer.from('a')
   * const received = { data, partitionKey: 'k', sequenceNumber: '7', arrivalMs: 5 }
   * const record = new KinesisBlock('shard-0', [received]).at(0)
   * assert.deepEqual(JSON.parse(JSON.stringify(record)), {
   *   shardId: 'shard-0',
   *   sequenceNumber: '7',
   *   partitionKey: 'k',
   *   approximateArrivalMs: 5,
   *   text: 'a',
   * })
   * ```
   */
  toJSON(): object {
    const { shardId, sequenceNumber, partitionKey, approximateArrivalMs } = this
    return { shardId, sequenceNumber, partitionKey, approximateArrivalMs, text: this.text() }
  }
}

/** Records taken apart. */
interface Parts {
  readonly data: BytesRecords
  readonly columns: BlockColumns
}

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
  readonly columns: BlockColumns

  constructor(shardId: string, records: readonly ReceivedRecord[] | Parts) {
    const { data, columns } = 'columns' in records ? records : partsOf(records)
    this.shardId = shardId
    this.data = data
    this.columns = columns
  }

  get length(): number {
    return this.columns.length
  }

  /** Data, partition keys and sequence numbers. */
  get bytes(): number {
    return this.data.bytes.length + this.columns.characters
  }

  at(index: number): KinesisRecord {
    return new KinesisRecord(this, index)
  }

  crc(before: number): number {
    return this.data.crc(before)
  }

  positionAt(index: number): string {
    return `${this.shardId}, sequence number ${this.columns.sequenceNumbers.at(index)}`
  }

  /** The sequence number of the last record. */
  get lastSequence(): string {
    return this.columns.lastSequence
  }

  /** When the service got the last record, epoch milliseconds. */
  get lastArrivalMs(): number {
    return this.columns.arrivals.at(-1) ?? 0
  }

  slice(start: number, end: number): KinesisBlock {
    const { shardId, columns, data } = this
    return new KinesisBlock(shardId, {
      columns: columns.slice(start, end),
      data: data.slice(start, end),
    })
  }

  toParcel(): BlockParcel {
    const bytes = ownBytes(this.data.bytes)
    const offsets = new Uint32Array(this.data.offsets)
    const columns = this.columns.toParcel()
    const content: ParcelContent = { shardId: this.shardId, bytes, offsets, columns }
    return { content, buffers: [bytes.buffer, offsets.buffer] }
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
    const { shardId, bytes, offsets, columns } = content as ParcelContent
    const data = new BytesRecords(bytes, offsets)
    return new KinesisBlock(shardId, { data, columns: BlockColumns.fromParcel(columns) })
  }
}

/** As it is kept: shard, partition key, sequence number, arrival, data. */
type StoredRecord = readonly [string, string, string, number, Uint8Array]

// What is stored of a record is the record alone, not its block.
makeStorable<KinesisRecord, StoredRecord>(KinesisRecord, {
  id: 0,
  pack: (record) => {
    const { shardId, partitionKey, sequenceNumber, approximateArrivalMs, bytes } = record
    return [shardId, partitionKey, sequenceNumber, approximateArrivalMs, bytes]
  },
  unpack: ([shardId, partitionKey, sequenceNumber, arrivalMs, data]) => {
    return new KinesisBlock(shardId, [{ data, partitionKey, sequenceNumber, arrivalMs }]).at(0)
  },
})

interface ParcelContent {
  readonly shardId: string
  readonly bytes: Uint8Array
  readonly offsets: Uint32Array
  readonly columns: BlockColumnsParcel
}

function partsOf(records: readonly ReceivedRecord[]): Parts {
  const data = BytesRecords.of(records.map((record) => record.data))
  return { data, columns: BlockColumns.of(records) }
}
