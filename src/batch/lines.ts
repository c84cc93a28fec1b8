// Lines of text as bytes. They are decoded in runs of about 64 KiB, and a line is a slice of the
// text of its run: V8 makes such a text among its young objects, in memory that is there and in the
// processor's cache, while a text of megabytes takes fresh memory each time, which costs more
// than the decoding. A line that is kept keeps its run alive, and not the block.

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
  /** The run that was read last. */
  #run: { readonly first: number; readonly texts: TextPieces } | undefined

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

  /** A line as text, without its ending. What is not UTF-8 becomes U+FFFD. Reading line after line
   * decodes each run once. */
  at(index: number): string {
    let run = this.#run
    if (run === undefined || index < run.first || index >= run.first + run.texts.length) {
      run = { first: index, texts: this.#decode(index, this.#runEnd(index, this.length)) }
      this.#run = run
    }
    const { text, starts, ends } = run.texts
    return text.slice(starts[index - run.first], ends[index - run.first])
  }

  /** The lines from `from` to before `to`, run after run. */
  *texts(from = 0, to = this.length): Generator<TextPieces> {
    for (let first = from; first < to; ) {
      const end = this.#runEnd(first, to)
      yield this.#decode(first, end)
      first = end
    }
  }

  /** Where the run ends that begins with line `first`: it has one line at least. */
  #runEnd(first: number, to: number): number {
    const bytesEnd = this.startOf(first) + RUN_BYTES
    let end = first + 1
    while (end < to && this.startOf(end + 1) <= bytesEnd) end += 1
    return end
  }

  #decode(first: number, end: number): TextPieces {
    const from = this.startOf(first)
    const { buffer, byteOffset } = this.bytes
    const run = Buffer.from(buffer, byteOffset + from, this.startOf(end) - from)
    const length = end - first
    const starts = new Uint32Array(length + 1)
    const ascii = isAscii(run)
    const text = run.toString(ascii ? 'latin1' : 'utf8')
    if (ascii) for (let i = 0; i <= length; i++) starts[i] = this.startOf(first + i) - from
    // A newline is never part of a longer UTF-8 sequence: there are as many in the text.
    else for (let i = 1; i <= length; i++) starts[i] = text.indexOf('\n', starts[i - 1]) + 1
    return { length, text, starts, ends: lineEnds(text, starts, run.includes(CR)) }
  }
}

/** Gives how many of `bytes` are whole lines: up to and with the last `\n`. */
export function wholeLinesIn(bytes: Uint8Array): number {
  return bytes.lastIndexOf(LF) + 1
}

/** About as many bytes as a line has. */
const LINE_BYTES = 64
/** Bytes that are decoded at once, unless a line has more. */
const RUN_BYTES = 2 ** 16

/** A Buffer's search is native; that of a Uint8Array takes twice as long. */
function lineStarts({ buffer, byteOffset, byteLength }: Uint8Array): Uint32Array {
  const bytes = Buffer.from(buffer, byteOffset, byteLength)
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

function lineEnds(text: string, starts: Uint32Array, mayHaveCr: boolean): Uint32Array {
  const ends = new Uint32Array(starts.length - 1)
  for (let i = 0; i < ends.length; i++) {
    const end = (starts[i + 1] as number) - 1
    const hasCr = mayHaveCr && end > (starts[i] as number) && text.charCodeAt(end - 1) === CR
    ends[i] = hasCr ? end - 1 : end
  }
  return ends
}
