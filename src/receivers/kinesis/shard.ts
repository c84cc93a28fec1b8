import { assert } from '../../assert.ts'
import { BlockBuffer, type ByteBound, type TakeLimits } from '../block-buffer.ts'
import type { PartitionPositions, Position, RangeData, SourceRange } from '../receiver.ts'
import { KinesisBlock } from './kinesis-record.ts'
import type { ShardPace } from './shard-pace.ts'
import type { Page } from './stream-reader.ts'

/** Of 10,000 records, each of which counts one byte more. */
const PAGE_BYTES_MAX = 10 * 1_048_576 + 10_000
/** A shard takes 1 MiB and 1,000 records a second. */
const WRITTEN_BYTES_PER_MS = (1_048_576 + 1_000) / 1_000
/** A second of a burst, and one until the page is asked for. */
const BURST_MS = 2_000

/** A position as the log keeps it. */
export type KnownPosition = PartitionPositions[number]

/** What a cut says of the times of a stream. */
export interface TakeTimes {
  /** Where nothing arrives, there is a range without records so often. */
  readonly heartbeatMs: number
  /** How long the stream keeps records; undefined where that is as short as it can be. */
  readonly retentionMs: number | undefined
}

/** One shard: where its reader stands, what waits, and what the batches have taken. */
export class ShardState {
  readonly id: string
  readonly parents: readonly string[]
  readonly pace: ShardPace
  /** Where the next read begins. */
  read: Position
  behindMs: number | undefined
  readonly #origin: string | undefined
  readonly #startedAt: number
  readonly #buffer: BlockBuffer<KinesisBlock>
  /** Up to where batches have taken. */
  #taken: Position
  /** All that arrived before it was received. */
  #completeUpTo: number
  /** The same, as the log knows it. */
  #loggedUpTo: number
  #ended = false
  #endTaken: boolean
  #caughtUp = false
  /** When the last read was asked for, if it went to the tip; epoch milliseconds. */
  #tipMs: number | undefined
  /** Where the reader went on elsewhere, and how many of the records that wait come before that. */
  readonly #jumps: { readonly to: Position; recordsBefore: number }[] = []
  #isGivenUp = false
  #isLogged: boolean

  /** `startedAt`: what arrived before it was there at the start, epoch milliseconds. `isLogged`:
   * the log has its position. */
  constructor(
    known: KnownPosition,
    bound: ByteBound,
    pace: ShardPace,
    { startedAt, isLogged }: { readonly startedAt: number; readonly isLogged: boolean },
  ) {
    this.id = known.partition
    this.parents = known.parents
    this.pace = pace
    this.read = known.position
    this.#origin = known.origin
    this.#startedAt = startedAt
    this.#isLogged = isLogged
    this.#taken = known.position
    this.#completeUpTo = known.caughtUpAt
    this.#loggedUpTo = known.caughtUpAt
    this.#endTaken = known.position.kind === 'END'
    this.#ended = this.#endTaken
    this.#buffer = new BlockBuffer(bound)
  }

  /** True once the service said that no record will follow. */
  get ended(): boolean {
    return this.#ended
  }

  /** True once a batch has taken the end. */
  get endTaken(): boolean {
    return this.#endTaken
  }

  /** True once everything that was there at the start is read. */
  get caughtUp(): boolean {
    return this.#ended || this.#caughtUp
  }

  /** Records that wait. */
  get waiting(): number {
    return this.#buffer.records
  }

  /** Bytes that wait. */
  get waitingBytes(): number {
    return this.#buffer.bytes
  }

  /** All that arrived before this time, epoch milliseconds, was received. */
  get completeUpTo(): number {
    return this.#completeUpTo
  }

  /** Bytes to keep free for the next page: as much as a page may have or, at the tip, as may have
   * been written since. */
  pageBytes(nowMs: number): number {
    if (this.#tipMs === undefined) return PAGE_BYTES_MAX
    const sinceMs = Math.max(0, nowMs - this.#tipMs) + BURST_MS
    return Math.min(PAGE_BYTES_MAX, Math.ceil(sinceMs * WRITTEN_BYTES_PER_MS))
  }

  receive(page: Page): void {
    assert(!this.#ended, () => `shard ${this.id} was read past its end`)
    const last = page.records.at(-1)
    // Until then it was only known when the oldest record was asked for.
    if (last !== undefined && this.read.kind === 'TRIM_HORIZON') this.#completeUpTo = 0
    if (last !== undefined) {
      this.#buffer.push(new KinesisBlock(this.id, page.records))
      this.read = { kind: 'sequence', sequence: last.sequenceNumber, sub: -1 }
    }
    this.#caughtUp ||= this.#reachesStart(page)
    this.behindMs = page.behindMs
    this.#tipMs = page.behindMs === 0 ? page.askedAt : undefined
    this.#ended = page.next === undefined
    // An ended shard's children may hold what arrived since its last record: no later time is sure.
    const sure = this.#ended ? 0 : page.askedAt - page.behindMs
    this.#completeUpTo = Math.max(this.#completeUpTo, sure, last?.arrivalMs ?? 0)
  }

  /** True if all that was there at the start is in this page or before it. A stream that is being
   * written gives no empty page; behind the tip an empty one says nothing, since the service gives
   * some with records after them. */
  #reachesStart({ records, behindMs, isFull, askedAt }: Page): boolean {
    const isNewer = (records.at(-1)?.arrivalMs ?? 0) > this.#startedAt
    // Some servers always say 0: there a full page may have any number of records after it.
    if (behindMs === 0) return isNewer || !isFull
    // The clock of the service alone may be ahead of this one.
    return isNewer && askedAt - behindMs >= this.#startedAt
  }

  /** True once it ended before all of it was read. */
  get isGivenUp(): boolean {
    return this.#isGivenUp
  }

  /** True if the log has its position, or will before anything that is cut later. */
  get isLogged(): boolean {
    return this.#isLogged
  }

  /** True while it has given no record, and no record before it was there. */
  get isUnread(): boolean {
    return this.read.kind === 'TRIM_HORIZON' || this.read.kind === 'timestamp'
  }

  /** Its parents have ended: what it holds arrived after this time, epoch milliseconds. */
  bornAfter(ms: number): void {
    // Where a time was asked for, what arrived before it is not missing.
    this.#completeUpTo = this.read.kind === 'timestamp' ? Math.max(ms, this.#completeUpTo) : ms
  }

  /** Ends the shard where it is: what it still held was lost, up to now. */
  giveUp(nowMs: number): void {
    this.#ended = true
    this.#isGivenUp = true
    this.#completeUpTo = nowMs
  }

  /** What arrived up to this time was lost, and is told. Goes on with what comes next. */
  lost(upToMs: number): void {
    this.#completeUpTo = upToMs
  }

  /** Goes on elsewhere, since what was there was lost. What waits is taken before that. */
  moveTo(position: Position, completeUpTo: number): void {
    this.read = position
    this.#completeUpTo = completeUpTo
    const recordsBefore = this.#buffer.records
    if (this.#jumps.at(-1)?.recordsBefore === recordsBefore) this.#jumps.pop()
    this.#jumps.push({ to: position, recordsBefore })
  }

  /** Takes what waits, within the limits, as one range; undefined if there is nothing new. Where
   * nothing arrives, there is a range without records every `heartbeatMs`. */
  take(limits: TakeLimits, { heartbeatMs, retentionMs }: TakeTimes): RangeData | undefined {
    const blocks = this.#buffer.take(this.#upToJump(limits), slice)
    for (const jump of this.#jumps) jump.recordsBefore -= lengthOf(blocks)
    const isEmpty = this.#buffer.length === 0
    const atEnd = this.#ended && isEmpty && !this.#endTaken
    const last = blocks.at(-1)
    const isDue = isEmpty && this.#completeUpTo - this.#loggedUpTo >= heartbeatMs
    if (last === undefined && !atEnd && (this.#endTaken || !isDue)) return undefined
    const caughtUpAt = isEmpty ? this.#completeUpTo : (last?.lastArrivalMs ?? this.#loggedUpTo)
    this.#loggedUpTo = caughtUpAt
    const after = this.#taken
    this.#taken = this.#after(last, atEnd)
    this.#endTaken ||= atEnd
    this.#isLogged = true
    const range = this.#range(after, blocks, caughtUpAt)
    return { range: retentionMs === undefined ? range : { ...range, retentionMs }, blocks }
  }

  /** A range holds nothing from behind a jump: it could not be read again in one. */
  #upToJump(limits: TakeLimits): TakeLimits {
    const [jump] = this.#jumps
    if (jump === undefined) return limits
    if (jump.recordsBefore > 0) {
      return { ...limits, recordsMax: Math.min(limits.recordsMax, jump.recordsBefore) }
    }
    this.#taken = jump.to
    this.#jumps.shift()
    return this.#upToJump(limits)
  }

  #after(last: KinesisBlock | undefined, atEnd: boolean): Position {
    if (atEnd) return { kind: 'END' }
    if (last === undefined) return this.#taken
    return { kind: 'sequence', sequence: last.lastSequence, sub: -1 }
  }

  #range(after: Position, blocks: readonly KinesisBlock[], caughtUpAt: number): SourceRange {
    const range = {
      partition: this.id,
      after,
      upTo: this.#taken,
      records: lengthOf(blocks),
      crc: blocks.reduce((before, block) => block.crc(before), 0),
      caughtUpAt,
      parents: this.parents,
    }
    return this.#origin === undefined ? range : { ...range, origin: this.#origin }
  }
}

function slice(block: KinesisBlock, start: number, end: number): KinesisBlock {
  return block.slice(start, end)
}

function lengthOf(blocks: readonly KinesisBlock[]): number {
  return blocks.reduce((n, block) => n + block.length, 0)
}

/** Shard ids grow: a child's is greater than its parents'. */
export function byLineage(a: ShardState, b: ShardState): number {
  return a.id < b.id ? -1 : 1
}
