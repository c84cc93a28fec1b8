// Keyed state of a stateful operator. A batch never changes what is committed: it writes into an
// overlay, which is also its changelog entry, and the overlay is merged once the batch is done. A
// failed attempt drops the overlay; object values are bytes and decoded afresh, so a closure that
// changes its state in place leaks nothing.
//
// Keys stand in first-seen order; the order is part of what is committed, so a restart keeps it.

import { assert } from '../assert.ts'
import { type Token, tokenOf } from '../batch/key.ts'
import { partitionOfToken } from '../batch/partitioner.ts'
import { openValue, SealedValue, type StoredValue, sameStored, sealValue } from '../batch/sealed.ts'

interface Slot {
  readonly key: StoredValue
  readonly value: StoredValue
  /** Batch time of the last update, epoch milliseconds. */
  readonly touched: number
}

/** One entry as a closure sees it: key and value are fresh. */
export interface StateEntry {
  readonly key: unknown
  readonly value: unknown
  readonly touched: number
}

/** Entries in columns, as they stand in the log. */
export interface StateColumns {
  readonly keys: readonly unknown[]
  readonly values: readonly unknown[]
  readonly touched: readonly number[]
  readonly removed: readonly unknown[]
}

const WHAT_KEY = 'a key of a state'

/** The state of the keys of one partition. */
export class StatePartition {
  readonly #committed = new Map<Token, Slot>()
  readonly #overlay = new Map<Token, Slot | undefined>()
  readonly #removedKeys = new Map<Token, StoredValue>()
  readonly #what: string
  /** No committed entry was touched before this time. */
  #oldest = Number.NEGATIVE_INFINITY

  constructor(what: string) {
    this.#what = what
  }

  get size(): number {
    return this.#committed.size
  }

  has(token: Token): boolean {
    return this.#slot(token) !== undefined
  }

  get(token: Token): StateEntry | undefined {
    const slot = this.#slot(token)
    return slot === undefined ? undefined : open(slot)
  }

  /** Sets a key's state in the overlay; an equal value that was not touched again is left alone. */
  set(key: unknown, value: unknown, touched: number, alwaysTouch = false): void {
    const token = tokenOf(key)
    const before = this.#slot(token)
    const stored = sealValue(value, `the ${this.#what} of a key`)
    const same = before !== undefined && sameStored(before.value, stored)
    if (same && !(alwaysTouch && before.touched !== touched)) return
    this.#removedKeys.delete(token)
    const storedKey = before === undefined ? sealValue(key, WHAT_KEY) : before.key
    this.#overlay.set(token, { key: storedKey, value: stored, touched })
  }

  remove(key: unknown): void {
    const token = tokenOf(key)
    if (!this.#committed.has(token)) {
      this.#overlay.delete(token)
      return
    }
    this.#overlay.set(token, undefined)
    this.#removedKeys.set(token, sealValue(key, WHAT_KEY))
  }

  /** All entries, the committed ones in their order, then the new ones. */
  *entries(): Generator<readonly [Token, StateEntry]> {
    for (const [token, committed] of this.#committed) {
      const slot = this.#overlay.has(token) ? this.#overlay.get(token) : committed
      if (slot !== undefined) yield [token, open(slot)]
    }
    for (const [token, slot] of this.#overlay) {
      if (slot !== undefined && !this.#committed.has(token)) yield [token, open(slot)]
    }
  }

  /** Entries touched before `threshold`, in order; looks at all only when one can be due. */
  touchedBefore(threshold: number): StateEntry[] {
    if (this.#oldest >= threshold) return []
    const due: StateEntry[] = []
    for (const [, entry] of this.entries()) if (entry.touched < threshold) due.push(entry)
    if (due.length === 0) {
      this.#oldest = Number.POSITIVE_INFINITY
      for (const { touched } of this.#committed.values()) this.#lower(touched)
    }
    return due
  }

  discard(): void {
    this.#overlay.clear()
    this.#removedKeys.clear()
  }

  /** The overlay as its changelog entry; undefined if nothing changed. */
  changes(): StateColumns | undefined {
    if (this.#overlay.size === 0) return undefined
    const slots = [...this.#overlay.values()].filter((slot) => slot !== undefined)
    return { ...columns(slots), removed: Array.from(this.#removedKeys.values(), openValue) }
  }

  merge(): void {
    for (const [token, slot] of this.#overlay) {
      if (slot === undefined) this.#committed.delete(token)
      else {
        this.#committed.set(token, slot)
        this.#lower(slot.touched)
      }
    }
    this.discard()
  }

  snapshot(): StateColumns {
    assert(this.#overlay.size === 0, 'a snapshot is taken between batches')
    return { ...columns([...this.#committed.values()]), removed: [] }
  }

  /** Applies a changelog entry, or a snapshot to an empty partition. */
  apply({ keys, values, touched, removed }: StateColumns): void {
    for (const key of removed) this.#committed.delete(tokenOf(key))
    keys.forEach((key, i) => {
      const value = values[i] instanceof Uint8Array ? new SealedValue(values[i]) : values[i]
      const stored = { key: sealValue(key, WHAT_KEY), value, touched: touched[i] as number }
      this.#committed.set(tokenOf(key), stored)
    })
    this.#oldest = Number.NEGATIVE_INFINITY
  }

  #lower(touched: number): void {
    if (touched < this.#oldest) this.#oldest = touched
  }

  #slot(token: Token): Slot | undefined {
    return this.#overlay.has(token) ? this.#overlay.get(token) : this.#committed.get(token)
  }
}

/** The state of all keys of an operator, partitioned by key. */
export class KeyedState {
  readonly partitions: readonly StatePartition[]

  constructor(partitions: number, what: string) {
    this.partitions = Array.from({ length: partitions }, () => new StatePartition(what))
  }

  /** The partition that owns a key. */
  partitionOf(key: unknown): StatePartition {
    const index = partitionOfToken(tokenOf(key), this.partitions.length)
    return this.partitions[index] as StatePartition
  }

  discard(): void {
    for (const partition of this.partitions) partition.discard()
  }

  merge(): void {
    for (const partition of this.partitions) partition.merge()
  }

  changes(): (StateColumns | null)[] | undefined {
    const changes = this.partitions.map((partition) => partition.changes() ?? null)
    return changes.some((change) => change !== null) ? changes : undefined
  }

  snapshot(): StateColumns[] {
    return this.partitions.map((partition) => partition.snapshot())
  }

  apply(changes: readonly (StateColumns | null)[]): void {
    changes.forEach((change, i) => {
      if (change !== null) this.partitions[i]?.apply(change)
    })
  }
}

function open(slot: Slot): StateEntry {
  return { key: openValue(slot.key), value: openValue(slot.value), touched: slot.touched }
}

function columns(slots: readonly Slot[]): Omit<StateColumns, 'removed'> {
  return {
    keys: slots.map((slot) => openValue(slot.key)),
    values: slots.map(({ value }) => (value instanceof SealedValue ? value.bytes : value)),
    touched: slots.map((slot) => slot.touched),
  }
}
