// The batches that a window still needs, sealed. The newest waits in the overlay until its batch is
// done.

import type { Records } from '../batch/records.ts'
import { openRecords, type SealedRecords, sealedLength, sealRecords } from '../batch/sealed.ts'

/** One batch of the parent stream. */
export interface Pane {
  readonly time: number
  readonly partitions: readonly SealedRecords[]
}

/** The panes of one window, oldest first. */
export class Panes {
  #committed: Pane[] = []
  #pending: Pane | undefined
  #forgetUpTo = Number.NEGATIVE_INFINITY

  /** Puts the parent's batch at `time` into the overlay. */
  add(time: number, partitions: readonly Records<unknown>[], what: string): void {
    const sealed = partitions.map((part) => sealRecords(Array.from(part as unknown[]), what))
    this.#pending = { time, partitions: sealed }
  }

  /** Panes with after < time ≤ upTo, oldest first. */
  between(after: number, upTo: number): Pane[] {
    const all = this.#pending === undefined ? this.#committed : [...this.#committed, this.#pending]
    return all.filter((pane) => pane.time > after && pane.time <= upTo)
  }

  /** Drops the panes up to `time` when the batch is done. */
  forget(time: number): void {
    this.#forgetUpTo = time
  }

  /** True if some pane has a record. */
  get hasRecords(): boolean {
    return this.#committed.some((pane) => pane.partitions.some((part) => sealedLength(part) > 0))
  }

  get pending(): Pane | undefined {
    return this.#pending
  }

  discard(): void {
    this.#pending = undefined
    this.#forgetUpTo = Number.NEGATIVE_INFINITY
  }

  merge(): void {
    if (this.#pending !== undefined) this.#committed.push(this.#pending)
    this.#committed = this.#committed.filter((pane) => pane.time > this.#forgetUpTo)
    this.discard()
  }

  snapshot(): Pane[] {
    return this.#committed
  }

  restore(panes: readonly Pane[]): void {
    this.#committed = [...panes]
  }

  apply(pane: Pane | null, forgetUpTo: number): void {
    if (pane !== null) this.#committed.push(pane)
    this.#committed = this.#committed.filter(({ time }) => time > forgetUpTo)
  }

  get forgetUpTo(): number {
    return this.#forgetUpTo
  }
}

/** The records of a pane, fresh where a closure could change them. */
export function openPane(pane: Pane): Records<unknown>[] {
  return pane.partitions.map(openRecords)
}
