// Lines as bytes, in a block whose source can make it again: what the engine's own sources of lines
// give, without a file or a socket.

import { crc32 } from 'node:zlib'
import { type Block, type BlockParcel, ownBytes, type TextPieces } from '../../src/batch/block.ts'
import { Lines } from '../../src/batch/lines.ts'

/** What goes to another thread for a block. */
interface Content {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly starts: Uint32Array
  readonly first: number
}

/** Consecutive lines of a partition. */
export class LinesBlock implements Block<string> {
  readonly #lines: Lines
  readonly #first: number

  constructor(lines: Lines, first = 0) {
    this.#lines = lines
    this.#first = first
  }

  /** Makes the block that `toParcel` was called on, in another thread. */
  static fromParcel(content: unknown): LinesBlock {
    const { bytes, starts, first } = content as Content
    return new LinesBlock(new Lines(bytes, starts), first)
  }

  get length(): number {
    return this.#lines.length
  }

  get bytes(): number {
    return this.#lines.bytes.length
  }

  at(index: number): string {
    return this.#lines.at(index)
  }

  /** Continued over the bytes: the same however the lines are cut into blocks. */
  crc(before: number): number {
    return crc32(this.#lines.bytes, before)
  }

  positionAt(index: number): string {
    return `line ${this.#first + index}`
  }

  slice(start: number, end: number): LinesBlock {
    const from = this.#lines.startOf(start)
    const bytes = this.#lines.bytes.subarray(from, this.#lines.startOf(end))
    const starts = this.#lines.starts.slice(start, end + 1).map((at) => at - from)
    return new LinesBlock(new Lines(bytes, starts), this.#first + start)
  }

  textPieces(): Iterable<TextPieces> {
    return this.#lines.texts()
  }

  toParcel(): BlockParcel {
    const bytes = ownBytes(this.#lines.bytes)
    const { starts } = this.#lines
    const content: Content = { bytes, starts, first: this.#first }
    return { content, buffers: [bytes.buffer, starts.buffer as ArrayBuffer] }
  }
}
