// The state of workers, as the driver gives it to them and takes it from them.

import type { FrozenSlice } from '../state/frozen-graph.ts'
import { type EntryOperator, ownEntry } from '../state/graph-changes.ts'
import { snapshotEntries, toSnapshotFile } from '../state/snapshot-entries.ts'
import type { Committed, FrozenState } from './executor.ts'
import type { WorkerPool } from './worker-pool.ts'

/** Gives a worker its share of what is committed, object by object. */
export async function restoreWorker(
  { pool, operators }: { readonly pool: WorkerPool; readonly operators: readonly EntryOperator[] },
  worker: number,
  { snapshot, changes }: Committed,
): Promise<void> {
  const seat = { workers: pool.size, self: worker }
  const ownOf = (entry: Uint8Array) => ownEntry(entry, seat, operators)
  for (const file of snapshot) {
    const own = toSnapshotFile(Array.from(snapshotEntries(file), ownOf))
    const transfer = [own.buffer as ArrayBuffer]
    await pool.call(worker, { kind: 'restore', snapshot: own, changes: [] }, transfer)
  }
  for (const entry of changes) {
    if (entry.length === 0) continue
    const own = ownOf(entry)
    const transfer = [own.buffer as ArrayBuffer]
    await pool.call(worker, { kind: 'restore', changes: [own] }, transfer)
  }
}

/** One pool may serve several runs: no number comes twice. */
let freezes = 0

/** What all workers of a pool have frozen: given worker by worker. */
export class FrozenPool implements FrozenState {
  readonly #pool: WorkerPool
  readonly #freeze: number
  readonly #frozen: Promise<unknown>
  #worker = 0

  constructor(pool: WorkerPool) {
    this.#pool = pool
    freezes += 1
    this.#freeze = freezes
    this.#frozen = pool.callAll({ kind: 'freeze', freeze: this.#freeze })
    this.#frozen.catch(() => undefined)
  }

  async next(): Promise<FrozenSlice> {
    await this.#frozen
    const request = { kind: 'frozen-slice', freeze: this.#freeze } as const
    const slice = await this.#pool.call<FrozenSlice>(this.#worker, request)
    if (slice.last) this.#worker += 1
    return { entry: slice.entry, last: this.#worker === this.#pool.size }
  }

  release(): void {
    this.#pool.tellAll({ kind: 'thaw', freeze: this.#freeze })
  }
}
