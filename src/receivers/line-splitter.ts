// Cuts bytes that arrive in pieces into lines.

import type { Frames } from './records-block.ts'

/** What a line that is too long may do: stop the pipeline, or be dropped and counted. */
export const ON_LONG_LINE = ['stop', 'drop'] as const

const LF = 0x0a
const CR = 0x0d

/** Keeps the beginning of a line until its end arrives. */
export class LineSplitter {
  readonly #lineBytesMax: number
  readonly #onLongLine: () => void
  #kept: Buffer = Buffer.alloc(0)
  /** True while the rest of a line that is too long goes by. */
  #skipping = false

  /** `onLongLine` is called for each line that has more than `lineBytesMax` bytes and is left
   * out; it may throw. */
  constructor(lineBytesMax: number, onLongLine: () => void) {
    this.#lineBytesMax = lineBytesMax
    this.#onLongLine = onLongLine
  }

  /** Bytes of a line whose end has not arrived. */
  get keptBytes(): number {
    return this.#kept.length
  }

  /** Gives the lines that end in `piece`. Each has its `\n`. */
  push(piece: Uint8Array): Frames[] {
    const bytes = this.#kept.length === 0 ? piece : Buffer.concat([this.#kept, piece])
    const lines = new LineRuns(bytes)
    let start = 0
    for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, start)) {
      lines.add(start, at + 1, this.#isKept(bytes, start, at))
      start = at + 1
    }
    this.#keep(bytes.subarray(start))
    return lines.end(start)
  }

  /** Gives the last line, which has no end. */
  end(): Frames[] {
    const rest = this.#kept
    this.#kept = Buffer.alloc(0)
    const skipped = this.#skipping
    this.#skipping = false
    if (rest.length === 0 || skipped) return []
    return this.push(Buffer.concat([rest, Buffer.of(LF)]))
  }

  #isKept(bytes: Uint8Array, start: number, end: number): boolean {
    const wasSkipping = this.#skipping
    this.#skipping = false
    if (wasSkipping) return false
    const last = end > start && bytes[end - 1] === CR ? end - 1 : end
    if (last - start <= this.#lineBytesMax) return true
    this.#onLongLine()
    return false
  }

  /** Keeps a line without its end, but never more than the longest line with `\r`. */
  #keep(rest: Uint8Array): void {
    const isLong = rest.length > this.#lineBytesMax + 1
    if (isLong && !this.#skipping) {
      this.#skipping = true
      this.#onLongLine()
    }
    this.#kept = this.#skipping ? Buffer.alloc(0) : Buffer.from(rest)
  }
}

/** Runs of lines that follow each other without one that is left out. */
class LineRuns {
  readonly #bytes: Uint8Array
  readonly #runs: Frames[] = []
  #from = 0
  #starts: number[] = [0]

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  add(start: number, end: number, kept: boolean): void {
    if (kept) {
      this.#starts.push(end - this.#from)
      return
    }
    this.end(start)
    this.#from = end
    this.#starts = [0]
  }

  /** Ends the newest run at `to`, and gives all runs. */
  end(to: number): Frames[] {
    if (this.#starts.length > 1) {
      this.#runs.push({ bytes: this.#bytes.subarray(this.#from, to), starts: this.#starts })
    }
    return this.#runs
  }
}
