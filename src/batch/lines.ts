// Lines of text as bytes. The bytes are decoded once, and a line is a slice of that text; such a
// slice keeps the whole text alive, so what goes into state should be a piece of it (split,
// match), not the line.

import { isAscii } from 'node:buffer'
import type { TextPieces } from './block.ts'

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
  #text: TextPieces | undefined

  /** `bytes` must be empty or end with `\n`; `starts` are found if they are not given. */
  constructor(bytes: Uint8Array, starts: Uint32Array = lineStarts(bytes)) {
    this.bytes = bytes
    this.#starts = starts
  }

  /** Where each line begins, and where the last one ends. */
  get starts(): Uint32Array {
    return this.#starts
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
    const { text, starts, ends } = this.decoded()
    return text.slice(starts[index], ends[index])
  }

  /** The text of all lines, decoded once, with where each begins and ends in it. */
  decoded(): TextPieces {
    this.#text ??= decodeLines(this.bytes, this.#starts)
    return this.#text
  }
}

/** Gives how many of `bytes` are whole lines: up to and with the last `\n`. */
export function wholeLinesIn(bytes: Uint8Array): number {
  return bytes.lastIndexOf(LF) + 1
}

/** About as many bytes as a line has. */
const LINE_BYTES = 64

function lineStarts(bytes: Uint8Array): Uint32Array {
  let starts = new Uint32Array(Math.ceil(bytes.length / LINE_BYTES) + 2)
  let lines = 1
  for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, at + 1)) {
    if (lines === starts.length) {
      const longer = new Uint32Array(lines * 2)
      longer.set(starts)
      starts = longer
    }
    starts[lines++] = at + 1
  }
  return starts.slice(0, lines)
}

function decodeLines(bytes: Uint8Array, starts: Uint32Array): TextPieces {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (isAscii(buffer)) {
    const text = buffer.toString('latin1')
    return { text, starts, ends: lineEnds(text, starts, bytes.includes(CR)) }
  }
  // A newline is never part of a longer UTF-8 sequence: there are as many in the text.
  const text = buffer.toString('utf8')
  const textStarts = new Uint32Array(starts.length)
  for (let i = 1; i < starts.length; i++) {
    textStarts[i] = text.indexOf('\n', textStarts[i - 1]) + 1
  }
  return { text, starts: textStarts, ends: lineEnds(text, textStarts, bytes.includes(CR)) }
}

function lineEnds(text: string, starts: Uint32Array, mayHaveCr: boolean): Uint32Array {
  const ends = new Uint32Array(starts.length - 1)
  for (let i = 0; i < ends.length; i++) {
    const end = (starts[i + 1] as number) - 1
    const hasCr = mayHaveCr && end > (starts[i] as number) && text.charCodeAt(end - 1) === CR
    ends[i] = hasCr ? end - 1 : end
  }
  return ends
}
