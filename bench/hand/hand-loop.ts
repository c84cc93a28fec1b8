// A workload as one would write it without an engine, on one thread and on two. Naive, not tuned:
// the same closures, the same keys, the same bytes, decoded and brought to the same result.

import type { Check } from '../check.ts'

/** What one thread sends to the other: keys, each ended by a newline, and their numbers. */
export interface Columns {
  readonly keys: string
  readonly values: Float64Array<ArrayBuffer>
}

/** What a stream has in a batch, or in half of one: pieces of whole lines. */
export type Text = readonly string[]

/** The loop on one thread. */
export interface HandLoop {
  /** Processes a batch, the text of each stream, and gives the check of its result. */
  batch(texts: readonly Text[]): Check
  /** Adds the batch to the totals; not timed. */
  addUp?(): void
  /** The check of the results over all batches, for engines that give no result by batch. */
  totals?(): Check
}

/** One of two threads: it decodes its half of each batch, and owns its half of the keys. */
export interface HandHalf<Part> {
  /** Processes its half of a batch; gives what belongs to the other thread, if anything can. */
  scatter(texts: readonly Text[]): readonly Columns[] | undefined
  /** Takes what the other thread sent and gives this thread's part of the result. */
  gather(arrived: readonly Columns[]): Part
}

/** A workload, both ways. */
export interface Hand<Part = unknown> {
  loop(inputs: readonly string[]): HandLoop
  half(self: number, inputs: readonly string[]): HandHalf<Part>
  /** Makes the check of a batch of the parts of both threads. */
  combine(parts: readonly Part[]): Check
}

/** How many threads share the work. */
export const THREADS = 2

/** Calls `use` with each line. */
export function forEachLine(text: Text, use: (line: string) => void): void {
  for (const piece of text) {
    let start = 0
    for (let end = piece.indexOf('\n'); end !== -1; end = piece.indexOf('\n', start)) {
      use(piece.substring(start, end))
      start = end + 1
    }
  }
}

/** The thread that owns a key. */
export function ownerOf(key: string): number {
  let hash = 0
  for (let i = 0; i < key.length; i++) hash = (Math.imul(hash, 31) + key.charCodeAt(i)) | 0
  return (hash >>> 16) % THREADS
}

/** Pairs that go to the other thread. */
export class Outbox {
  readonly #keys: string[] = []
  readonly #values: number[] = []

  push(key: string, value: number): void {
    this.#keys.push(key)
    this.#values.push(value)
  }

  columns(): Columns {
    const keys = this.#keys.length === 0 ? '' : `${this.#keys.join('\n')}\n`
    return { keys, values: Float64Array.from(this.#values) }
  }
}

/** Calls `use` with each pair that came from the other thread. */
export function forEachPair(
  { keys, values }: Columns,
  use: (key: string, value: number) => void,
): void {
  let index = 0
  forEachLine([keys], (key) => {
    use(key, values[index] as number)
    index += 1
  })
}
