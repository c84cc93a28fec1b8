// Reads a checkpoint: which segments live, where they end, and what their records add up to.
//
// What always holds of a live segment that is not the last one: its owner, or the next one, had
// made it durable up to the length in the chain before it wrote anything that builds on it. So only
// the last segment can have a torn tail, and any other damage is damage: bytes that were durable
// and are not what they were.
//
// A slot comes into being whole and durable, in every store. So one whose first record cannot be
// read is damaged, and so is a slot that cannot grow and does not end as it should.
//
// A last segment that lost its end after it was durable cannot be told from a torn one, up to a
// point: before the first object of a snapshot is written, the log that tells of its batch is
// durable. A log that does not know of the batch of a snapshot has lost its end.
//
// Damage is never read around. A snapshot record carries all that the log had said by its place
// `from`, so damage before `from` of a whole snapshot is harmless and told as a warning; damage at
// or after it means that a batch may be unknown which a sink already holds, and recovery stops
// there and names the place.

import { crc32 } from 'node:zlib'
import PQueue from 'p-queue'
import { present } from '../assert.ts'
import type { PartitionPositions } from '../receivers/receiver.ts'
import {
  type Begun,
  corrupt,
  cutMessage,
  damageMessage,
  lostEnd,
  noSnapshotLeft,
  snapshotMessage,
} from './damage.ts'
import type {
  ChainLink,
  Frame,
  LogRecord,
  Opening,
  Place,
  PlanRecord,
  SnapshotRecord,
} from './format.ts'
import {
  EPOCHS,
  isBefore,
  type Scan,
  SLOTS,
  scanSlot,
  slotName,
  slotOf,
  snapshotBatchOf,
  tornFrom,
} from './format.ts'
import { Ledger } from './ledger.ts'
import { namesOf, readSnapshot } from './snapshot-files.ts'
import type { CheckpointStore } from './store.ts'

/** What a start finds in a checkpoint. */
export interface Recovered {
  /** True if nothing was ever opened here: there is no state and no position. */
  readonly fresh: boolean
  /** Epoch milliseconds of batch 0. */
  readonly zeroTime: number
  /** The epoch of the start that recovered. */
  readonly epoch: number
  /** Plan hash of the run before; undefined if fresh. */
  readonly previousPlanHash: string | undefined
  /** The description of stateful operators that the run before recorded. */
  readonly stateful: readonly string[]
  /** Newest committed or skipped batch, 0 if none. */
  readonly lastBatchId: number
  /** State after a batch; undefined if `changes` start from nothing. */
  readonly snapshot: SnapshotContent | undefined
  /** Commits after the snapshot, in order. */
  readonly changes: readonly CommittedChanges[]
  /** Planned, not committed, in order. */
  readonly redo: readonly PlanRecord[]
  /** By source id: where each known partition stands after the last committed batch. The ranges
   * of `redo` go on from here. */
  readonly positions: ReadonlyMap<number, PartitionPositions>
  /** What committed batches have added to each accumulator, by name. */
  readonly accumulators: ReadonlyMap<string, number>
  /** Bytes cut from the end of the log because their record was not whole. */
  readonly cutBytes: number
  /** What its user should know, one sentence each. */
  readonly warnings: readonly string[]
}

/** A snapshot as it was read. */
export interface SnapshotContent {
  readonly batchId: number
  /** The bytes of its objects, in their order. */
  readonly files: readonly Uint8Array[]
}

/** The changelog entry of one committed batch. */
export interface CommittedChanges {
  readonly batchId: number
  readonly time: number
  readonly changes: Uint8Array
}

/** A checkpoint as read, with what its next owner needs to go on. */
export interface LogImage {
  /** What the newest opened segment declares; undefined if nothing was ever opened. */
  readonly opening: Opening | undefined
  /** The live segments and how far each counts. */
  readonly chain: readonly ChainLink[]
  readonly ledger: Ledger
  /** Snapshots that are whole as far as known, oldest first. */
  readonly snapshots: readonly SnapshotRecord[]
  /** Names of the objects of snapshots that must not be used again. */
  readonly spoiled: readonly string[]
  readonly snapshot: SnapshotContent | undefined
  readonly changes: readonly CommittedChanges[]
  readonly cutBytes: number
  readonly warnings: readonly string[]
}

/** Slots may be of 16 MiB, and there may be some hundred. */
const CONCURRENT_READS_MAX = 8

/** Gives the numbers of all slots, in order. */
export async function listSlots(store: CheckpointStore): Promise<number[]> {
  const names = await store.list(SLOTS)
  return names.map(slotOf).filter((slot) => slot !== undefined)
}

/** Reads the checkpoint as the slots below `beforeSlot` tell it. Changes nothing.
 * Rejects with CHECKPOINT_CORRUPT, naming object and byte, if what is whole does not add up to a
 * state; with the reason of `signal` once it aborts. */
export async function readLog(
  store: CheckpointStore,
  beforeSlot: number,
  signal?: AbortSignal,
): Promise<LogImage> {
  // Looked for before the log is read: its owner may go on meanwhile.
  const begun = await newestBegun(store)
  const slots = (await listSlots(store)).filter((slot) => slot < beforeSlot)
  const image = await readSlots(store, slots, signal)
  const known = Math.max(image.ledger.lastBatchId, image.ledger.redo().at(-1)?.batchId ?? 0)
  if (begun === undefined || begun.batchId <= known) return image
  throw lostEnd(store, { begun, known, slot: slots.at(-1) })
}

async function readSlots(
  store: CheckpointStore,
  slots: readonly number[],
  signal: AbortSignal | undefined,
): Promise<LogImage> {
  const newest = await findNewestOpened(store, slots)
  if (newest.segment === undefined) return freshImage(newest)
  const live = withoutForgotten(await readChain(store, newest.segment))
  const start = await chooseStart(store, live, signal)
  return {
    opening: newest.segment.opening,
    chain: live.map(({ slot, length, crc }) => ({ slot, length, crc })),
    ...replay(live, start),
    snapshots: start.usable,
    spoiled: start.spoiled,
    snapshot: start.snapshot,
    cutBytes: newest.cutBytes,
    warnings: [...newest.warnings, ...start.warnings],
  }
}

/** The newest batch of which a snapshot was begun: it was in the log, durably, before. */
async function newestBegun(store: CheckpointStore): Promise<Begun | undefined> {
  let newest: Begun | undefined
  for (const name of await store.list(EPOCHS)) {
    const batchId = snapshotBatchOf(name)
    if (batchId !== undefined && batchId > (newest?.batchId ?? 0)) newest = { name, batchId }
  }
  return newest
}

/** One live segment: the frames up to `length`, and what is damaged among them. */
interface Segment {
  readonly slot: number
  readonly length: number
  readonly crc: number
  readonly frames: readonly Frame[]
  /** Where a damage begins. */
  readonly damagedAt: readonly number[]
}

interface Newest {
  readonly segment: (Segment & { readonly opening: Opening }) | undefined
  readonly cutBytes: number
  readonly warnings: readonly string[]
}

function freshImage({ cutBytes, warnings }: Newest): LogImage {
  return {
    opening: undefined,
    chain: [],
    ledger: new Ledger(),
    snapshots: [],
    spoiled: [],
    snapshot: undefined,
    changes: [],
    cutBytes,
    warnings,
  }
}

/** Finds the newest slot whose owner got as far as opening it. Younger slots contribute nothing. */
async function findNewestOpened(store: CheckpointStore, slots: readonly number[]): Promise<Newest> {
  const warnings: string[] = []
  let cutBytes = 0
  for (const slot of slots.toReversed()) {
    const bytes = (await store.read(slotName(slot))) ?? new Uint8Array()
    const scan = scanSlot(slot, bytes)
    if (!store.appends) refuseUnlessWhole(store, slot, bytes, scan)
    const length = tornFrom(scan, bytes.length)
    cutBytes += bytes.length - length
    if (length < bytes.length) warnings.push(cutMessage(store, slot, bytes.length - length))
    const opening = openingOf(scan)
    if (opening !== undefined) {
      return { segment: { ...segmentOf(slot, bytes, scan, length), opening }, cutBytes, warnings }
    }
    refuseUnreadableOpening(store, slot, scan)
  }
  return { segment: undefined, cutBytes, warnings }
}

/** A slot without an opening counts for nothing, but only if it is sure that it had none. */
function refuseUnreadableOpening(store: CheckpointStore, slot: number, scan: Scan): void {
  const harmless = new Set(['claim', 'closed', 'end'])
  const first = scan.frames[0]
  const claimIsWhole = first?.offset === 0 && first.record.kind === 'claim'
  const restIsHarmless = scan.frames.every(({ record }) => harmless.has(record.kind))
  if (restIsHarmless && claimIsWhole) return
  throw corrupt(store, { slot, offset: scan.damages[0]?.offset ?? 0 })
}

/** A slot that was created whole is a claim alone, or ends with a record that says so. What is not
 * like that has lost something that was durable. */
function refuseUnlessWhole(
  store: CheckpointStore,
  slot: number,
  bytes: Uint8Array,
  { frames, damages }: Scan,
): void {
  const last = frames.at(-1)?.record.kind
  const ends = last === 'end' || last === 'closed' || (last === 'claim' && frames.length === 1)
  if (ends && damages.length === 0) return
  throw corrupt(store, { slot, offset: damages[0]?.offset ?? bytes.length })
}

/** True if the last thing that a slot says is that nobody holds the log. */
export function isClosed({ frames }: Scan): boolean {
  return frames.findLast(({ record }) => record.kind !== 'end')?.record.kind === 'closed'
}

/** Gives what the first opening of a slot declares. */
export function openingOf(scan: Scan): Opening | undefined {
  for (const { record } of scan.frames) {
    if (record.kind === 'open' || record.kind === 'segment') return record
  }
  return undefined
}

async function readChain(
  store: CheckpointStore,
  newest: Segment & { readonly opening: Opening },
): Promise<Segment[]> {
  const queue = new PQueue({ concurrency: CONCURRENT_READS_MAX })
  const { chain } = newest.opening
  const segments = await queue.addAll(chain.map((link) => () => readLink(store, link)))
  return [...segments, newest]
}

/** Reads a segment up to the length that the chain gives; what is missing or differs is damage. */
async function readLink(store: CheckpointStore, link: ChainLink): Promise<Segment> {
  const content = (await store.read(slotName(link.slot))) ?? new Uint8Array()
  const bytes = content.subarray(0, link.length)
  const segment = segmentOf(link.slot, bytes, scanSlot(link.slot, bytes), link.length)
  const differs = segment.crc !== link.crc
  const short = bytes.length < link.length && segment.damagedAt.length === 0
  const damagedAt = short ? [bytes.length] : segment.damagedAt
  return {
    ...segment,
    crc: link.crc,
    damagedAt: differs && damagedAt.length === 0 ? [0] : damagedAt,
  }
}

function segmentOf(slot: number, bytes: Uint8Array, scan: Scan, length: number): Segment {
  return {
    slot,
    length,
    crc: crc32(bytes.subarray(0, length)),
    frames: scan.frames.filter(({ offset }) => offset < length),
    damagedAt: scan.damages.map(({ offset }) => offset).filter((offset) => offset < length),
  }
}

/** Drops the segments that a durable forget record gave up, whether or not they are still there. */
function withoutForgotten(segments: readonly Segment[]): readonly Segment[] {
  const slots = recordsOf(segments, 'forget').map(({ record }) => record.beforeSlot)
  const before = Math.max(0, ...slots)
  return segments.filter(({ slot }) => slot >= before)
}

/** Where a restart starts from: a snapshot, or the very first record. */
interface Start {
  readonly from: Place
  readonly record: SnapshotRecord | undefined
  readonly snapshot: SnapshotContent | undefined
  readonly usable: readonly SnapshotRecord[]
  readonly spoiled: readonly string[]
  readonly warnings: readonly string[]
}

/** Takes the newest snapshot that is whole and has no damage after it; without one, the whole
 * log. */
async function chooseStart(
  store: CheckpointStore,
  live: readonly Segment[],
  signal: AbortSignal | undefined,
): Promise<Start> {
  const lastDamage = lastDamageOf(live)
  const named = recordsOf(live, 'snapshot').map(({ record }) => record)
  const forgotten = new Set(recordsOf(live, 'forget').flatMap(({ record }) => record.snapshots))
  const candidates = named.filter(({ files }) => !files.some(({ name }) => forgotten.has(name)))
  const warnings: string[] = []
  const spoiled: SnapshotRecord[] = []
  const damaged: string[] = []
  for (const record of candidates.toReversed()) {
    if (lastDamage !== undefined && !isBefore(lastDamage, record.from)) {
      throw corrupt(store, lastDamage)
    }
    const read = await readSnapshot(store, record, signal)
    if (read.damaged === undefined) {
      const usable = candidates.filter((one) => !spoiled.includes(one))
      if (lastDamage !== undefined) warnings.push(damageMessage(store, lastDamage, record))
      const snapshot = { batchId: record.batchId, files: read.files }
      return { from: record.from, record, snapshot, usable, spoiled: namesOf(spoiled), warnings }
    }
    spoiled.push(record)
    damaged.push(read.damaged)
    warnings.push(snapshotMessage(store, read.damaged, record.batchId))
  }
  return startFromNothing(store, live, { lastDamage, spoiled, damaged, warnings })
}

/** The whole log will do if it is whole and nothing was forgotten: its first opening has no
 * chain. */
function startFromNothing(
  store: CheckpointStore,
  live: readonly Segment[],
  found: {
    readonly lastDamage: Place | undefined
    readonly spoiled: readonly SnapshotRecord[]
    readonly damaged: readonly string[]
    readonly warnings: readonly string[]
  },
): Start {
  const { lastDamage, spoiled, damaged, warnings } = found
  if (lastDamage !== undefined) throw corrupt(store, lastDamage)
  const first = present(live[0], 'The first live segment')
  const isComplete = openingOf({ frames: first.frames, damages: [] })?.chain.length === 0
  if (!isComplete) throw noSnapshotLeft(store, damaged)
  const from = { slot: first.slot, offset: 0 }
  const nothing = { record: undefined, snapshot: undefined, usable: [] }
  return { from, ...nothing, spoiled: namesOf(spoiled), warnings }
}

function replay(
  live: readonly Segment[],
  start: Start,
): { ledger: Ledger; changes: CommittedChanges[] } {
  const ledger = new Ledger(start.record?.base)
  const changes: CommittedChanges[] = []
  for (const { slot, frames } of live) {
    for (const { offset, record } of frames) {
      if (isBefore({ slot, offset }, start.from)) continue
      ledger.apply(record)
      if (record.kind !== 'commit') continue
      changes.push({ batchId: record.batchId, time: record.time, changes: record.changes })
    }
  }
  return { ledger, changes }
}

type RecordOf<K extends LogRecord['kind']> = Extract<LogRecord, { readonly kind: K }>

function recordsOf<K extends LogRecord['kind']>(
  segments: readonly Segment[],
  kind: K,
): { readonly record: RecordOf<K> }[] {
  return segments.flatMap(({ frames }) =>
    frames.flatMap(({ record }) => (isKind(record, kind) ? [{ record }] : [])),
  )
}

function isKind<K extends LogRecord['kind']>(record: LogRecord, kind: K): record is RecordOf<K> {
  return record.kind === kind
}

function lastDamageOf(segments: readonly Segment[]): Place | undefined {
  const damaged = segments.findLast(({ damagedAt }) => damagedAt.length > 0)
  const offset = damaged?.damagedAt.at(-1)
  return damaged === undefined || offset === undefined ? undefined : { slot: damaged.slot, offset }
}
