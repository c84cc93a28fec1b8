// The batch log: what was planned, what was committed, and who may go on. docs/format.md has the
// bytes, docs/decisions/0004-slots-and-epochs.md the reasons.
//
// The log is a sequence of numbered slots. Whoever creates slot n+1 owns the log from then on, in
// an epoch of its own. Creating an object that must not exist has one winner on a disk and on an
// object store, needs no clock and no lock that a dead process would keep.
//
// Why no result reaches a sink that the next owner does not know of:
//   old owner:  append plan P → sync → (A) look that no later slot exists → write to sinks
//   new owner:  (B) create the later slot → read the log → declare where it ends → go on from there
// If A comes before B, then P was durable before the new owner read, so it is read, and is redone
// under the same batch id with the same ranges. If A comes after B, the old owner sees the slot and
// writes nothing. There is no third order, and it does not matter how long the old owner slept
// between any two steps, because its look comes after its sync, and the new owner's read after its
// claim. What a sleeper appends after the new owner has declared the end is void: never read by
// anyone.
//
// Why a crash of the machine loses nothing that a sink holds: P is durable before A. The new owner
// may read bytes of the old one that are not durable yet; it makes them so before it declares an
// end that covers them.
//
// A log that failed once is done: after a failed append or fsync nothing is known of the tail, so
// every later call rejects with the first error. The next start reads what is there and cuts what
// is not whole.

import { assert } from '../assert.ts'
import type { PartitionPositions } from '../receivers/receiver.ts'
import { declaredOutputs, declaredSources } from './changed-pipeline.ts'
import { explained, Fence } from './fence.ts'
import { FlushPace } from './flush-pace.ts'
import type { CommitRecord, LogRecord, Opening, PlanRecord, SnapshotRecord } from './format.ts'
import { EPOCHS, heartbeatEpochOf, slotName, snapshotEpochOf, snapshotName } from './format.ts'
import { GroupWriter } from './group-writer.ts'
import type { Lease } from './lease.ts'
import type { Ledger } from './ledger.ts'
import {
  checkBounds,
  type LogOptions,
  SEGMENT_BYTES_MAX,
  SNAPSHOT_EVERY,
  takeoverOptions,
} from './log-options.ts'
import type { LogWriter, WriterOptions } from './log-writer.ts'
import { type LogImage, listSlots, type Recovered, readLog } from './recovery.ts'
import { giveUp } from './release.ts'
import { SegmentWriter } from './segment-writer.ts'
import { SnapshotDraft } from './snapshot-draft.ts'
import { namesOf } from './snapshot-files.ts'
import type { CheckpointStore } from './store.ts'
import { checkFits, checkRedo, type Taken, takeSlot } from './takeover.ts'

export type { CommitRecord, Owner, PlanRecord } from './format.ts'
export type { LogOptions } from './log-options.ts'
export type { LogFlush } from './log-writer.ts'
export type { OwnerProbe } from './owner.ts'
export type { CommittedChanges, Recovered, SnapshotContent } from './recovery.ts'
export type { SnapshotDraft } from './snapshot-draft.ts'
export type { Takeover } from './takeover.ts'

/** Two, so that one that rotted on the disk does not end the pipeline. */
const SNAPSHOTS_KEPT = 2

/** A log in the hands of its owner, what it held, and what keeps it there. */
export interface OpenedLog {
  readonly log: BatchLog
  readonly recovered: Recovered
  /** Undefined if the options make none. */
  readonly lease: Lease | undefined
}

interface Parts {
  readonly options: LogOptions
  readonly epoch: number
  readonly image: LogImage
  readonly writer: LogWriter
}

/** The log of one epoch, in the hands of its owner.
 *
 * Callers owe: `plan` and a resolved `sync` before the first sink write of a batch; `commit` in
 * order of batch ids, each after its plan; after a rejection, nothing but `close`. Calls may
 * overlap: they take effect in the order in which they were made. */
export class BatchLog {
  readonly epoch: number
  readonly #options: LogOptions
  readonly #store: CheckpointStore
  readonly #writer: LogWriter
  readonly #pace: FlushPace
  readonly #ledger: Ledger
  /** Batches whose plan, or skips whose end, may not be durable. */
  readonly #unsynced = new Set<number>()
  #snapshots: readonly SnapshotRecord[]
  #spoiled: readonly string[]
  #commitsSinceSnapshot: number
  /** The snapshot that is being written. */
  #draft: SnapshotDraft | undefined
  #snapshotFiles = 0
  #turn: Promise<unknown> = Promise.resolve()
  #failure: { readonly error: unknown } | undefined
  #closing: Promise<void> | undefined

  private constructor({ options, epoch, image, writer }: Parts) {
    this.epoch = epoch
    this.#options = options
    this.#store = options.store
    this.#writer = writer
    this.#pace = new FlushPace(options.clock, options.commitIntervalMs ?? 0, () => this.sync())
    this.#ledger = image.ledger
    this.#snapshots = image.snapshots
    this.#spoiled = image.spoiled
    this.#commitsSinceSnapshot = image.changes.length
  }

  /** Takes the checkpoint and reads it. Rejects with CHECKPOINT_FOREIGN, CHECKPOINT_INCOMPATIBLE,
   * CHECKPOINT_IN_USE or CHECKPOINT_CORRUPT without taking it from anybody. */
  static async open(options: LogOptions): Promise<OpenedLog> {
    const { store } = options
    checkBounds(options)
    await store.open()
    let taken: Taken | undefined
    let lease: Lease | undefined
    try {
      taken = await takeSlot(takeoverOptions(options))
      lease = options.leaseOf?.(taken.claim.epoch)
      return await BatchLog.#begin(options, taken, lease)
    } catch (error) {
      const why = taken === undefined ? error : await whyOf(store, taken, error)
      await lease?.stop()
      await giveUp(options, taken)
      throw why
    }
  }

  static async #begin(
    options: LogOptions,
    { slot, claim, bytes }: Taken,
    lease: Lease | undefined,
  ): Promise<OpenedLog> {
    const { store, logger } = options
    const image = await readLog(store, slot, options.signal)
    if (image.opening !== undefined) checkFits(image.opening, options)
    checkRedo(image, options)
    const tail = image.chain.at(-1)
    if (tail !== undefined && store.appends) await store.sync(slotName(tail.slot))
    const opening = openingFor(options, image, claim.epoch)
    const recovered = describe(image, opening, claim.epoch)
    const writer = writerOf({
      store,
      claim,
      opening,
      slot,
      head: bytes,
      segmentBytesMax: options.segmentBytesMax ?? SEGMENT_BYTES_MAX,
      clock: options.clock,
      flushed: (flush) => {
        lease?.flushed()
        options.flushed?.(flush)
      },
    })
    const log = new BatchLog({ options, epoch: claim.epoch, image, writer })
    for (const warning of image.warnings) logger.warn({ checkpoint: store.location }, warning)
    await log.#inTurn(() => writer.open())
    await log.sync()
    await log.#sweep()
    return { log, recovered, lease }
  }

  /** Appends what a batch will do. Not durable before `sync`. */
  plan(record: PlanRecord): Promise<void> {
    return this.#note({ kind: 'plan', ...record })
  }

  /** Appends what a batch did. Not durable before `sync`; until then a restart redoes the batch. */
  commit(record: CommitRecord): Promise<void> {
    this.#commitsSinceSnapshot += 1
    return this.#note({ kind: 'commit', ...record })
  }

  /** Appends that the batches `from` to `to`, both included, will never run. Not durable before
   * `sync`. */
  async skip(from: number, to: number): Promise<void> {
    assert(from <= to, () => `Batches ${from} to ${to} were skipped`)
    await this.#note({ kind: 'skip', from, to })
  }

  /** Logs exact positions for symbolic ones, such as LATEST, and which partitions are to be
   * forgotten; durable once it resolves. */
  async resolved(
    sourceId: number,
    positions: PartitionPositions,
    forgotten: readonly string[] = [],
  ): Promise<void> {
    const record = { kind: 'positions', sourceId, at: positions } as const
    await this.#note(forgotten.length === 0 ? record : { ...record, forgotten })
    await this.sync()
  }

  /** Makes durable all that was appended, then looks whether the log still is ours. Rejects with
   * FENCED, naming who took over, if it is not: nothing may be written to a sink then. */
  sync(): Promise<void> {
    return this.#inTurn(() => this.#writeDurably())
  }

  /** Resolves once the plan of `batchId` is durable, and the log was looked at after that and still
   * was ours; rejects with FENCED otherwise. Plans and commits of several batches share a write,
   * which waits until `commitIntervalMs` have passed since the one before. */
  async planDurable(batchId: number): Promise<void> {
    const isDurable = await this.#inTurn(async () => {
      if (this.#unsynced.has(batchId)) return false
      await this.#writer.checkFence()
      return true
    })
    if (!isDurable) await this.#pace.next()
  }

  /** As `sync`, with a write that others share. */
  syncShared(): Promise<void> {
    return this.#pace.next()
  }

  /** Lets writes wait for each other no longer. */
  hurry(): void {
    this.#pace.hurry()
  }

  /** True if enough is committed since the last snapshot once `more` batches are, and none is being
   * written. */
  snapshotDue(more = 0): boolean {
    const every = this.#options.snapshotEvery ?? SNAPSHOT_EVERY
    return this.#draft === undefined && this.#commitsSinceSnapshot + more >= every
  }

  /** Begins a snapshot of the state after the newest committed batch. Other calls may follow at
   * once: its objects are written beside them.
   *
   * Callers owe: the state that they write is the one at the time of this call; one draft at a
   * time, which is finished or abandoned. */
  beginSnapshot(): SnapshotDraft {
    assert(this.#draft === undefined, 'A snapshot was begun while another is written')
    const base = this.#ledger.base()
    const batchId = base.lastBatchId
    const covered = this.#commitsSinceSnapshot
    this.#draft = new SnapshotDraft({
      store: this.#store,
      batchId,
      base,
      from: this.#inTurn(async () => {
        // An object of the snapshot proves to a start that the log knew of the batch.
        if (this.#unsynced.has(batchId)) await this.#writeDurably()
        return this.#writer.place
      }),
      nextName: () => snapshotName(this.epoch, batchId, ++this.#snapshotFiles),
      log: async (record) => {
        const dead = await this.#inTurn(() => this.#logSnapshot(record))
        this.#commitsSinceSnapshot -= covered
        await this.#deleteAll(dead)
      },
      remove: (names) => this.#deleteAll(names),
      ended: () => {
        this.#draft = undefined
      },
    })
    return this.#draft
  }

  /** Reads back what is committed: the newest snapshot and the changes after it. Rejects with
   * FENCED if another process took the log over and deletes meanwhile what is read. */
  committed(): Promise<Pick<Recovered, 'snapshot' | 'changes'>> {
    return this.#inTurn(async () => {
      await this.#writeDurably()
      const { snapshot, changes } = await readLog(this.#store, Number.POSITIVE_INFINITY)
      return { snapshot, changes }
    })
  }

  /** Makes durable what was appended and says in the log that nobody holds it. Releases the
   * store. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    try {
      await this.#draft?.settled()
      if (this.#failure === undefined) {
        await this.#append({ kind: 'closed', at: this.#options.clock.wallMs() })
        await this.sync()
      }
    } finally {
      this.#failure ??= { error: new Error('millrace bug: the batch log is closed') }
      await this.#store.close()
    }
  }

  /** Applies at once and appends in turn: the ledger is never behind a record that stands before
   * it. */
  async #note(record: LogRecord): Promise<void> {
    this.#ledger.apply(record)
    await this.#append(record)
  }

  async #writeDurably(): Promise<void> {
    await this.#writer.sync()
    this.#unsynced.clear()
  }

  #append(record: LogRecord): Promise<void> {
    return this.#inTurn(async () => {
      await this.#writer.append(record)
      if (record.kind === 'plan') this.#unsynced.add(record.batchId)
      else if (record.kind === 'skip') this.#unsynced.add(record.to)
    })
  }

  /** Names the snapshot in the log and what it makes needless; gives the names that may be
   * deleted then. */
  async #logSnapshot(record: SnapshotRecord): Promise<string[]> {
    const all = [...this.#snapshots, record]
    const kept = all.slice(-SNAPSHOTS_KEPT)
    const snapshots = [...this.#spoiled, ...namesOf(all.slice(0, -SNAPSHOTS_KEPT))]
    const oldest = kept.length < SNAPSHOTS_KEPT ? undefined : kept[0]
    const beforeSlot = oldest?.from.slot ?? this.#writer.firstSlot
    const isNeeded = snapshots.length > 0 || beforeSlot > this.#writer.firstSlot
    await this.#writer.append({ kind: 'snapshot', ...record })
    if (isNeeded) await this.#writer.append({ kind: 'forget', beforeSlot, snapshots })
    await this.#writeDurably()
    this.#writer.forgetBefore(beforeSlot)
    this.#snapshots = kept
    this.#spoiled = []
    return [...(await this.#slotsBefore(beforeSlot)), ...snapshots]
  }

  /** Deletes what was forgotten, or never named, before this epoch and is still there. */
  async #sweep(): Promise<void> {
    const known = new Set([...namesOf(this.#snapshots), ...this.#spoiled])
    const orphans = (await this.#store.list(EPOCHS)).filter((name) => {
      const epoch = snapshotEpochOf(name) ?? heartbeatEpochOf(name)
      return epoch !== undefined && epoch < this.epoch && !known.has(name)
    })
    await this.#deleteAll([...(await this.#slotsBefore(this.#writer.firstSlot)), ...orphans])
  }

  async #slotsBefore(slot: number): Promise<string[]> {
    const slots = await listSlots(this.#store)
    return slots.filter((one) => one < slot).map(slotName)
  }

  /** Deletes in order: the fence check relies on a slot going before the one after it. */
  async #deleteAll(names: readonly string[]): Promise<void> {
    try {
      for (const name of names) await this.#store.delete(name)
    } catch (error) {
      this.#options.logger.warn(
        { err: error },
        'Cannot delete from the checkpoint: the next start will',
      )
    }
  }

  /** Runs `work` after all that was called before it, unless the log has failed. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#turn.then(async () => {
      if (this.#failure !== undefined) throw this.#failure.error
      try {
        return await work()
      } catch (error) {
        this.#failure = { error: await explained(error, () => this.#writer.takenOver()) }
        throw this.#failure.error
      }
    })
    this.#turn = run.catch(() => undefined)
    return run
  }
}

/** Why a start failed that had won its slot. */
function whyOf(store: CheckpointStore, { slot, claim }: Taken, error: unknown): Promise<unknown> {
  return explained(error, () => new Fence(store, claim).takenOver(slot))
}

function writerOf(options: WriterOptions): LogWriter {
  return options.store.appends ? new SegmentWriter(options) : new GroupWriter(options)
}

function openingFor(options: LogOptions, image: LogImage, epoch: number): Opening {
  const { pipeline, batchIntervalMs, planHash, stateful } = options
  const { chain, ledger, opening: before } = image
  const zeroTime = before?.zeroTime ?? options.zeroTime()
  const sources = declaredSources(before, options)
  const outputs = declaredOutputs(before, ledger.redo(), options, epoch)
  return { pipeline, zeroTime, batchIntervalMs, planHash, stateful, sources, outputs, chain }
}

function describe(image: LogImage, { zeroTime, stateful }: Opening, epoch: number): Recovered {
  const { opening, ledger, snapshot, changes, cutBytes, warnings } = image
  return {
    fresh: opening === undefined,
    zeroTime,
    epoch,
    previousPlanHash: opening?.planHash,
    stateful: opening?.stateful ?? stateful,
    lastBatchId: ledger.lastBatchId,
    snapshot,
    changes,
    redo: ledger.redo(),
    positions: ledger.positions(),
    accumulators: ledger.accumulators(),
    cutBytes,
    warnings,
  }
}
