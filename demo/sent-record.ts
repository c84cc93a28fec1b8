// The producer's own record of what it sent: the oracle that the engine's output is checked
// against.
//
// One line of JSON before each put (the intent, with the text of every record) and one after it
// (the acknowledgement: which records failed, the newest sequence number of each shard, the running
// totals). Always holds: at most one intent has no acknowledgement, and it is the last line; every
// put before it is settled. After a crash: a torn last line is cut. A torn intent was never put,
// since the line is written first; a whole intent without acknowledgement is in doubt, and
// `resolve()` asks the stream which of its records are there. The totals come from these lines
// alone.

import { createReadStream } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import type { Cursor, Line } from './speeches.ts'
import { tallyWords } from './words.ts'

/** No line is longer, so the last two lines are always within the last bytes that `open` reads. */
const LINE_BYTES_MAX = 2 * 1024 * 1024
const NEW_LINE = 0x0a

/** A put that is about to be made. */
export interface Intent {
  readonly intent: number
  readonly records: readonly (readonly [year: string, text: string])[]
  /** Where the producer goes on after it. */
  readonly next: Cursor
}

/** What became of the put with the same number. */
export interface Acknowledgement {
  readonly ack: number
  /** Indices of the intent's records that the stream did not take. */
  readonly failed: readonly number[]
  /** Newest sequence number of each shard. */
  readonly last: Readonly<Record<string, string>>
  /** Records and words that the stream took since the record was begun. */
  readonly totalRecords: number
  readonly totalWords: number
}

/** What the stream said about a put. */
export type Outcome = Pick<Acknowledgement, 'failed' | 'last'>

const NOTHING: Acknowledgement = { ack: 0, failed: [], last: {}, totalRecords: 0, totalWords: 0 }

/** Appends to the record and knows where it stands. */
export class SentRecord {
  readonly #file: FileHandle
  #intent: Intent | undefined
  #ack: Acknowledgement

  private constructor(file: FileHandle, intent: Intent | undefined, ack: Acknowledgement) {
    this.#file = file
    this.#intent = intent
    this.#ack = ack
  }

  static async open(path: string): Promise<SentRecord> {
    const file = await open(path, 'a+')
    const lines = await lastTwoLines(file)
    const intent = lines.findLast((line) => 'intent' in line)
    const ack = lines.findLast((line) => 'ack' in line)
    return new SentRecord(file, intent, ack ?? NOTHING)
  }

  /** The put that has no acknowledgement, if there is one. */
  get inDoubt(): Intent | undefined {
    return this.#intent?.intent === this.#ack.ack ? undefined : this.#intent
  }

  /** Totals and sequence numbers after the last settled put. */
  get settled(): Acknowledgement {
    return this.#ack
  }

  /** Records of the last put that the stream did not take: they go into the next one. */
  get unsent(): Line[] {
    const records = this.#intent?.records ?? []
    return this.#ack.failed.map((index) => ({ year: records[index]![0], text: records[index]![1] }))
  }

  /** Where the producer goes on. */
  get next(): Cursor {
    return this.#intent?.next ?? [0, 0]
  }

  /** Writes down a put before it is made. */
  async intend(lines: readonly Line[], next: Cursor): Promise<Intent> {
    if (this.inDoubt !== undefined) throw new Error('One put at a time: the last one is in doubt')
    const records = lines.map(({ year, text }) => [year, text] as const)
    const intent = { intent: this.#ack.ack + 1, records, next }
    await this.#append(intent)
    this.#intent = intent
    return intent
  }

  /** Writes down what became of the put that is in doubt. */
  async acknowledge({ failed, last }: Outcome): Promise<void> {
    const intent = this.inDoubt
    if (intent === undefined) throw new Error('Nothing to acknowledge: no put is in doubt')
    const lost = new Set(failed)
    const taken = intent.records.filter((_, index) => !lost.has(index))
    const words = taken.reduce((sum, [, text]) => sum + tallyWords(new Map(), text), 0)
    const ack = {
      ack: intent.intent,
      failed,
      last: { ...this.#ack.last, ...last },
      totalRecords: this.#ack.totalRecords + taken.length,
      totalWords: this.#ack.totalWords + words,
    }
    await this.#append(ack)
    this.#ack = ack
  }

  async close(): Promise<void> {
    await this.#file.close()
  }

  async #append(line: Intent | Acknowledgement): Promise<void> {
    const bytes = Buffer.from(`${JSON.stringify(line)}\n`)
    if (bytes.length > LINE_BYTES_MAX)
      throw new Error(`A put of ${bytes.length} bytes is too large`)
    await this.#file.appendFile(bytes)
  }
}

/** Everything that was sent, counted from the record. */
export interface SentTotals {
  readonly records: number
  readonly words: number
  readonly counts: ReadonlyMap<string, number>
}

/** Counts the words of every record that the stream took. */
export async function sentTotals(path: string): Promise<SentTotals> {
  const counts = new Map<string, number>()
  let records = 0
  let words = 0
  let intent: Intent | undefined
  for await (const text of createInterface({ input: createReadStream(path) })) {
    const line = JSON.parse(text) as Intent | Acknowledgement
    if ('intent' in line) {
      intent = line
      continue
    }
    const lost = new Set(line.failed)
    for (const [index, [, sentence]] of (intent?.records ?? []).entries()) {
      if (lost.has(index)) continue
      records += 1
      words += tallyWords(counts, sentence)
    }
    intent = undefined
  }
  if (intent !== undefined)
    throw new Error(`Cannot count what was sent: put ${intent.intent} is in doubt`)
  return { records, words, counts }
}

/** True if the record holds anything; the folder was used before. */
export async function wasSent(path: string): Promise<boolean> {
  try {
    return (await stat(path)).size > 0
  } catch {
    return false
  }
}

async function lastTwoLines(file: FileHandle): Promise<(Intent | Acknowledgement)[]> {
  const { size } = await file.stat()
  const from = Math.max(0, size - 3 * LINE_BYTES_MAX)
  const tail = Buffer.alloc(size - from)
  await file.read(tail, 0, tail.length, from)
  const end = tail.lastIndexOf(NEW_LINE) + 1
  if (end < tail.length) await file.truncate(from + end)
  const lines = tail.subarray(0, end).toString().split('\n').slice(0, -1).slice(-2)
  return lines.map((line) => JSON.parse(line) as Intent | Acknowledgement)
}
