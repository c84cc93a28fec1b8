// Polls every shard of a stream within the service's limits: one loop a shard.
//
// A child shard is read when all its parents have ended, and its first range comes in a cut after
// the one that took their END: records of one key stay in order across a reshard. Lineage is in
// every range. docs/kinesis.md has the whole of it.

import { sleep } from '../../clock.ts'
import type { ShardNews } from '../../events.ts'
import type { TakeLimits } from '../block-buffer.ts'
import type {
  PartitionPositions,
  RangeData,
  Receiver,
  ReceiverContext,
  SourceRange,
} from '../receiver.ts'
import { shareRecords } from '../record-shares.ts'
import { CallCounts } from './call-counts.ts'
import { GapWatch } from './gap-watch.ts'
import { gapError, gapNews } from './gaps.ts'
import type { KinesisSettings } from './options.ts'
import { Prefetch } from './prefetch.ts'
import { replayRange } from './replay.ts'
import { isMadeAnew, originOf, RETENTION_MIN_MS, resume, suspects } from './resume.ts'
import { type KnownPosition, ShardState } from './shard.ts'
import { logShardNews } from './shard-log.ts'
import { readShard } from './shard-loop.ts'
import { ShardPace } from './shard-pace.ts'
import { holesBefore, reshardNews, ShardTable } from './shard-table.ts'
import { type ListedShard, StreamReader } from './stream-reader.ts'

const DISCOVERY_INTERVAL_MS = 60_000
/** How often the children of a shard that has ended are looked for before `DISCOVERY_INTERVAL_MS`
 * is waited for: a listing may be a little behind. */
const LOOKS_FOR_CHILDREN = 10
const LOOK_INTERVAL_MS = 1_000
const HOUR_MS = 3_600_000

/** Receives one stream for one run. */
export class KinesisReceiver implements Receiver {
  readonly #settings: KinesisSettings
  readonly #context: ReceiverContext
  readonly #table = new ShardTable()
  readonly #prefetch: Prefetch
  readonly #loops = new Map<string, Promise<void>>()
  readonly #paces = new Map<string, ShardPace>()
  readonly #stopping = new AbortController()
  readonly #counts = new CallCounts()
  readonly #reader: StreamReader
  readonly #gaps: GapWatch
  readonly #random: () => number
  #listing: Promise<readonly ListedShard[]> | undefined
  #startedAt = 0
  #cuts = 0
  #running = false

  /** `random`: where jitter comes from. */
  constructor(settings: KinesisSettings, context: ReceiverContext, random = Math.random) {
    this.#settings = settings
    this.#random = random
    const { signal } = this.#stopping
    this.#context = { ...context, signal }
    this.#prefetch = new Prefetch(context.bufferBytesMax, context.clock, () => {
      return this.#table.waiting
    })
    if (context.signal.aborted) this.#stopping.abort()
    context.signal.addEventListener('abort', () => this.#stopping.abort(), { once: true })
    this.#reader = new StreamReader(settings, this.#context, this.#counts, random)
    const tell = (news: ShardNews): void => this.#tell(news)
    this.#gaps = new GapWatch(settings, this.#reader, context.clock, tell)
  }

  async start(from: PartitionPositions): Promise<PartitionPositions> {
    const { clock } = this.#context
    this.#startedAt = clock.wallMs()
    const summary = await this.#reader.describe(true)
    this.#gaps.describe(summary)
    const listed = await this.#reader.shards()
    const origin = originOf(summary.createdMs)
    const now = { listed, nowMs: clock.wallMs(), retentionMs: summary.retentionMs, origin }
    const asked = isMadeAnew(from, origin) ? [] : suspects(from, now)
    const held = await this.#held(asked)
    const { positions, gaps } = resume(from, { ...now, held }, this.#settings)
    const { stream, onGap } = this.#settings
    for (const gap of gaps) {
      if (onGap === 'fail') throw gapError(stream, gap)
      this.#tell(gapNews(stream, gap, onGap))
    }
    const known = new Map(from.map((one) => [one.partition, one]))
    const isFirst = from.length === 0 || isMadeAnew(from, origin)
    for (const one of positions) this.#add(one, !isFirst && isToBeWatched(one, known), true)
    for (const { shard, kind } of gaps) if (kind === 'dropped') this.#gaps.told(shard)
    if (from.length === 0) this.#logStart(positions)
    else this.#tellAll(reshardNews(listed.filter(({ id }) => !known.has(id))))
    return positions
  }

  run(): void {
    this.#running = true
    this.#readReadable()
    this.#loops.set('', this.#guarded(this.#discoverFromTimeToTime()))
  }

  cut(limits: TakeLimits): readonly RangeData[] {
    this.#counts.tell(this.#context.count)
    const shards = this.#table.takeable()
    this.#cuts += 1
    const bytes = shareRecords(weigh(shards, 'waitingBytes'), limits.bytesMax, this.#cuts)
    const records = shareRecords(weigh(shards, 'waiting'), limits.recordsMax, this.#cuts)
    const { retentionMs } = this.#gaps
    const times = {
      heartbeatMs: Math.min(HOUR_MS, retentionMs / 4),
      retentionMs: retentionMs === RETENTION_MIN_MS ? undefined : retentionMs,
    }
    const taken = shards.flatMap((shard, i) => {
      const own = { bytesMax: Math.max(1, bytes[i] ?? 0), recordsMax: records[i] ?? 0 }
      return shard.take(own, times) ?? []
    })
    this.#prefetch.cutTook(limits.recordsMax)
    return this.#withForgotten(taken)
  }

  async replay(ranges: readonly SourceRange[]): Promise<readonly RangeData[]> {
    const read = async (range: SourceRange): Promise<RangeData> => {
      const pace = this.#paceOf(range.partition)
      const data = await replayRange(this.#reader, range, pace)
      await this.#gaps.checkReplay(data, pace)
      return data
    }
    return Promise.all(ranges.map(read))
  }

  caughtUp(): boolean {
    return this.#table.all.every((shard) => shard.caughtUp)
  }

  bufferedBytes(): number {
    return this.#prefetch.bound.bytes
  }

  lagMs(): number | undefined {
    const lags = this.#table.all.flatMap((shard) => (shard.ended ? [] : (shard.behindMs ?? [])))
    return lags.length === 0 ? undefined : Math.max(...lags)
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#prefetch.release()
    await Promise.allSettled(this.#loops.values())
    this.#counts.tell(this.#context.count)
    this.#reader.close()
  }

  #logStart(positions: PartitionPositions): void {
    const { stream, startAt } = this.#settings
    const shards = positions.length
    const { logger } = this.#context
    if (startAt !== 'LATEST') logger.info({ stream, shards, startAt }, 'A stream is read')
    else {
      const from = new Date(this.#context.clock.wallMs()).toISOString()
      logger.info({ stream, shards, from }, 'A stream is read from LATEST: what arrives after it')
    }
  }

  /** The shards whose last record in the checkpoint is still in the stream. */
  async #held(known: readonly KnownPosition[]): Promise<ReadonlySet<string>> {
    const held = new Set<string>()
    const ask = async ({ partition, position }: KnownPosition): Promise<void> => {
      if (position.kind !== 'sequence') return
      const pace = this.#paceOf(partition)
      if (await this.#reader.holds(partition, position.sequence, pace)) held.add(partition)
    }
    await Promise.all(known.map(ask))
    return held
  }

  /** The one pace of a shard: what is read again counts, too. */
  #paceOf(shard: string): ShardPace {
    const { clock } = this.#context
    const pace = this.#paces.get(shard) ?? new ShardPace(this.#settings, clock, this.#random)
    this.#paces.set(shard, pace)
    return pace
  }

  #add(position: KnownPosition, isWatched: boolean, isLogged: boolean): void {
    const { partition } = position
    const pace = this.#paceOf(partition)
    const since = { startedAt: this.#startedAt, isLogged }
    const shard = new ShardState(position, this.#prefetch.bound, pace, since)
    this.#table.add(shard)
    this.#gaps.add(shard, isWatched)
  }

  /** Begins to read the shards whose parents have all ended. */
  #readReadable(): void {
    if (!this.#running) return
    for (const shard of this.#table.all) {
      if (shard.ended || this.#loops.has(shard.id) || this.#stopping.signal.aborted) continue
      if (this.#table.isReadable(shard)) this.#loops.set(shard.id, this.#guarded(this.#read(shard)))
    }
  }

  /** Work whose failure ends the run. */
  #guarded(work: Promise<void>): Promise<void> {
    return work.catch((error: unknown) => {
      if (!this.#stopping.signal.aborted) this.#context.fail(error)
    })
  }

  async #read(shard: ShardState): Promise<void> {
    const children = await readShard(shard, {
      reader: this.#reader,
      prefetch: this.#prefetch,
      clock: this.#context.clock,
      signal: this.#stopping.signal,
      passedGap: (one) => this.#gaps.passedGap(one),
      passedLoss: (one) => this.#gaps.passedLoss(one),
      received: (one) => this.#gaps.watchIfClear(one),
      checkStream: () => this.#gaps.check(),
    })
    if (!shard.isGivenUp) this.#tell({ kind: 'shard-ended', shard: shard.id })
    for (const child of this.#table.readableChildrenOf(shard.id)) this.#gaps.follow(child)
    await this.#findChildren(shard, children)
    this.#loops.delete(shard.id)
    this.#readReadable()
  }

  async #findChildren(parent: ShardState, told: readonly ListedShard[]): Promise<void> {
    const unknown = told.length === 0 ? undefined : this.#table.unknownOf(told, false)
    if (unknown !== undefined) {
      this.#found(unknown)
      return
    }
    const isThere = (): boolean =>
      this.#table.all.some(({ parents }) => parents.includes(parent.id))
    for (let look = 0; look < LOOKS_FOR_CHILDREN; look++) {
      if (look > 0) await sleep(this.#context.clock, LOOK_INTERVAL_MS, this.#stopping.signal)
      await this.#discover()
      if (isThere()) return
    }
  }

  async #discoverFromTimeToTime(): Promise<void> {
    const { clock, signal } = this.#context
    for (;;) {
      await sleep(clock, DISCOVERY_INTERVAL_MS, signal)
      await this.#gaps.check()
      const { listed } = await this.#discover()
      for (const shard of this.#table.forgetDropped(listed, this.#gaps.horizonMs)) {
        this.#paces.delete(shard)
        this.#gaps.forget(shard)
        this.#tell({ kind: 'shard-forgotten', shard })
      }
      this.#readReadable()
    }
  }

  /** Lists the shards and adds those that are new; several that ask at once share one listing. */
  async #discover(): Promise<{ readonly listed: readonly ListedShard[] }> {
    this.#listing ??= this.#reader.shards().finally(() => {
      this.#listing = undefined
    })
    const listed = await this.#listing
    this.#found(this.#table.unknownOf(listed, true) ?? [])
    return { listed }
  }

  /** Adds shards, which are read from their beginning. What they hold is newer than the last record
   * of each of their parents. */
  #found(shards: readonly ListedShard[]): void {
    const news = shards.filter(({ id }) => !this.#table.has(id) && !this.#table.isGone(id))
    this.#gaps.passHoles(holesBefore(news, this.#table))
    for (const { id, parents } of news) {
      const caughtUpAt = this.#gaps.bornAfter(parents)
      const position = { kind: 'TRIM_HORIZON' } as const
      const known = this.#gaps.withOrigin({ partition: id, position, caughtUpAt, parents })
      this.#add(known, this.#gaps.isWatched(parents), false)
    }
    this.#tellAll(reshardNews(news))
  }

  #withForgotten(taken: readonly RangeData[]): readonly RangeData[] {
    const [first, ...others] = taken
    if (first === undefined) return taken
    const forgotten = this.#table.takeForgotten()
    if (forgotten.length === 0) return taken
    return [{ ...first, range: { ...first.range, forgotten } }, ...others]
  }

  #tellAll(news: readonly ShardNews[]): void {
    for (const one of news) this.#tell(one)
  }

  #tell(news: ShardNews): void {
    logShardNews(this.#context.logger, this.#settings.stream, news)
    this.#context.tell(news)
  }
}

/** True if nothing of a shard may be dropped unread after a start: it was read, it is new, or it
 * comes after what was read. One that was to begin at the oldest record may lose it meanwhile. */
function isToBeWatched(
  { partition, position, parents }: KnownPosition,
  known: ReadonlyMap<string, KnownPosition>,
): boolean {
  if (!known.has(partition) || position.kind !== 'TRIM_HORIZON') return true
  const before = parents.flatMap((id) => known.get(id) ?? [])
  return before.length > 0 && before.every((parent) => parent.position.kind === 'END')
}

function weigh(shards: readonly ShardState[], what: 'waiting' | 'waitingBytes'): number[] {
  return shards.map((shard) => shard[what])
}
