import { assert } from '../../assert.ts'
import { BlockBuffer, type ByteBound, type TakeLimits } from '../block-buffer.ts'
import type { Position, RangeData } from '../receiver.ts'
import { KinesisBlock } from './kinesis-record.ts'
import type { Page } from './stream-reader.ts'

const EMPTY_PAGES_CAUGHT_UP = 3

/** One shard: where its reader stands, what waits, and what the batches have taken. */
export class ShardState {
  readonly id: string
  readonly parents: readonly string[]
  readonly #buffer: BlockBuffer<KinesisBlock>
  /** Where the next read begins. */
  read: Position
  /** Up to where batches have taken. */
  #taken: Position
  #caughtUpAt: number
  #ended = false
  #endTaken: boolean
  #emptyPages = 0
  #atTip = false
  behindMs: number | undefined

  constructor(
    known: {
      readonly partition: string
      readonly position: Position
      readonly caughtUpAt: number
      readonly parents: readonly string[]
    },
    bound: ByteBound,
  ) {
    this.id = known.partition
    this.parents = known.parents
    this.read = known.position
    this.#taken = known.position
    this.#caughtUpAt = known.caughtUpAt
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
    return this.#ended || this.#atTip
  }

  /** Records that wait. */
  get waiting(): number {
    return this.#buffer.records
  }

  receive(page: Page, nowMs: number): void {
    assert(!this.#ended, () => `shard ${this.id} was read past its end`)
    if (page.records.length > 0) {
      const block = new KinesisBlock(this.id, page.records)
      this.#buffer.push(block)
      this.read = { kind: 'sequence', sequence: block.lastSequence, sub: -1 }
    }
    this.#emptyPages = page.records.length === 0 ? this.#emptyPages + 1 : 0
    const empty = page.records.length === 0
    if ((empty && page.behindMs === 0) || this.#emptyPages >= EMPTY_PAGES_CAUGHT_UP) {
      this.#atTip = true
      this.#caughtUpAt = nowMs
    }
    this.behindMs = page.behindMs
    if (page.next === undefined) this.#ended = true
  }

  /** Takes what waits, within the limits, as one range; undefined if there is nothing new. */
  take(limits: TakeLimits): RangeData | undefined {
    const blocks = this.#buffer.take(limits, (block, start, end) => block.slice(start, end))
    const atEnd = this.#ended && this.#buffer.length === 0 && !this.#endTaken
    const last = blocks.at(-1)
    if (last === undefined && !atEnd) return undefined
    const after = this.#taken
    const upTo: Position = atEnd
      ? { kind: 'END' }
      : { kind: 'sequence', sequence: last?.lastSequence ?? '', sub: -1 }
    this.#taken = upTo
    this.#endTaken = atEnd
    const records = blocks.reduce((n, block) => n + block.length, 0)
    const crc = blocks.reduce((before, block) => block.crc(before), 0)
    const range = { partition: this.id, after, upTo, records, crc }
    return {
      range: { ...range, caughtUpAt: this.#caughtUpAt, parents: this.parents },
      blocks,
    }
  }
}
