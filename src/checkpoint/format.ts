// The bytes of the batch log: records, frames and the names of objects. docs/format.md is this file
// in prose.
//
// A frame is header + payload. Its checksum also covers the slot and the offset where it stands,
// which are not stored: a frame counts only where it was written, so that a copy of a frame inside
// a payload, or a stale disk block, is never taken for a record.
//
// `syncedBytes` of a frame says how much of its object was durable when the frame was appended. It
// tells a torn tail from damage: what lies at or past the greatest `syncedBytes` seen may never
// have become durable, all that lies before it did.

import { crc32 } from 'node:zlib'
import { Packr } from 'msgpackr'
import { StreamingError } from '../errors.ts'
import type { PartitionPositions, SourceRange } from '../receivers/receiver.ts'
import type { SinkReceipt } from '../sinks/sink.ts'

/** Version of the checkpoint's bytes. A reader refuses any other: 1 is of before 0.1.0. */
export const FORMAT = 2

/** What a batch will do, decided once: a redo follows it to the letter. */
export interface PlanRecord {
  readonly batchId: number
  /** Batch time, epoch milliseconds. */
  readonly time: number
  readonly epoch: number
  readonly sources: readonly {
    readonly sourceId: number
    readonly ranges: readonly SourceRange[]
  }[]
  /** Number of shuffle partitions. */
  readonly partitions: number
  readonly keyGroups: number
  readonly planHash: string
}

/** What a batch did. `changes` is its changelog entry, range by range of key groups: the state
 * layer's bytes (docs/format.md), opaque here; none where nothing changed. */
export interface CommitRecord {
  readonly batchId: number
  /** Batch time, epoch milliseconds. */
  readonly time: number
  readonly receipts: readonly SinkReceipt[]
  readonly changes: Uint8Array
  /** What the batch added to accumulators, by name; left out where it added nothing. */
  readonly accumulators?: Sums
}

/** Amounts by name. */
export type Sums = readonly (readonly [name: string, amount: number])[]

/** The process that holds a checkpoint. */
export interface Owner {
  readonly host: string
  /** Tells one boot of a host from another, where the system has such an id. */
  readonly bootId: string | undefined
  readonly pid: number
  /** Tells a process from a later one with the same pid, where the system says when it started. */
  readonly pidStartTime: string | undefined
  /** Tells a container from another one of the same host and name, where the system has such. */
  readonly pidNamespace?: string | undefined
}

/** A place in the log. */
export interface Place {
  readonly slot: number
  readonly offset: number
}

/** True if `a` stands in the log before `b`. */
export function isBefore(a: Place, b: Place): boolean {
  return a.slot === b.slot ? a.offset < b.offset : a.slot < b.slot
}

/** A live segment as the next owner saw it. Its bytes at and past `length` are void. */
export interface ChainLink {
  readonly slot: number
  readonly length: number
  readonly crc: number
}

/** A source of a pipeline. */
export interface LoggedSource {
  readonly name: string
  readonly replayable: boolean
}

/** An output whose sink knows a batch by the output's ordinal. */
export interface LoggedOutput {
  readonly outputId: number
  readonly name: string
  /** The newest epoch in which it was there. */
  readonly epoch: number
}

/** What an owner declares about its epoch before it logs anything else. */
export interface Opening {
  readonly pipeline: string
  /** Epoch milliseconds of batch 0. */
  readonly zeroTime: number
  readonly batchIntervalMs: number
  readonly planHash: string
  readonly stateful: readonly string[]
  /** By source id; those that the pipeline has no more come last. Not in checkpoints of before
   * they were recorded. */
  readonly sources?: readonly LoggedSource[]
  /** Those that may hold a batch that is not committed. Not in checkpoints of before they were
   * recorded. */
  readonly outputs?: readonly LoggedOutput[]
  /** The live segments before this one, in order. Empty only in the first opening of a
   * checkpoint. */
  readonly chain: readonly ChainLink[]
}

/** Who took a slot, and when. */
export interface Claim {
  readonly format: number
  readonly epoch: number
  readonly nonce: string
  readonly owner: Owner
  readonly pipeline: string
  /** Wall clock of the owner, epoch milliseconds; for messages only. */
  readonly at: number
}

/** What the log had said by a place, in as much as a restart needs it. */
export interface LedgerBase {
  readonly lastBatchId: number
  readonly positions: readonly { readonly sourceId: number; readonly at: PartitionPositions }[]
  /** Planned, not committed. */
  readonly planned: readonly PlanRecord[]
  /** Totals of accumulators; left out where there are none. */
  readonly accumulators?: Sums
}

/** One object of a snapshot. */
export interface SnapshotFile {
  readonly name: string
  readonly bytes: number
  readonly crc: number
}

/** Names the objects of a snapshot, at least one. The log from `from` on, applied to `base` and the
 * objects in their order, gives all of the state. */
export interface SnapshotRecord {
  readonly batchId: number
  readonly files: readonly SnapshotFile[]
  readonly from: Place
  readonly base: LedgerBase
}

/** Every record of the log. A slot starts with `claim` (then `open`) or with `segment`. */
export type LogRecord =
  | ({ readonly kind: 'claim' } & Claim)
  | ({ readonly kind: 'open'; readonly epoch: number } & Opening)
  | ({ readonly kind: 'segment' } & Claim & Opening)
  | ({ readonly kind: 'plan' } & PlanRecord)
  | ({ readonly kind: 'commit' } & CommitRecord)
  | { readonly kind: 'skip'; readonly from: number; readonly to: number }
  | {
      readonly kind: 'positions'
      readonly sourceId: number
      readonly at: PartitionPositions
      /** Partitions that are not known any more; left out where there are none. */
      readonly forgotten?: readonly string[]
    }
  | ({ readonly kind: 'snapshot' } & SnapshotRecord)
  | { readonly kind: 'forget'; readonly beforeSlot: number; readonly snapshots: readonly string[] }
  | { readonly kind: 'closed'; readonly at: number }
  | { readonly kind: 'end' }

const KINDS: ReadonlySet<string> = new Set<LogRecord['kind']>([
  'claim',
  'open',
  'segment',
  'plan',
  'commit',
  'skip',
  'positions',
  'snapshot',
  'forget',
  'closed',
  'end',
])

/** Prefix of the names of slots. */
export const SLOTS = 'slots/'

/** Prefix of the names of everything that belongs to an epoch. */
export const EPOCHS = 'epoch-'

/** Gives the name of a slot, such as `slots/0000000007.log`: names sort as the numbers do. */
export function slotName(slot: number): string {
  return `${SLOTS}${String(slot).padStart(10, '0')}.log`
}

/** Gives the number of a slot, or undefined if `name` is not a slot's. */
export function slotOf(name: string): number | undefined {
  const match = /^slots\/(\d{10})\.log$/.exec(name)
  return match === null ? undefined : Number(match[1])
}

/** Gives the name of an object of a snapshot; `ordinal` tells those of an epoch apart. */
export function snapshotName(epoch: number, batchId: number, ordinal: number): string {
  return `${EPOCHS}${epoch}/snapshot-${batchId}-${ordinal}.bin`
}

const HEARTBEAT = /^epoch-(\d+)\/heartbeat$/

/** Gives the name of the object that an owner changes as long as it lives. */
export function heartbeatName(epoch: number): string {
  return `${EPOCHS}${epoch}/heartbeat`
}

/** Gives the epoch of a heartbeat, or undefined if `name` is not a heartbeat's. */
export function heartbeatEpochOf(name: string): number | undefined {
  const match = HEARTBEAT.exec(name)
  return match === null ? undefined : Number(match[1])
}

const SNAPSHOT = /^epoch-(\d+)\/snapshot-(\d+)-\d+\.bin$/

/** Gives the epoch of a snapshot object, or undefined if `name` is not a snapshot's. */
export function snapshotEpochOf(name: string): number | undefined {
  const match = SNAPSHOT.exec(name)
  return match === null ? undefined : Number(match[1])
}

/** Gives the batch of a snapshot object, or undefined if `name` is not a snapshot's. */
export function snapshotBatchOf(name: string): number | undefined {
  const match = SNAPSHOT.exec(name)
  return match === null ? undefined : Number(match[2])
}

/** Bytes before a frame's payload: magic, payload length, synced bytes, checksum; 4 bytes each,
 * big-endian. */
export const FRAME_HEADER_BYTES = 16

/** The longest payload of one frame: 1 GiB. */
export const PAYLOAD_BYTES_MAX = 2 ** 30

const MAGIC = Buffer.from([0x8d, 0x4d, 0x4c, 0x31])
const LENGTH_AT = 4
const SYNCED_AT = 8
const CRC_AT = 12

const packr = new Packr({ useRecords: false })

/** Gives the payload of a record's frame. */
export function encodeRecord(record: LogRecord): Uint8Array {
  const payload = packr.pack(record)
  if (payload.length <= PAYLOAD_BYTES_MAX) return payload
  const what = 'batchId' in record ? `${record.kind} of batch ${record.batchId}` : record.kind
  throw new StreamingError(
    'CHECKPOINT_UNWRITABLE',
    `Cannot log "${what}": a record must be at most ${PAYLOAD_BYTES_MAX} bytes, got ` +
      `${payload.length}; make batches smaller with batchBytesMax`,
  )
}

/** Gives the frame that holds `payload` at `place`, where `syncedBytes` of the object are
 * durable. */
export function frameOf(payload: Uint8Array, place: Place, syncedBytes: number): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + payload.length)
  MAGIC.copy(frame)
  frame.writeUInt32BE(payload.length, LENGTH_AT)
  frame.writeUInt32BE(syncedBytes, SYNCED_AT)
  frame.set(payload, FRAME_HEADER_BYTES)
  frame.writeUInt32BE(checksum(frame, 0, frame.length, place), CRC_AT)
  return frame
}

/** One whole frame: the bytes from `offset` to before `end`. */
export interface Frame {
  readonly offset: number
  readonly end: number
  readonly syncedBytes: number
  readonly record: LogRecord
}

/** Bytes that are no frame, from `offset` to before `end`: up to the next whole frame, or to the
 * end. */
export interface Damage {
  readonly offset: number
  readonly end: number
}

/** What the bytes of a slot hold. Frames and damages tile them: no byte is left out, none is
 * counted twice. */
export interface Scan {
  readonly frames: readonly Frame[]
  readonly damages: readonly Damage[]
}

/** Reads all frames of a slot; after damage it goes on with the next whole frame. */
export function scanSlot(slot: number, content: Uint8Array): Scan {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length)
  const frames: Frame[] = []
  const damages: Damage[] = []
  let offset = 0
  while (offset < bytes.length) {
    const frame = frameAt(bytes, { slot, offset })
    if (frame === undefined) damages.push({ offset, end: nextFrameOffset(bytes, slot, offset + 1) })
    else frames.push(frame)
    offset = frame?.end ?? damages.at(-1)?.end ?? bytes.length
  }
  return { frames, damages }
}

/** Gives the offset where the torn tail of a segment begins, or its length if it has none.
 *
 * A tail is torn from the first damage that nothing proves to have been durable: either no whole
 * frame follows, or those that do were all appended while the damaged bytes were not durable
 * yet. */
export function tornFrom(scan: Scan, length: number): number {
  const torn = scan.damages.find(({ offset }) => offset >= provenDurable(scan, offset))
  return torn?.offset ?? length
}

function provenDurable(scan: Scan, offset: number): number {
  return scan.frames
    .filter((frame) => frame.offset > offset)
    .reduce((most, frame) => Math.max(most, frame.syncedBytes), 0)
}

function frameAt(bytes: Buffer, place: Place): Frame | undefined {
  const { offset } = place
  if (offset + FRAME_HEADER_BYTES > bytes.length || !isMagicAt(bytes, offset)) return undefined
  const end = offset + FRAME_HEADER_BYTES + bytes.readUInt32BE(offset + LENGTH_AT)
  if (end > bytes.length) return undefined
  if (bytes.readUInt32BE(offset + CRC_AT) !== checksum(bytes, offset, end, place)) return undefined
  const record = decode(bytes.subarray(offset + FRAME_HEADER_BYTES, end))
  if (record === undefined) return undefined
  return { offset, end, syncedBytes: bytes.readUInt32BE(offset + SYNCED_AT), record }
}

function nextFrameOffset(bytes: Buffer, slot: number, from: number): number {
  let offset = bytes.indexOf(MAGIC, from)
  while (offset !== -1) {
    if (frameAt(bytes, { slot, offset }) !== undefined) return offset
    offset = bytes.indexOf(MAGIC, offset + 1)
  }
  return bytes.length
}

function isMagicAt(bytes: Buffer, offset: number): boolean {
  return MAGIC.compare(bytes, offset, offset + MAGIC.length) === 0
}

function checksum(bytes: Buffer, offset: number, end: number, place: Place): number {
  const at = Buffer.allocUnsafe(8)
  at.writeUInt32BE(place.slot % 2 ** 32, 0)
  at.writeUInt32BE(place.offset, 4)
  const header = crc32(bytes.subarray(offset, offset + CRC_AT), crc32(at))
  return crc32(bytes.subarray(offset + FRAME_HEADER_BYTES, end), header)
}

function decode(payload: Uint8Array): LogRecord | undefined {
  try {
    const record: unknown = packr.unpack(payload)
    return isRecord(record) ? record : undefined
  } catch {
    return undefined
  }
}

function isRecord(value: unknown): value is LogRecord {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return false
  return typeof value.kind === 'string' && KINDS.has(value.kind)
}
