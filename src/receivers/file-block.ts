// The records of a piece of a file.

import { crc32 } from 'node:zlib'
import { type Block, type BlockParcel, ownBytes, type TextPieces } from '../batch/block.ts'
import { type ByteRecords, Lines } from '../batch/lines.ts'

/** What a file was when it was found. A file that differs in any of this has changed. */
export interface FileIdentity {
  /** From the folder that the source was given, or from the part of it before the first wildcard;
   * with `/` between names. */
  readonly path: string
  readonly size: number
  /** When it was last modified, whole epoch milliseconds. */
  readonly mtimeMs: number
}

/** Gives the part of a file's status that tells whether it has changed. */
export function identityOf(
  path: string,
  status: { readonly size: number; readonly mtimeMs: number },
): FileIdentity {
  return { path, size: status.size, mtimeMs: Math.floor(status.mtimeMs) }
}

/** Bytes of a file, from `from` to before `to`. */
export interface FilePiece {
  readonly from: number
  readonly to: number
}

/** Where a block's records are in its file. */
export interface FileBlockPlace extends FilePiece {
  readonly file: FileIdentity
  /** Which byte of the file the first byte of the records is. */
  readonly base: number
}

/** Consecutive records of one file. It stands for all bytes from `from` to before `to`, those of
 * dropped records too. */
export class FileBlock<T> implements Block<T> {
  readonly place: FileBlockPlace
  readonly #records: ByteRecords<T>
  readonly #start: number
  readonly #end: number

  constructor(place: FileBlockPlace, records: ByteRecords<T>, start = 0, end = records.length) {
    this.place = place
    this.#records = records
    this.#start = start
    this.#end = end
  }

  get length(): number {
    return this.#end - this.#start
  }

  get bytes(): number {
    return this.#records.startOf(this.#end) - this.#records.startOf(this.#start)
  }

  at(index: number): T {
    return this.#records.at(this.#start + index)
  }

  /** Over the bytes as they are: independent of where blocks are cut. */
  crc(before: number): number {
    const { bytes } = this.#records
    const from = this.#records.startOf(this.#start)
    return crc32(bytes.subarray(from, this.#records.startOf(this.#end)), before)
  }

  positionAt(index: number): string {
    return `${this.place.file.path}, byte ${this.#byteOf(index)}`
  }

  textPieces(): Iterable<TextPieces> | undefined {
    if (!(this.#records instanceof Lines)) return undefined
    return this.#records.texts(this.#start, this.#end)
  }

  toParcel(): BlockParcel {
    const isPart = this.#start !== 0 || this.#end !== this.#records.length
    const [from, to] = [this.#records.startOf(this.#start), this.#records.startOf(this.#end)]
    // Blocks that were cut of one share its bytes.
    const bytes = isPart ? this.#records.bytes.slice(from, to) : ownBytes(this.#records.bytes)
    const place = { ...this.place, base: this.place.base + from }
    const buffers = [bytes.buffer as ArrayBuffer]
    if (!(this.#records instanceof Lines)) {
      const { length } = this
      return { content: { place, bytes, length, recordBytes: this.#records.startOf(1) }, buffers }
    }
    const starts = this.#records.starts.slice(this.#start, this.#end + 1).map((at) => at - from)
    return { content: { place, bytes, starts }, buffers: [...buffers, starts.buffer] }
  }

  /** A block that came from another thread. */
  static fromParcel(content: unknown): FileBlock<string> | FileBlock<Uint8Array> {
    const parcel = content as FileParcel
    return 'starts' in parcel
      ? new FileBlock(parcel.place, new Lines(parcel.bytes, parcel.starts))
      : new FileBlock(
          parcel.place,
          new FixedRecords(parcel.bytes, parcel.length, parcel.recordBytes),
        )
  }

  slice(start: number, end: number): FileBlock<T> {
    const from = start === 0 ? this.place.from : this.#byteOf(start)
    const to = end === this.length ? this.place.to : this.#byteOf(end)
    const place = { ...this.place, from, to }
    return new FileBlock(place, this.#records, this.#start + start, this.#start + end)
  }

  #byteOf(index: number): number {
    return this.place.base + this.#records.startOf(this.#start + index)
  }
}

/** What is sent for a block: lines with where they begin, or records of one length. */
type FileParcel =
  | { readonly place: FileBlockPlace; readonly bytes: Uint8Array; readonly starts: Uint32Array }
  | {
      readonly place: FileBlockPlace
      readonly bytes: Uint8Array
      readonly length: number
      readonly recordBytes: number
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
