// Records that a receiver was given, as bytes, known by their number.

import type { ByteRecords } from '../batch/lines.ts'
import {
  type Frames,
  RecordsBlock,
  type RecordsBlockParcel,
  type RecordsPart,
  recordsOfParcel,
} from './records-block.ts'

/** Makes records of frames. */
export type RecordsOf<T> = (frames: Frames) => ByteRecords<T>

/** Consecutive records of a receiver. The first one of the run has the number `first`. */
export class NumberedBlock<T> extends RecordsBlock<T> {
  readonly #first: number

  constructor(part: RecordsPart<T>, first: number) {
    super(part)
    this.#first = first
  }

  /** A block of all records of a run. */
  static of<T>(records: ByteRecords<T>, first: number): NumberedBlock<T> {
    return new NumberedBlock({ records, start: 0, end: records.length }, first)
  }

  /** A block that came from another thread. */
  static fromParcel(content: unknown): NumberedBlock<unknown> {
    const { place, records } = content as RecordsBlockParcel
    return new NumberedBlock(recordsOfParcel(records), place as number)
  }

  positionAt(index: number): string {
    return `record ${this.#first + this.indexOf(index)}`
  }

  slice(start: number, end: number): NumberedBlock<T> {
    return new NumberedBlock(this.partOf(start, end), this.#first)
  }

  protected placeOfParcel(): number {
    return this.#first + this.indexOf(0)
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
