// Records that a receiver was given, as bytes, known by their number.

import { crc32 } from 'node:zlib'
import type { Block } from '../batch/block.ts'
import { decode } from '../batch/codec.ts'
import type { ByteRecords } from '../batch/lines.ts'

/** Records as bytes, before they are a block: record i begins at `starts[i]`, and the last one
 * ends at the last start. */
export interface Frames {
  readonly bytes: Uint8Array
  readonly starts: ArrayLike<number>
}

/** Makes records of frames. */
export type RecordsOf<T> = (frames: Frames) => ByteRecords<T>

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

/** Consecutive records of a receiver. The first one of `records` has the number `first`. */
export class NumberedBlock<T> implements Block<T> {
  readonly #records: ByteRecords<T>
  readonly #first: number
  readonly #start: number
  readonly #end: number

  constructor(records: ByteRecords<T>, first: number, start = 0, end = records.length) {
    this.#records = records
    this.#first = first
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

  crc(before: number): number {
    const from = this.#records.startOf(this.#start)
    return crc32(this.#records.bytes.subarray(from, this.#records.startOf(this.#end)), before)
  }

  positionAt(index: number): string {
    return `record ${this.#first + this.#start + index}`
  }

  slice(start: number, end: number): NumberedBlock<T> {
    const from = this.#start + start
    return new NumberedBlock(this.#records, this.#first, from, this.#start + end)
  }
}

const ROOM_BYTES = 65_536

/** Puts frames one after the other until they are made a block. */
export class BlockBuilder {
  #room = new Uint8Array(0)
  #bytes = 0
  #starts: number[] = [0]

  get bytes(): number {
    return this.#bytes
  }

  get length(): number {
    return this.#starts.length - 1
  }

  /** Adds the records from `from` to before `to`. */
  add({ bytes, starts }: Frames, from: number, to: number): void {
    const start = starts[from] as number
    const end = starts[to] as number
    this.#grow(this.#bytes + end - start)
    this.#room.set(bytes.subarray(start, end), this.#bytes)
    for (let i = from + 1; i <= to; i++)
      this.#starts.push((starts[i] as number) - start + this.#bytes)
    this.#bytes += end - start
  }

  /** Gives what was added, and begins anew. */
  build(): Frames {
    const frames = {
      bytes: this.#room.slice(0, this.#bytes),
      starts: Uint32Array.from(this.#starts),
    }
    this.#bytes = 0
    this.#starts = [0]
    return frames
  }

  #grow(bytes: number): void {
    if (bytes <= this.#room.length) return
    const room = new Uint8Array(Math.max(bytes, 2 * this.#room.length, ROOM_BYTES))
    room.set(this.#room.subarray(0, this.#bytes))
    this.#room = room
  }
}
