// Snapshots of state, written while batches go on. State is frozen between two batches; what is
// frozen comes in small slices, at a bounded rate, and is written as objects of some megabytes. A
// restart starts from the newest snapshot that is whole, and applies the batches after it.
//
// Always: what is frozen is the state after a batch, and the draft in the log begins after the
// record of its commit and before that of the next one.

import { setImmediate } from 'node:timers/promises'
import type { BatchLog, SnapshotDraft } from '../checkpoint/log.ts'
import type { Clock } from '../clock.ts'
import { sleep } from '../clock.ts'
import { codeOf } from '../errors.ts'
import type { EventBus } from '../events.ts'
import { toSnapshotFile } from '../state/snapshot-entries.ts'
import type { Executor, FrozenState } from '../workers/executor.ts'

/** What snapshots are written with. */
export interface SnapshotsParts {
  readonly log: BatchLog
  readonly executor: Executor
  readonly events: EventBus
  readonly clock: Clock
  /** Bytes a second. */
  readonly rate: number
  /** Ends the run: a snapshot could not be written. */
  readonly fail: (error: unknown) => void
}

/** An object of a snapshot has about so many bytes. */
const FILE_BYTES = 8 * 2 ** 20

/** What the rate allows within so long may come at once. */
const BURST_MS = 250

/** Takes snapshots when they are due, one at a time. */
export class Snapshots {
  readonly #parts: SnapshotsParts
  readonly #closing = new AbortController()
  /** What is frozen, until its batch is committed. */
  #frozen: { readonly batchId: number; readonly state: FrozenState } | undefined
  #writing: Promise<void> | undefined
  /** When the rate allows the next bytes, on the monotonic clock. */
  #allowedAt = Number.NEGATIVE_INFINITY

  constructor(parts: SnapshotsParts) {
    this.#parts = parts
  }

  /** Freezes the state if a snapshot is due; called right after `merge`. `committed`: the commit of
   * the batch is in the log; if not, `committed` is called once it is. */
  merged(batchId: number, committed: boolean): void {
    const { log, executor } = this.#parts
    if (this.#frozen !== undefined || !log.snapshotDue(committed ? 0 : 1)) return
    this.#frozen = { batchId, state: executor.freeze() }
    if (committed) this.committed(batchId)
  }

  /** Called when the commit of a batch is in the log, before that of the next one. */
  committed(batchId: number): void {
    if (this.#frozen?.batchId !== batchId) return
    const draft = this.#parts.log.beginSnapshot()
    this.#writing = this.#write(this.#frozen.state, draft)
    this.#writing.catch(this.#parts.fail)
  }

  /** Gives up what is being written. Rejects if it could not be written: who ends a run does not
   * hear of that by `fail` any more. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('the run ends'))
    this.#frozen?.state.release()
    await this.#writing
  }

  async #write(state: FrozenState, draft: SnapshotDraft): Promise<void> {
    const bytes = await this.#writeObjects(state, draft)
    this.#frozen = undefined
    if (bytes === undefined) return
    await draft.finish()
    this.#parts.events.emit({ kind: 'snapshot-written', batchId: draft.batchId, bytes })
  }

  /** Gives the number of bytes, or undefined if the snapshot was given up. */
  async #writeObjects(state: FrozenState, draft: SnapshotDraft): Promise<number | undefined> {
    try {
      return await this.#writeAll(state, draft)
    } catch (error) {
      state.release()
      await draft.abandon()
      if (!this.#closing.signal.aborted && codeOf(error) !== 'WORKER_DIED') throw error
      this.#parts.events.emit({ kind: 'snapshot-abandoned', batchId: draft.batchId, error })
      return undefined
    }
  }

  async #writeAll(state: FrozenState, draft: SnapshotDraft): Promise<number> {
    let entries: Uint8Array[] = []
    let waiting = 0
    let written = 0
    for (let ended = false; !ended; ) {
      const { entry, last } = await state.next()
      this.#closing.signal.throwIfAborted()
      entries.push(entry)
      waiting += entry.length
      ended = last
      if (!ended) await this.#pace(entry.length)
      if (!ended && waiting < FILE_BYTES) continue
      const file = toSnapshotFile(entries)
      await draft.write(file)
      written += file.length
      entries = []
      waiting = 0
    }
    return written
  }

  /** Lets others go on, and waits where more was written than the rate allows. */
  async #pace(bytes: number): Promise<void> {
    const { clock, rate } = this.#parts
    const now = clock.monotonicMs()
    this.#allowedAt = Math.max(this.#allowedAt, now - BURST_MS) + (bytes * 1e3) / rate
    const { signal } = this.#closing
    if (this.#allowedAt > now) await sleep(clock, this.#allowedAt - now, signal)
    else await setImmediate(undefined, { signal })
  }
}
