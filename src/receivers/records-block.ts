// A block over records that are bytes, wherever they came from; and the kinds of such records.

import { crc32 } from 'node:zlib'
import { type Block, type BlockParcel, ownBytes, type TextPieces } from '../batch/block.ts'
import { decode } from '../batch/codec.ts'
import { type ByteRecords, Lines } from '../batch/lines.ts'

/** Records as bytes, before they are a block: record i begins at `starts[i]`, and the last one
 * ends at the last start. */
export interface Frames {
  readonly bytes: Uint8Array
  readonly starts: ArrayLike<number>
}

/** Values, each encoded on its own; each read decodes afresh. */
export class EncodedRecords<T> implements ByteRecords<T> {
  readonly bytes: Uint8Array
  readonly #starts: ArrayLike<number>

  constructor({ bytes, starts }: Frames) {
    this.bytes = bytes
    this.#starts = starts
  }

  get length(): number {
    return this.#starts.length - 1
  }

  startOf(index: number): number {
    return this.#starts[index] as number
  }

  at(index: number): T {
    return decode(this.bytes.subarray(this.startOf(index), this.startOf(index + 1))) as T
  }
}

/** Records of one length; the last one may be the only one. Each read gives a copy. */
export class FixedRecords implements ByteRecords<Uint8Array> {
  readonly bytes: Uint8Array
  readonly length: number
  readonly #recordBytes: number

  /** `bytes` must be `length` × `recordBytes` long. */
  constructor(bytes: Uint8Array, length: number, recordBytes: number) {
    this.bytes = bytes
    this.length = length
    this.#recordBytes = recordBytes
  }

  startOf(index: number): number {
    return index * this.#recordBytes
  }

  at(index: number): Uint8Array {
    return this.bytes.slice(this.startOf(index), this.startOf(index + 1))
  }
}

/** Some of the records of a run: those from `start` to before `end`. */
export interface RecordsPart<T> {
  readonly records: ByteRecords<T>
  readonly start: number
  readonly end: number
}

/** Consecutive records of a run of bytes. */
export abstract class RecordsBlock<T> implements Block<T> {
  readonly #part: RecordsPart<T>

  constructor(part: RecordsPart<T>) {
    this.#part = part
  }

  get length(): number {
    return this.#part.end - this.#part.start
  }

  get bytes(): number {
    return this.byteOf(this.length) - this.byteOf(0)
  }

  at(index: number): T {
    return this.#part.records.at(this.#part.start + index)
  }

  /** Over the bytes as they are: independent of where blocks are cut. */
  crc(before: number): number {
    return crc32(
      this.#part.records.bytes.subarray(this.byteOf(0), this.byteOf(this.length)),
      before,
    )
  }

  abstract positionAt(index: number): string

  abstract slice(start: number, end: number): RecordsBlock<T>

  textPieces(): Iterable<TextPieces> | undefined {
    const { records, start, end } = this.#part
    return isLines(records) ? records.texts(start, end) : undefined
  }

  toParcel(): BlockParcel {
    const { records, buffers } = recordsParcel(this.#part)
    return { content: { place: this.placeOfParcel(), records }, buffers }
  }

  /** What a parcel says of where the records are; its bytes begin with the block's own. */
  protected abstract placeOfParcel(): unknown

  /** Where in the bytes of the run a record begins. */
  protected byteOf(index: number): number {
    return this.#part.records.startOf(this.#part.start + index)
  }

  /** Where in the run a record is. */
  protected indexOf(index: number): number {
    return this.#part.start + index
  }

  protected partOf(start: number, end: number): RecordsPart<T> {
    return { records: this.#part.records, start: this.indexOf(start), end: this.indexOf(end) }
  }
}

/** What is sent of records. */
export type RecordsParcel =
  | { readonly kind: 'lines' | 'encoded'; readonly bytes: Uint8Array; readonly starts: Uint32Array }
  | {
      readonly kind: 'fixed'
      readonly bytes: Uint8Array
      readonly length: number
      readonly recordBytes: number
    }

/** What is sent of a block. */
export interface RecordsBlockParcel {
  readonly place: unknown
  readonly records: RecordsParcel
}

function isLines(records: ByteRecords<unknown>): records is Lines {
  return records instanceof Lines
}

function recordsParcel({ records, start, end }: RecordsPart<unknown>) {
  const isPart = start !== 0 || end !== records.length
  const [from, to] = [records.startOf(start), records.startOf(end)]
  // Blocks that were cut of one share its bytes.
  const bytes = isPart ? records.bytes.slice(from, to) : ownBytes(records.bytes)
  const buffers = [bytes.buffer as ArrayBuffer]
  if (records instanceof FixedRecords) {
    const [length, recordBytes] = [end - start, records.startOf(1)]
    const parcel: RecordsParcel = { kind: 'fixed', bytes, length, recordBytes }
    return { records: parcel, buffers }
  }
  const starts = new Uint32Array(end - start + 1)
  for (let i = 0; i < starts.length; i++) starts[i] = records.startOf(start + i) - from
  const kind = isLines(records) ? 'lines' : 'encoded'
  const parcel: RecordsParcel = { kind, bytes, starts }
  return { records: parcel, buffers: [...buffers, starts.buffer] }
}

/** The records of a parcel. */
export function recordsOfParcel(parcel: RecordsParcel): RecordsPart<unknown> {
  const records = makeRecords(parcel)
  return { records, start: 0, end: records.length }
}

function makeRecords(parcel: RecordsParcel): ByteRecords<unknown> {
  switch (parcel.kind) {
    case 'lines':
      return new Lines(parcel.bytes, parcel.starts)
    case 'encoded':
      return new EncodedRecords(parcel)
    case 'fixed':
      return new FixedRecords(parcel.bytes, parcel.length, parcel.recordBytes)
  }
}
