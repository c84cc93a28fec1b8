// Where the shards of a stream are read from at a start: what the checkpoint knows, compared with
// what the stream is now.

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

/** The creation time of a stream as the checkpoint keeps it: servers round it to seconds. */
export function originOf(createdMs: number | undefined): string | undefined {
  return createdMs === undefined ? undefined : String(Math.floor(createdMs / 1_000))
}

/** True if the stream of the checkpoint is another one than that of now. */
export function isMadeAnew(known: PartitionPositions, origin: string | undefined): boolean {
  if (origin === undefined) return false
  return known.some((one) => one.origin !== undefined && one.origin !== origin)
}

/** The shards whose unread records the stream may have dropped. */
export function suspects(known: PartitionPositions, now: Omit<StreamNow, 'held'>): KnownPosition[] {
  const listed = new Set(now.listed.map(({ id }) => id))
  return known.filter(({ partition, position, caughtUpAt }) => {
    return position.kind !== 'END' && listed.has(partition) && caughtUpAt < horizonOf(now)
  })
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
  const listed = new Set(now.listed.map(({ id }) => id))
  const dropped = new Set(
    suspects(known, now).flatMap(({ partition }) => (now.held.has(partition) ? [] : [partition])),
  )
  const gaps: Gap[] = []
  const positions: KnownPosition[] = []
  for (const one of known) {
    const { partition: shard, position, caughtUpAt: fromMs } = one
    if (!listed.has(shard)) {
      // It counts as ended: its children, if there are any, are read.
      if (position.kind !== 'END') gaps.push({ shard, kind: 'vanished', fromMs, toMs: now.nowMs })
    } else if (dropped.has(shard)) {
      gaps.push({ shard, kind: 'dropped', fromMs, toMs: horizonOf(now) })
      positions.push({ ...one, ...passed(settings.onGap, now) })
    } else positions.push(withOrigin(one, now.origin))
  }
  for (const child of childrenOf(known, now)) {
    positions.push(child.position)
    if (child.gap !== undefined) gaps.push(child.gap)
  }
  return { positions, gaps }
}

function begin(now: StreamNow, startAt: KinesisSettings['startAt']): PartitionPositions {
  return now.listed.map(({ id, parents, closed }) => {
    const position = startOf(startAt, closed, now.nowMs)
    const caughtUpAt = position.kind === 'timestamp' ? position.timestampMs : now.nowMs
    return withOrigin({ partition: id, position, caughtUpAt, parents }, now.origin)
  })
}

function startOf(startAt: KinesisSettings['startAt'], closed: boolean, nowMs: number): Position {
  if (startAt === 'TRIM_HORIZON') return { kind: 'TRIM_HORIZON' }
  if (startAt !== 'LATEST') return { kind: 'timestamp', timestampMs: Number(startAt.timestamp) }
  return closed ? { kind: 'END' } : { kind: 'timestamp', timestampMs: nowMs }
}

/** Shards that came while nobody read. What one holds is newer than the last record of each of its
 * parents: if that is within the time that the stream keeps, nothing of it can be gone. */
function childrenOf(known: PartitionPositions, now: StreamNow) {
  const before = new Map(known.map((one) => [one.partition, one]))
  const times = new Map<string, number>()
  // Shard ids grow: parents come first.
  const unknown = now.listed
    .filter(({ id }) => !before.has(id))
    .sort((a, b) => (a.id < b.id ? -1 : 1))
  return unknown.map(({ id, parents }) => {
    const bounds = parents.flatMap((parent) => {
      return before.get(parent)?.caughtUpAt ?? times.get(parent) ?? []
    })
    const caughtUpAt = bounds.length === 0 ? now.nowMs : Math.max(...bounds)
    times.set(id, caughtUpAt)
    const position: Position = { kind: 'TRIM_HORIZON' }
    const known = withOrigin({ partition: id, position, caughtUpAt, parents }, now.origin)
    const parentHasGap = parents.some((parent) => before.get(parent)?.position.kind !== 'END')
    const toMs = horizonOf(now)
    // A gap of a parent is told as its own.
    if (caughtUpAt >= toMs || parentHasGap) return { position: known, gap: undefined }
    const gap: Gap = { shard: id, kind: 'dropped', fromMs: caughtUpAt, toMs }
    return { position: { ...known, caughtUpAt: now.nowMs }, gap }
  })
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

/** Where a shard goes on after a gap. */
export function passed(
  onGap: KinesisSettings['onGap'],
  { nowMs }: Pick<StreamNow, 'nowMs'>,
): { readonly position: Position; readonly caughtUpAt: number } {
  const position: Position =
    onGap === 'skip' ? { kind: 'timestamp', timestampMs: nowMs } : { kind: 'TRIM_HORIZON' }
  return { position, caughtUpAt: nowMs }
}

/** What arrived before it, the stream has dropped. */
function horizonOf({ nowMs, retentionMs }: Pick<StreamNow, 'nowMs' | 'retentionMs'>): number {
  return nowMs - retentionMs
}

function withOrigin(known: KnownPosition, origin: string | undefined): KnownPosition {
  return origin === undefined ? known : { ...known, origin }
}
