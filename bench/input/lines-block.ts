// Lines of ASCII as bytes: the text is decoded once a block, and a line is a slice of it.

import { crc32 } from 'node:zlib'
import type { Block } from '../../src/batch/block.ts'

const NEWLINE = 0x0a

/** Consecutive lines, each with the newline that ends it. */
export class LinesBlock implements Block<string> {
  readonly #lines: Buffer
  readonly #starts: Uint32Array
  readonly #first: number
  #text: string | undefined

  /** `starts` is where each line begins, and where the last one ends. */
  constructor(lines: Buffer, starts = startsOf(lines), first = 0) {
    this.#lines = lines
    this.#starts = starts
    this.#first = first
  }

  get length(): number {
    return this.#starts.length - 1
  }

  get bytes(): number {
    return this.#lines.length
  }

  at(index: number): string {
    this.#text ??= asciiOf(this.#lines)
    const start = this.#starts[index] as number
    return this.#text.slice(start, (this.#starts[index + 1] as number) - 1)
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
}

function startsOf(lines: Buffer): Uint32Array {
  let count = 0
  let starts = new Uint32Array(lines.length / 64 + 2)
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

function asciiOf(lines: Buffer): string {
  const text = lines.toString('utf8')
  if (text.length === lines.length) return text
  throw new Error('Cannot slice the lines of a block: the input of the bench is ASCII only')
}
