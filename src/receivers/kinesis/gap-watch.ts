// Looks, while the stream is read, whether it drops records before they are.

import type { Clock } from '../../clock.ts'
import type { ShardNews } from '../../events.ts'
import type { RangeData } from '../receiver.ts'
import { type Gap, gapError, gapNews, replayGapError } from './gaps.ts'
import type { KinesisBlock } from './kinesis-record.ts'
import type { KinesisSettings } from './options.ts'
import { originOf, passed, RETENTION_MIN_MS } from './resume.ts'
import type { KnownPosition, ShardState } from './shard.ts'
import type { ShardPace } from './shard-pace.ts'
import type { ListedShard, StreamReader, StreamSummary } from './stream-reader.ts'

/** A gap that was told at the start is told again where the first read comes so much later. */
const TOLD_MS = 60_000
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
  /** Shards whose gap was told, and that have given no page since. */
  readonly #told = new Set<string>()
  #retentionMs: number | undefined
  /** What arrived before it may be gone, however long the retention is now. */
  #floorMs = 0
  #origin: string | undefined
  #checking: Promise<void> | undefined

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
    return this.#retentionMs ?? RETENTION_MIN_MS
  }

  /** What arrived before it, the stream may have dropped. */
  get horizonMs(): number {
    return Math.max(this.#clock.wallMs() - this.retentionMs, this.#floorMs)
  }

  /** Takes in what the service says of the stream. Throws if it is another one than before. */
  describe({ retentionMs, createdMs }: StreamSummary): void {
    // A retention that has become longer did not bring back what had expired by then.
    if (this.#retentionMs !== undefined) this.#floorMs = this.horizonMs
    this.#retentionMs = retentionMs
    const origin = originOf(createdMs)
    const isOther = this.#origin !== undefined && origin !== undefined && origin !== this.#origin
    if (isOther) throw this.#madeAnew(createdMs)
    this.#origin ??= origin
  }

  /** Asks the service for the stream; those that ask at once share the answer. */
  check(): Promise<void> {
    this.#checking ??= this.#reader
      .describe(false)
      .then((summary) => this.describe(summary))
      .finally(() => {
        this.#checking = undefined
      })
    return this.#checking
  }

  /** `isWatched`: nothing of the shard may be dropped unread from now on. */
  add(shard: ShardState, isWatched: boolean): void {
    this.#shards.set(shard.id, shard)
    if (isWatched) this.#watched.add(shard)
    else this.watchIfClear(shard)
  }

  /** Nothing may be dropped unread of a shard that was read clear of the end of the stream. */
  watchIfClear(shard: ShardState): void {
    const isClear = shard.completeUpTo >= this.horizonMs + CLEAR_SHARE * this.retentionMs
    if (isClear && shard.read.kind !== 'TRIM_HORIZON') this.#watched.add(shard)
  }

  /** The gap of a shard up to now was told. */
  told(id: string): void {
    this.#told.add(id)
  }

  forget(id: string): void {
    const shard = this.#shards.get(id)
    if (shard === undefined) return
    this.#shards.delete(id)
    this.#watched.delete(shard)
    this.#told.delete(id)
  }

  withOrigin(known: KnownPosition): KnownPosition {
    return this.#origin === undefined ? known : { ...known, origin: this.#origin }
  }

  /** A time before which no record of a child can have arrived. */
  bornAfter(parents: readonly string[]): number {
    const times = parents.flatMap((id) => this.#shards.get(id)?.completeUpTo ?? [])
    return times.length === 0 ? this.#clock.wallMs() : Math.max(...times)
  }

  /** True if nothing of a child of these may be dropped: a child of a parent that was clear. */
  isWatched(parents: readonly string[]): boolean {
    const known = parents.flatMap((id) => this.#shards.get(id) ?? [])
    return known.length === 0 || known.some((parent) => this.#watched.has(parent))
  }

  /** The parents of a child were read to their end, which was later than the child was found. */
  follow(child: ShardState): void {
    if (!child.isUnread) return
    child.bornAfter(this.bornAfter(child.parents))
    if (this.isWatched(child.parents)) this.#watched.add(child)
  }

  /** After a read, before what it gave is received. True: records of the shard were dropped unread,
   * and the reader was moved on. */
  async passedGap(shard: ShardState): Promise<boolean> {
    const wasTold = this.#told.delete(shard.id)
    const fromMs = shard.completeUpTo
    const slackMs = wasTold ? TOLD_MS : 0
    if (fromMs >= this.horizonMs - slackMs || !this.#watched.has(shard)) return false
    if (await this.#isWhole(shard)) return false
    const nowMs = this.#clock.wallMs()
    const { horizonMs } = this
    this.#pass({ shard: shard.id, kind: 'dropped', fromMs, toMs: horizonMs })
    const { position, caughtUpAt } = passed(this.#settings.onGap, shard.read, nowMs, horizonMs)
    const isMoved = position !== shard.read
    if (isMoved) shard.moveTo(position, caughtUpAt)
    else shard.lost(caughtUpAt)
    return isMoved
  }

  /** After the service said that it has no such shard, or none that fits. True: the run goes on
   * without it. */
  async passedLoss(shard: ShardState): Promise<boolean> {
    await this.check()
    const listed = await this.#reader.shards()
    if (listed.some(({ id }) => id === shard.id)) return false
    const toMs = this.#clock.wallMs()
    this.#pass({ shard: shard.id, kind: 'vanished', fromMs: shard.completeUpTo, toMs })
    shard.giveUp(toMs)
    return true
  }

  /** Shards came whose parents never did: those came and went unread. */
  passHoles(parents: readonly string[]): void {
    const times = [...this.#shards.values()].map(({ completeUpTo }) => completeUpTo)
    const toMs = this.#clock.wallMs()
    for (const shard of parents) {
      this.#pass({ shard, kind: 'vanished', fromMs: Math.min(toMs, ...times), toMs })
    }
  }

  /** Throws if a replay could not read all of its range again because the stream has dropped it. */
  async checkReplay(data: RangeData, pace: ShardPace): Promise<void> {
    const { range } = data
    if (!isMissingSome(data)) return
    const isOld = range.caughtUpAt < this.horizonMs
    if (!isOld && (await this.#holdsAfter(data, pace))) return
    throw replayGapError(this.#settings.stream, range.partition, range.caughtUpAt)
  }

  /** True if the record before a range is there: then none of the range was dropped. */
  async #holdsAfter({ range }: RangeData, pace: ShardPace): Promise<boolean> {
    if (range.after.kind !== 'sequence') return false
    return this.#reader.holds(range.partition, range.after.sequence, pace)
  }

  /** True if nothing after the place of a reader can have been dropped, old as that is. */
  async #isWhole({ id, read, parents, pace }: ShardState): Promise<boolean> {
    if (read.kind === 'sequence') return this.#reader.holds(id, read.sequence, pace)
    if (parents.length === 0) return false
    // A shard is listed for as long as the stream keeps what arrived after it was closed.
    const listed = await this.#reader.shards()
    return listed.some((shard: ListedShard) => parents.includes(shard.id))
  }

  #madeAnew(createdMs: number | undefined): Error {
    // Nothing that is known holds for the other stream: only a start can begin with it.
    const open = [...this.#shards.values()].filter(({ ended }) => !ended)
    const nowMs = this.#clock.wallMs()
    const fromMs = Math.min(nowMs, ...open.map(({ completeUpTo }) => completeUpTo))
    const toMs = Math.max(fromMs, createdMs ?? nowMs)
    const shard = open.map(({ id }) => id).join('", "')
    return gapError(this.#settings.stream, { shard, kind: 'made anew', fromMs, toMs })
  }

  /** Goes on after a gap, or throws it. */
  #pass(gap: Gap): void {
    const { stream, onGap } = this.#settings
    if (onGap === 'fail') throw gapError(stream, gap)
    this.#tell(gapNews(stream, gap, onGap))
  }
}

/** True if records of a range were not read again: fewer came, or the reader went past its end.
 * Records do not change and keep their order. */
function isMissingSome({ range, blocks }: RangeData): boolean {
  const records = blocks.reduce((n, block) => n + block.length, 0)
  if (records < range.records) return true
  const last = blocks.at(-1) as KinesisBlock | undefined
  if (last === undefined || range.upTo.kind !== 'sequence') return false
  return BigInt(last.lastSequence) > BigInt(range.upTo.sequence)
}
