// Lines of text as bytes. The bytes are decoded once, and a line is a slice of that text; such a
// slice keeps the whole text alive, so what goes into state should be a piece of it (split,
// match), not the line.

import { isAscii } from 'node:buffer'

const LF = 0x0a
const CR = 0x0d

/** Records as bytes that follow each other: record i begins at `startOf(i)` and ends where the
 * next one begins. */
export interface ByteRecords<T> {
  readonly bytes: Uint8Array
  readonly length: number
  /** Where record `index` begins in `bytes`; for `length`, where the last one ends. */
  startOf(index: number): number
  at(index: number): T
}

/** Lines that each end with `\n`; a `\r` before it belongs to the ending. Immutable. */
export class Lines implements ByteRecords<string> {
  readonly bytes: Uint8Array
  readonly #starts: Uint32Array
  #text: DecodedLines | undefined

  /** `bytes` must be empty or end with `\n`. */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.#starts = lineStarts(bytes)
  }

  get length(): number {
    return this.#starts.length - 1
  }

  startOf(index: number): number {
    return this.#starts[index] as number
  }

  /** The bytes of a line, its ending included. */
  bytesOf(index: number): number {
    return this.startOf(index + 1) - this.startOf(index)
  }

  /** A line as text, without its ending. What is not UTF-8 becomes U+FFFD. */
  at(index: number): string {
    this.#text ??= decodeLines(this.bytes, this.#starts)
    const { text, starts } = this.#text
    const end = (starts[index + 1] as number) - 1
    const start = starts[index] as number
    const last = end > start && text.charCodeAt(end - 1) === CR ? end - 1 : end
    return text.slice(start, last)
  }
}

/** Gives how many of `bytes` are whole lines: up to and with the last `\n`. */
export function wholeLinesIn(bytes: Uint8Array): number {
  return bytes.lastIndexOf(LF) + 1
}

/** The text of a block, and where in it each line begins. */
interface DecodedLines {
  readonly text: string
  readonly starts: ArrayLike<number>
}

function lineStarts(bytes: Uint8Array): Uint32Array {
  const starts = [0]
  for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, at + 1)) starts.push(at + 1)
  return Uint32Array.from(starts)
}

function decodeLines(bytes: Uint8Array, starts: Uint32Array): DecodedLines {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (isAscii(buffer)) return { text: buffer.toString('latin1'), starts }
  // A newline is never part of a longer UTF-8 sequence: there are as many in the text.
  const text = buffer.toString('utf8')
  const textStarts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) {
    textStarts.push(at + 1)
  }
  return { text, starts: textStarts }
}
