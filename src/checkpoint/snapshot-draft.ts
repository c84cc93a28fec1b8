// A snapshot on its way: its objects are written one by one, and count only once the log names them
// all.

import { crc32 } from 'node:zlib'
import { assert } from '../assert.ts'
import type { LedgerBase, Place, SnapshotFile, SnapshotRecord } from './format.ts'
import type { CheckpointStore } from './store.ts'

/** What a draft needs of its log. */
export interface DraftParts {
  readonly store: CheckpointStore
  readonly batchId: number
  readonly base: LedgerBase
  /** Where the log stood when the snapshot was begun. */
  readonly from: Promise<Place>
  readonly nextName: () => string
  /** Makes the record durable, and forgets what it makes needless. */
  readonly log: (record: SnapshotRecord) => Promise<void>
  /** Deletes objects that no record names. */
  readonly remove: (names: readonly string[]) => Promise<void>
  readonly ended: () => void
}

/** A snapshot that is being written. Callers owe: one call at a time; `finish` or `abandon` at the
 * end. */
export class SnapshotDraft {
  readonly #parts: DraftParts
  readonly #files: SnapshotFile[] = []
  /** The step that is under way. */
  #step: Promise<unknown>

  constructor(parts: DraftParts) {
    this.#parts = parts
    this.#step = parts.from
    this.#step.catch(() => undefined)
  }

  /** The newest batch in the snapshot. */
  get batchId(): number {
    return this.#parts.batchId
  }

  /** Writes one object more. */
  write(bytes: Uint8Array): Promise<void> {
    return this.#next(async () => {
      const { store, nextName } = this.#parts
      const name = nextName()
      const file = { name, bytes: bytes.length, crc: crc32(bytes) }
      this.#files.push(file)
      assert(await store.createIfAbsent(name, bytes), () => `Snapshot "${name}" was written twice`)
    })
  }

  /** Names the objects in the log, durably: from then on a restart goes on from them. */
  finish(): Promise<void> {
    return this.#next(async () => {
      const { batchId, base, log, ended } = this.#parts
      assert(this.#files.length > 0, 'A snapshot has at least one object')
      try {
        await log({ batchId, files: this.#files, from: await this.#parts.from, base })
      } finally {
        ended()
      }
    })
  }

  /** Gives the snapshot up, and deletes what was written of it. */
  abandon(): Promise<void> {
    return this.#next(async () => {
      this.#parts.ended()
      await this.#parts.remove(this.#files.map(({ name }) => name))
    })
  }

  /** Resolves when the step that is under way has ended, however it did. */
  async settled(): Promise<void> {
    await this.#step.catch(() => undefined)
  }

  #next(step: () => Promise<void>): Promise<void> {
    const run = step()
    this.#step = run
    return run
  }
}
