// The file of a journal: frames of a head (length of the body, checksum of the body, checksum of
// these two) and a body in msgpack. A process that is killed leaves at most one frame that is not
// whole, at the end; the next start cuts it off. A length that is wrong would make all that follows
// look like the rest of such a frame: hence the checksum of the head.

import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writevSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { Packr } from 'msgpackr'
import { ConfigError } from '../../errors.ts'

const LENGTHS_BYTES = 8
const HEAD_BYTES = 12
const CHUNK_BYTES = 1024 * 1024

const packr = new Packr({ useRecords: false, copyBuffers: true, moreTypes: false })

/** A frame that was read. */
interface Frame {
  readonly value: unknown
  readonly bytes: number
}

/** An open journal file, to be read once from its beginning and then appended to. */
export class JournalFile {
  readonly #path: string
  readonly #fd: number
  #bytes: number

  constructor(path: string) {
    this.#path = path
    this.#fd = openSync(path, 'a+')
    this.#bytes = fstatSync(this.#fd).size
  }

  /** How long the file is. */
  get bytes(): number {
    return this.#bytes
  }

  /** Reads all frames and cuts off a last one that is not whole. */
  *read(): Generator<unknown> {
    let at = 0
    while (at < this.#bytes) {
      const frame = this.#frameAt(at)
      if (frame === undefined) break
      yield frame.value
      at += frame.bytes
    }
    if (at === this.#bytes) return
    ftruncateSync(this.#fd, at)
    this.#bytes = at
  }

  /** Appends a value; it is in the file when this returns. */
  append(value: unknown): void {
    const body = packr.pack(value)
    const head = Buffer.allocUnsafe(HEAD_BYTES)
    head.writeUInt32LE(body.length, 0)
    head.writeUInt32LE(crc32(body), 4)
    head.writeUInt32LE(crc32(head.subarray(0, LENGTHS_BYTES)), LENGTHS_BYTES)
    const written = writevSync(this.#fd, [head, body])
    this.#bytes += written
    if (written === head.length + body.length) return
    ftruncateSync(this.#fd, this.#bytes - written)
    throw new Error(`Cannot append to "${this.#path}": the disk took ${written} bytes of a frame`)
  }

  close(): void {
    closeSync(this.#fd)
  }

  #chunk = Buffer.alloc(0)
  #chunkAt = 0

  #frameAt(at: number): Frame | undefined {
    const head = this.#slice(at, HEAD_BYTES)
    if (head === undefined) return undefined
    const length = head.readUInt32LE(0)
    const sum = head.readUInt32LE(4)
    if (crc32(head.subarray(0, LENGTHS_BYTES)) !== head.readUInt32LE(LENGTHS_BYTES)) {
      throw this.#damage(at, 'the head of a change')
    }
    const body = this.#slice(at + HEAD_BYTES, length)
    if (body === undefined) return undefined
    const bytes = HEAD_BYTES + length
    if (crc32(body) === sum) return { value: packr.unpack(body), bytes }
    if (at + bytes === this.#bytes) return undefined
    throw this.#damage(at, 'a change')
  }

  #damage(at: number, what: string): ConfigError {
    return new ConfigError(
      `The journal "${this.#path}" is damaged at byte ${at}: the checksum of ${what} does not ` +
        'fit. Delete the folder to begin with no streams',
    )
  }

  /** Bytes of the file; undefined where it ends before. */
  #slice(at: number, length: number): Buffer | undefined {
    if (at + length > this.#bytes) return undefined
    if (at < this.#chunkAt || at + length > this.#chunkAt + this.#chunk.length) {
      const wanted = Math.min(Math.max(length, CHUNK_BYTES), this.#bytes - at)
      this.#chunk = Buffer.allocUnsafe(wanted)
      this.#chunkAt = at
      for (let read = 0; read < wanted; ) {
        read += readSync(this.#fd, this.#chunk, read, wanted - read, at + read)
      }
    }
    const from = at - this.#chunkAt
    return this.#chunk.subarray(from, from + length)
  }
}
