// Records as bytes: one buffer and the offsets of the records in it. Text is decoded once a block
// where the block is ASCII, and a record's text is then a slice of it; such a slice keeps the
// block's text alive, so a text that goes into state should be a piece of it (split, match), not
// the whole line.

import { isAscii } from 'node:buffer'
import { crc32 } from 'node:zlib'

const LENGTH_BYTES = 4
/** Lengths and records are put together here, and their checksum taken at once: two calls for each
 * record cost more than its bytes. */
const ROOM_BYTES = 65_536
const room = new Uint8Array(ROOM_BYTES)

/** Consecutive byte records. Immutable. */
export class BytesRecords {
  readonly bytes: Uint8Array
  /** Where each record begins, and where the last one ends: one more than there are records. */
  readonly offsets: Uint32Array
  #text: string | undefined | false

  constructor(bytes: Uint8Array, offsets: Uint32Array) {
    this.bytes = bytes
    this.offsets = offsets
  }

  /** Puts records one after the other into one buffer. */
  static of(records: readonly Uint8Array[]): BytesRecords {
    const offsets = new Uint32Array(records.length + 1)
    let end = 0
    records.forEach((record, i) => {
      end += record.length
      offsets[i + 1] = end
    })
    // All of it is written: memory that is cleared first costs as much again.
    const bytes = new Uint8Array(Buffer.allocUnsafeSlow(end).buffer)
    records.forEach((record, i) => {
      bytes.set(record, offsets[i])
    })
    return new BytesRecords(bytes, offsets)
  }

  get length(): number {
    return this.offsets.length - 1
  }

  /** The records from `start` to before `end`, over the same memory. */
  slice(start: number, end: number): BytesRecords {
    const from = this.offsets[start] as number
    const bytes = this.bytes.subarray(from, this.offsets[end])
    return new BytesRecords(
      bytes,
      this.offsets.slice(start, end + 1).map((at) => at - from),
    )
  }

  /** A view of a record's bytes. */
  at(index: number): Uint8Array {
    return this.bytes.subarray(this.offsets[index], this.offsets[index + 1])
  }

  /** A record as UTF-8 text. */
  text(index: number): string {
    this.#text ??= this.#asciiText()
    if (this.#text !== false) return this.#text.slice(this.offsets[index], this.offsets[index + 1])
    const { buffer, byteOffset, byteLength } = this.at(index)
    return Buffer.from(buffer, byteOffset, byteLength).toString('utf8')
  }

  #asciiText(): string | false {
    const { buffer, byteOffset, byteLength } = this.bytes
    const bytes = Buffer.from(buffer, byteOffset, byteLength)
    return isAscii(bytes) && bytes.toString('latin1')
  }

  /** CRC-32 over the length and the bytes of each record, continued from `before`: independent of
   * how the records are cut into blocks. */
  crc(before: number): number {
    let crc = before
    let filled = 0
    for (let i = 0; i < this.length; i++) {
      const record = this.at(i)
      const needed = LENGTH_BYTES + record.length
      if (filled + needed > ROOM_BYTES) {
        crc = crc32(room.subarray(0, filled), crc)
        filled = 0
      }
      writeLength(record.length, filled)
      if (needed > ROOM_BYTES) {
        crc = crc32(record, crc32(room.subarray(0, LENGTH_BYTES), crc))
        continue
      }
      room.set(record, filled + LENGTH_BYTES)
      filled += needed
    }
    return crc32(room.subarray(0, filled), crc)
  }
}

/** Writes a length into the room, little-endian. */
function writeLength(length: number, at: number): void {
  for (let i = 0; i < LENGTH_BYTES; i++) room[at + i] = length >>> (8 * i)
}
