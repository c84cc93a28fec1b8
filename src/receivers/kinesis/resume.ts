// Where the shards of a stream are read from at a start: what the checkpoint knows, compared with
// what the stream is now.

import { ConfigError } from '../../errors.ts'
import type { PartitionPositions, Position } from '../receiver.ts'
import type { Gap } from './gaps.ts'
import type { KinesisSettings } from './options.ts'
import type { KnownPosition } from './shard.ts'
import type { ListedShard } from './stream-reader.ts'

/** The stream at a start. */
export interface StreamNow {
  readonly listed: readonly ListedShard[]
  readonly nowMs: number
  readonly retentionMs: number
  /** Creation time of the stream, as the checkpoint keeps it. */
  readonly origin: string | undefined
  /** Shards whose last record in the checkpoint is still there, so that nothing after it can have
   * been dropped. */
  readonly held: ReadonlySet<string>
}

/** How the shards are read. */
export interface Resumed {
  readonly positions: PartitionPositions
  readonly gaps: readonly Gap[]
}

type Unasked = Omit<StreamNow, 'held'>

/** The shortest retention that a stream can have. A position without another one has this. */
export const RETENTION_MIN_MS = 24 * 3_600_000
/** How far the clocks of this machine and of who gave `startAt` may be apart. */
const FUTURE_MAX_MS = 300_000

/** The creation time of a stream as the checkpoint keeps it: servers round it to seconds. */
export function originOf(createdMs: number | undefined): string | undefined {
  return createdMs === undefined ? undefined : String(Math.floor(createdMs / 1_000))
}

/** True if the stream of the checkpoint is another one than that of now. */
export function isMadeAnew(known: PartitionPositions, origin: string | undefined): boolean {
  if (origin === undefined) return false
  return known.some((one) => one.origin !== undefined && one.origin !== origin)
}

/** The shards whose unread records the stream may have dropped, if the record that was read last is
 * not there any more either. */
export function suspects(known: PartitionPositions, now: Unasked): KnownPosition[] {
  const { shards } = goOn(known, now)
  return shards.flatMap(({ isNew, isSuspect, at }) => (isSuspect && !isNew ? [at] : []))
}

/** Gives the position of each shard that is to be read, and of each ended one that the stream still
 * has; and what was lost. */
export function resume(
  known: PartitionPositions,
  now: StreamNow,
  settings: Pick<KinesisSettings, 'startAt' | 'onGap'>,
): Resumed {
  if (known.length === 0) return { positions: begin(now, settings.startAt), gaps: [] }
  if (isMadeAnew(known, now.origin)) return beginAnew(known, now, settings.onGap)
  const { shards, vanished } = goOn(known, now)
  const gaps: Gap[] = [...vanished]
  const positions = shards.map(({ at, isSuspect }) => {
    const { partition: shard, caughtUpAt: fromMs } = at
    if (!isSuspect || now.held.has(shard)) return ofStream(at, now)
    const toMs = horizonOf(at, now)
    gaps.push({ shard, kind: 'dropped', fromMs, toMs })
    return ofStream({ ...at, ...passed(settings.onGap, at.position, now.nowMs, toMs) }, now)
  })
  return { positions, gaps }
}

function begin(now: Unasked, startAt: KinesisSettings['startAt']): PartitionPositions {
  return now.listed.map(({ id, parents, closed }) => {
    const position = startOf(startAt, closed, now)
    const caughtUpAt = position.kind === 'timestamp' ? position.timestampMs : now.nowMs
    return ofStream({ partition: id, position, caughtUpAt, parents }, now)
  })
}

function startOf(startAt: KinesisSettings['startAt'], closed: boolean, now: Unasked): Position {
  const { nowMs, retentionMs, origin } = now
  if (startAt === 'TRIM_HORIZON') return { kind: 'TRIM_HORIZON' }
  if (startAt === 'LATEST') {
    return closed ? { kind: 'END' } : { kind: 'timestamp', timestampMs: nowMs }
  }
  const timestampMs = Number(startAt.timestamp)
  if (timestampMs > nowMs + FUTURE_MAX_MS) {
    throw new ConfigError(
      `Cannot start at ${new Date(timestampMs).toISOString()}: that time has not come yet; give ` +
        "a time that has, or 'LATEST' for what arrives from now on",
    )
  }
  // Older than all that there is: what was dropped before is what the reader is to begin after.
  const oldestMs = Math.max(nowMs - retentionMs, Number(origin ?? 0) * 1_000)
  return timestampMs < oldestMs ? { kind: 'TRIM_HORIZON' } : { kind: 'timestamp', timestampMs }
}

function beginAnew(
  known: PartitionPositions,
  now: StreamNow,
  onGap: KinesisSettings['onGap'],
): Resumed {
  const times = known.map(({ caughtUpAt }) => caughtUpAt)
  const fromMs = Math.min(...times)
  const toMs = now.origin === undefined ? now.nowMs : Number(now.origin) * 1_000
  const shard = known.map(({ partition }) => partition).join('", "')
  const startAt = onGap === 'skip' ? 'LATEST' : 'TRIM_HORIZON'
  return {
    positions: begin(now, startAt),
    gaps: [{ shard, kind: 'made anew', fromMs, toMs: Math.max(fromMs, toMs) }],
  }
}

/** A shard that is read on. */
interface Judged {
  /** Up to when all that arrived in it was read is worked out from its parents, where it is a
   * child. */
  readonly at: KnownPosition
  readonly isSuspect: boolean
  /** It came while nobody read. */
  readonly isNew: boolean
}

/** Which shards are read on, and which went before they were read to their end. */
function goOn(known: PartitionPositions, now: Unasked) {
  const listed = new Map(now.listed.map((shard) => [shard.id, shard]))
  const before = new Map(known.map((one) => [one.partition, one]))
  const vanished = known.filter(({ partition, position }) => {
    return position.kind !== 'END' && !listed.has(partition)
  })
  const gone = vanished.map(({ partition: shard, caughtUpAt: fromMs }): Gap => {
    return { shard, kind: 'vanished', fromMs, toMs: now.nowMs }
  })
  // An ended shard that is missing in the listing is remembered for as long as it may come back.
  const kept = known.filter(({ partition, position, caughtUpAt }) => {
    const mayComeBack = position.kind === 'END' && caughtUpAt >= now.nowMs - now.retentionMs
    return listed.has(partition) || mayComeBack
  })
  const isNew = ({ id }: ListedShard): boolean => !before.has(id)
  const holes = gone.length > 0 ? [] : holesOf(known, now.listed.filter(isNew), listed)
  const shards: Judged[] = []
  const judged = new Map<string, KnownPosition>(vanished.map((one) => [one.partition, one]))
  const ids = new Set([...kept.map(({ partition }) => partition), ...listed.keys()])
  // Shard ids grow: parents come first.
  for (const id of [...ids].sort()) {
    const one = judge(before.get(id) ?? { id, parents: listed.get(id)?.parents ?? [] }, now, {
      listed,
      parentOf: (parent) => judged.get(parent) ?? before.get(parent),
    })
    shards.push(one)
    judged.set(id, one.at)
  }
  return { shards, vanished: [...gone, ...holes.map((gap): Gap => ({ ...gap, toMs: now.nowMs }))] }
}

/** Shards that came and went while nobody read: the parents of new ones that are not known and not
 * listed. Those before the first shards that are known do not count. */
function holesOf(
  known: PartitionPositions,
  unknown: readonly ListedShard[],
  listed: ReadonlyMap<string, ListedShard>,
) {
  const ids = new Set(known.map(({ partition }) => partition))
  const older = new Set(known.flatMap(({ parents }) => parents))
  const holes = new Set(
    unknown.flatMap(({ id, parents }) => {
      return older.has(id) ? [] : parents.filter((one) => !ids.has(one) && !listed.has(one))
    }),
  )
  const fromMs = Math.min(...known.map(({ caughtUpAt }) => caughtUpAt))
  return [...holes].map((shard) => ({ shard, kind: 'vanished' as const, fromMs }))
}

interface Family {
  readonly listed: ReadonlyMap<string, ListedShard>
  readonly parentOf: (id: string) => KnownPosition | undefined
}

/** Judges a shard: one that is known, or one that is new. */
function judge(
  one: KnownPosition | Pick<ListedShard, 'id' | 'parents'>,
  now: Unasked,
  { listed, parentOf }: Family,
): Judged {
  const isNew = 'id' in one
  const at: KnownPosition = isNew
    ? {
        partition: one.id,
        position: { kind: 'TRIM_HORIZON' },
        caughtUpAt: now.nowMs,
        parents: one.parents,
      }
    : one
  const { position } = at
  if (position.kind === 'END') return { at, isSuspect: false, isNew }
  const parents = position.kind === 'sequence' ? [] : at.parents.flatMap((id) => parentOf(id) ?? [])
  const open = parents.filter((parent) => parent.position.kind !== 'END')
  // What a child holds is newer than the last record of each of its parents.
  const bornMs = Math.max(...parents.map(({ caughtUpAt }) => caughtUpAt))
  // A parent that is still to be read is judged itself; the child is once that one has ended.
  if (open.some(({ partition }) => listed.has(partition))) {
    return { at: isNew ? { ...at, caughtUpAt: bornMs } : at, isSuspect: false, isNew }
  }
  // The gap of a parent is told as its own.
  if (open.length > 0) return { at: { ...at, caughtUpAt: now.nowMs }, isSuspect: false, isNew }
  const least = Math.min(...[at, ...parents].map((each) => retentionOf(each, isNew && each === at)))
  const caughtUpAt =
    parents.length === 0
      ? at.caughtUpAt
      : Math.max(bornMs, position.kind === 'timestamp' ? at.caughtUpAt : 0)
  const known = { ...at, caughtUpAt, ...(least > RETENTION_MIN_MS && { retentionMs: least }) }
  const isOld = caughtUpAt < horizonOf(known, now)
  // A shard is listed for as long as the stream keeps what arrived after it was closed.
  const isWhole = position.kind !== 'sequence' && at.parents.some((id) => listed.has(id))
  return { at: known, isSuspect: isOld && !isWhole, isNew }
}

/** Where a shard goes on after a gap. With 'earliest' it stays where it is: what comes next from
 * there is the oldest record that is left, and no record comes twice. */
export function passed(
  onGap: KinesisSettings['onGap'],
  position: Position,
  nowMs: number,
  horizonMs: number,
): { readonly position: Position; readonly caughtUpAt: number } {
  if (onGap !== 'skip') return { position, caughtUpAt: horizonMs }
  return { position: { kind: 'timestamp', timestampMs: nowMs }, caughtUpAt: nowMs }
}

/** What arrived in a shard before it, the stream may have dropped. The retention may have become
 * longer since a position was written: what had expired by then did not come back. */
function horizonOf(at: KnownPosition, { nowMs, retentionMs }: Unasked): number {
  return nowMs - Math.min(retentionMs, retentionOf(at, false))
}

function retentionOf({ retentionMs }: KnownPosition, isUnknown: boolean): number {
  return retentionMs ?? (isUnknown ? Number.POSITIVE_INFINITY : RETENTION_MIN_MS)
}

/** A position as one in the stream of now. */
function ofStream(
  { origin: before, retentionMs: _, ...known }: KnownPosition,
  { origin = before, retentionMs }: Pick<StreamNow, 'origin' | 'retentionMs'>,
): KnownPosition {
  return {
    ...known,
    ...(origin !== undefined && { origin }),
    ...(retentionMs !== RETENTION_MIN_MS && { retentionMs }),
  }
}
