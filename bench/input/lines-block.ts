// Lines of ASCII as bytes: the text is decoded once a block, and a line is a slice of it.

import { crc32 } from 'node:zlib'
import type { Block } from '../../src/batch/block.ts'

const NEWLINE = 0x0a
/** About as many bytes as a line has. */
const LINE_BYTES = 64

/** What goes to another thread for a block. */
interface Content {
  readonly lines: Uint8Array<ArrayBuffer>
  readonly starts: Uint32Array<ArrayBuffer>
  readonly first: number
}

/** Consecutive lines, each with the newline that ends it. */
export class LinesBlock implements Block<string> {
  readonly #lines: Uint8Array
  readonly #starts: Uint32Array
  readonly #first: number
  #text: string | undefined

  /** `starts` is where each line begins, and where the last one ends. */
  constructor(lines: Uint8Array, starts = startsOf(lines), first = 0) {
    this.#lines = lines
    this.#starts = starts
    this.#first = first
  }

  /** Makes the block that `toParcel` was called on, in another thread. */
  static fromParcel(content: unknown): LinesBlock {
    const { lines, starts, first } = content as Content
    return new LinesBlock(lines, starts, first)
  }

  get length(): number {
    return this.#starts.length - 1
  }

  get bytes(): number {
    return this.#lines.length
  }

  at(index: number): string {
    const start = this.#starts[index] as number
    return this.#decoded().slice(start, (this.#starts[index + 1] as number) - 1)
  }

  /** Continued over the bytes: the same however the lines are cut into blocks. */
  crc(before: number): number {
    return crc32(this.#lines, before)
  }

  positionAt(index: number): string {
    return `line ${this.#first + index}`
  }

  slice(start: number, end: number): LinesBlock {
    const from = this.#starts[start] as number
    const starts = this.#starts.slice(start, end + 1).map((offset) => offset - from)
    const lines = this.#lines.subarray(from, this.#starts[end])
    return new LinesBlock(lines, starts, this.#first + start)
  }

  /** The lines as pieces of the text. */
  textPieces(): { text: string; starts: Uint32Array; ends: Uint32Array } {
    const starts = this.#starts
    const ends = new Uint32Array(this.length)
    for (let i = 0; i < ends.length; i++) ends[i] = (starts[i + 1] as number) - 1
    return { text: this.#decoded(), starts, ends }
  }

  /** The block on its way to another thread, in memory of its own. */
  toParcel(): { content: Content; buffers: ArrayBuffer[] } {
    const lines = alone(this.#lines) ? this.#lines : new Uint8Array(this.#lines)
    const starts = new Uint32Array(this.#starts)
    const content = { lines, starts, first: this.#first }
    return { content, buffers: [lines.buffer, starts.buffer] }
  }

  #decoded(): string {
    this.#text ??= asciiOf(this.#lines)
    return this.#text
  }
}

function alone(bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> {
  return bytes.byteLength === bytes.buffer.byteLength && bytes.buffer instanceof ArrayBuffer
}

function startsOf(lines: Uint8Array): Uint32Array {
  let starts = new Uint32Array(Math.ceil(lines.length / LINE_BYTES) + 2)
  let count = 0
  for (let end = lines.indexOf(NEWLINE); end !== -1; end = lines.indexOf(NEWLINE, end + 1)) {
    count += 1
    if (count === starts.length) {
      const longer = new Uint32Array(starts.length * 2)
      longer.set(starts)
      starts = longer
    }
    starts[count] = end + 1
  }
  return starts.subarray(0, count + 1)
}

function asciiOf({ buffer, byteOffset, byteLength }: Uint8Array): string {
  const text = Buffer.from(buffer, byteOffset, byteLength).toString('utf8')
  if (text.length === byteLength) return text
  throw new Error('Cannot slice the lines of a block: the input of the bench is ASCII only')
}
