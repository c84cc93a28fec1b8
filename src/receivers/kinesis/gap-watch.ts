// Looks, while the stream is read, whether it drops records before they are.

import type { Clock } from '../../clock.ts'
import type { ShardNews } from '../../events.ts'
import type { RangeData } from '../receiver.ts'
import { type Gap, gapError, gapNews } from './gaps.ts'
import type { KinesisSettings } from './options.ts'
import { originOf, passed } from './resume.ts'
import type { KnownPosition, ShardState } from './shard.ts'
import type { StreamReader, StreamSummary } from './stream-reader.ts'

/** A shard that is behind is asked about at most so often. */
const LOOK_INTERVAL_MS = 60_000
const RETENTION_MS = 24 * 3_600_000
/** A reader that began at the oldest record is clear of the end of the stream when it is this much
 * of the retention ahead of it; before, what the stream drops is what it was to begin after. */
const CLEAR_SHARE = 0.01

/** Judges the shards of one stream. */
export class GapWatch {
  readonly #settings: KinesisSettings
  readonly #reader: StreamReader
  readonly #clock: Clock
  readonly #tell: (news: ShardNews) => void
  readonly #shards = new Map<string, ShardState>()
  /** Shards of which nothing may be dropped unread. */
  readonly #watched = new Set<ShardState>()
  readonly #lookedAt = new Map<ShardState, number>()
  #retentionMs = RETENTION_MS
  #origin: string | undefined

  constructor(
    settings: KinesisSettings,
    reader: StreamReader,
    clock: Clock,
    tell: (news: ShardNews) => void,
  ) {
    this.#settings = settings
    this.#reader = reader
    this.#clock = clock
    this.#tell = tell
  }

  /** How long the stream keeps records, milliseconds. */
  get retentionMs(): number {
    return this.#retentionMs
  }

  /** Takes in what the service says of the stream. */
  describe({ retentionMs, createdMs }: StreamSummary): void {
    this.#retentionMs = retentionMs
    this.#origin ??= originOf(createdMs)
  }

  /** `isWatched`: nothing of the shard may be dropped unread from now on. */
  add(shard: ShardState, isWatched: boolean): void {
    this.#shards.set(shard.id, shard)
    if (isWatched) this.#watched.add(shard)
  }

  forget(id: string): void {
    const shard = this.#shards.get(id)
    if (shard === undefined) return
    this.#shards.delete(id)
    this.#watched.delete(shard)
    this.#lookedAt.delete(shard)
  }

  withOrigin(known: KnownPosition): KnownPosition {
    return this.#origin === undefined ? known : { ...known, origin: this.#origin }
  }

  /** A time before which no record of a child can have arrived. */
  bornAfter(parents: readonly string[]): number {
    const times = parents.flatMap((id) => this.#shards.get(id)?.completeUpTo ?? [])
    return times.length === 0 ? this.#clock.wallMs() : Math.max(...times)
  }

  /** Before a read. True: records of the shard were dropped unread, and the reader was moved on. */
  async passedGap(shard: ShardState): Promise<boolean> {
    const horizon = this.#horizonMs
    const isClear = shard.completeUpTo >= horizon + CLEAR_SHARE * this.#retentionMs
    if (isClear && shard.read.kind !== 'TRIM_HORIZON') this.#watched.add(shard)
    if (shard.completeUpTo >= horizon || !this.#watched.has(shard)) return false
    if (await this.#isHeld(shard)) return false
    const fromMs = shard.completeUpTo
    this.#pass({ shard: shard.id, kind: 'dropped', fromMs, toMs: this.#horizonMs })
    const { position, caughtUpAt } = passed(this.#settings.onGap, { nowMs: this.#clock.wallMs() })
    shard.moveTo(position, caughtUpAt)
    return true
  }

  /** After the service said that it has no such shard, or none that fits. True: the run goes on
   * without it. */
  async passedLoss(shard: ShardState): Promise<boolean> {
    const { createdMs } = await this.#reader.describe(false)
    const origin = originOf(createdMs)
    const fromMs = shard.completeUpTo
    const toMs = this.#clock.wallMs()
    if (origin !== undefined && this.#origin !== undefined && origin !== this.#origin) {
      // Nothing that is known holds for the other stream: only a start can begin with it.
      const madeMs = Math.max(fromMs, createdMs ?? toMs)
      throw gapError(this.#settings.stream, {
        ...{ shard: shard.id, kind: 'made anew', fromMs, toMs: madeMs },
      })
    }
    const listed = await this.#reader.shards()
    if (listed.some(({ id }) => id === shard.id)) return false
    this.#pass({ shard: shard.id, kind: 'vanished', fromMs, toMs })
    shard.giveUp()
    return true
  }

  /** What a replay could not read again because the stream has dropped it. */
  inReplay({ range, blocks }: RangeData): Gap | undefined {
    const records = blocks.reduce((n, block) => n + block.length, 0)
    const { partition: shard, caughtUpAt } = range
    if (records === range.records || caughtUpAt >= this.#horizonMs) return undefined
    return { shard, kind: 'dropped', fromMs: caughtUpAt, toMs: this.#horizonMs }
  }

  get #horizonMs(): number {
    return this.#clock.wallMs() - this.#retentionMs
  }

  /** True if the last record that was read is still there, or was a moment ago. */
  async #isHeld(shard: ShardState): Promise<boolean> {
    const { read } = shard
    if (read.kind !== 'sequence') return false
    const lookedAt = this.#lookedAt.get(shard)
    const nowMs = this.#clock.monotonicMs()
    if (lookedAt !== undefined && nowMs - lookedAt < LOOK_INTERVAL_MS) return true
    const isHeld = await this.#reader.holds(shard.id, read.sequence, shard.pace)
    if (isHeld) this.#lookedAt.set(shard, nowMs)
    return isHeld
  }

  /** Goes on after a gap, or throws it. */
  #pass(gap: Gap): void {
    const { stream, onGap } = this.#settings
    if (onGap === 'fail') throw gapError(stream, gap)
    this.#tell(gapNews(stream, gap, onGap))
  }
}
