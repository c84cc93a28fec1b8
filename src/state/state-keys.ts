// The keys of one partition of a state. Each has a dense id; ids grow in the order in which the
// keys were first seen, so the order of the ids is the order of the keys, and a key that was
// removed and comes back stands at the end.
//
// State: the id of each token, the key of each id (a hole where it was removed), and what the
// attempt removed. Always: a token is there exactly if its key is live; ids from `committed` on
// were given by the attempt. While keys are frozen no id is renumbered, and a frozen id had a key
// then exactly if it is live or was removed since.

import { type Column, fromColumn, toColumn } from '../batch/columns.ts'
import { type Token, tokenOf } from '../batch/key.ts'
import { ownText, ownValue } from '../batch/own-text.ts'
import { openValue, type StoredValue, sealValue } from '../batch/sealed.ts'
import { grow } from './grow.ts'
import { PIECE_KEYS } from './stateful-operator.ts'

const WHAT_KEY = 'a key of a state'
const CAPACITY = 16
/** Fewer ids than these are not worth renumbering. */
const COMPACTED_MIN = 64

/** A key as a closure sees it: one that it could change is a copy. */
export function shownKey(key: unknown): unknown {
  return typeof key === 'object' ? openValue(sealValue(key, WHAT_KEY)) : key
}

/** Keys in first-seen order, each with its id. */
export class StateKeys {
  readonly #ids = new Map<Token, number>()
  /** Undefined where the key was removed. */
  #keys: StoredValue[] = []
  #live = new Uint8Array(CAPACITY)
  #committed = 0
  #holes = 0
  #removed: number[] = []
  /** Ids below it are frozen; 0: nothing is. */
  #frozenEnd = 0
  /** The keys of frozen ids that were removed since. */
  readonly #frozenKeys = new Map<number, StoredValue>()

  /** The number of live keys. */
  get size(): number {
    return this.#ids.size
  }

  /** One more than the greatest id. */
  get end(): number {
    return this.#keys.length
  }

  /** Ids below it were there before the attempt. */
  get committed(): number {
    return this.#committed
  }

  /** Ids that were committed and that the attempt removed. */
  get removed(): readonly number[] {
    return this.#removed
  }

  /** The id of a live key; -1: there is none. */
  find(token: Token): number {
    return this.#ids.get(token) ?? -1
  }

  isLive(id: number): boolean {
    return this.#live[id] === 1
  }

  /** The key of an id, which the caller may change; also of one that the attempt removed. */
  keyAt(id: number): unknown {
    return openValue(this.#keys[id])
  }

  /** Gives a key that is not live the next id. */
  add(token: Token, key: unknown): number {
    const id = this.#keys.length
    if (id === this.#live.length) this.#live = grow(this.#live, id + 1)
    this.#live[id] = 1
    if (typeof key === 'string') {
      const own = ownText(key)
      this.#keys.push(own)
      this.#ids.set(token === key ? own : token, id)
    } else {
      this.#keys.push(sealValue(key, WHAT_KEY))
      this.#ids.set(token, id)
    }
    return id
  }

  remove(id: number): void {
    if (id < this.#frozenEnd) this.#frozenKeys.set(id, this.#keys[id])
    this.#live[id] = 0
    this.#ids.delete(tokenOf(this.keyAt(id)))
    if (id < this.#committed) this.#removed.push(id)
  }

  /** Takes back what was added and removed since the last merge. */
  rollback(): void {
    for (let id = this.#committed; id < this.end; id++) {
      if (this.isLive(id)) this.#ids.delete(tokenOf(this.keyAt(id)))
    }
    this.#keys.length = this.#committed
    for (const id of this.#removed) {
      this.#live[id] = 1
      this.#ids.set(tokenOf(this.keyAt(id)), id)
    }
    this.#removed = []
  }

  /** Keeps what was added and removed. Gives the new id of each (-1: gone) where too many of them
   * were holes, so that they were renumbered. */
  merge(): Int32Array | undefined {
    for (const id of this.#removed) this.#keys[id] = undefined
    this.#holes += this.#removed.length
    this.#removed = []
    for (let id = this.#committed; id < this.end; id++) {
      if (this.isLive(id)) continue
      this.#keys[id] = undefined
      this.#holes += 1
    }
    const worthIt = this.end >= COMPACTED_MIN && this.#holes > this.end / 2
    const moved = worthIt && this.#frozenEnd === 0 ? this.#compact() : undefined
    this.#committed = this.end
    return moved
  }

  /** Live ids, in order. */
  liveIds(): Int32Array {
    const ids = new Int32Array(this.size)
    let n = 0
    for (let id = 0; id < this.end; id++) if (this.isLive(id)) ids[n++] = id
    return ids
  }

  /** Holds the keys that are committed. */
  freeze(): void {
    this.#frozenEnd = this.#committed
  }

  /** Lets go of what is frozen. */
  thaw(): void {
    this.#frozenEnd = 0
    this.#frozenKeys.clear()
  }

  /** Ids below it are frozen. */
  get frozenEnd(): number {
    return this.#frozenEnd
  }

  /** True if a frozen id had a key when it was frozen. */
  wasLive(id: number): boolean {
    return this.#live[id] === 1 || this.#frozenKeys.has(id)
  }

  /** The key of a frozen id, as it is stored. */
  frozenKey(id: number): StoredValue {
    return this.#live[id] === 1 ? this.#keys[id] : this.#frozenKeys.get(id)
  }

  /** The next frozen ids that had a key, from `from` on, as many as a piece holds. */
  frozenIds(from: number): Int32Array {
    const ids = new Int32Array(Math.min(PIECE_KEYS, Math.max(0, this.#frozenEnd - from)))
    let n = 0
    for (let id = from; n < ids.length && id < this.#frozenEnd; id++) {
      if (this.wasLive(id)) ids[n++] = id
    }
    return ids.subarray(0, n)
  }

  /** The frozen keys of some ids as a column. */
  frozenColumn(ids: Int32Array): Column {
    const keys: unknown[] = new Array(ids.length)
    for (let i = 0; i < ids.length; i++) keys[i] = openValue(this.frozenKey(ids[i] as number))
    return toColumn(keys, WHAT_KEY)
  }

  /** The place of each frozen id among those that had a key. */
  frozenPlaces(): Int32Array {
    const places = new Int32Array(this.#frozenEnd)
    let n = 0
    for (let id = 0; id < places.length; id++) if (this.wasLive(id)) places[id] = n++
    return places
  }

  /** Adds committed keys that are not there, behind all others. */
  load(column: Column): void {
    const keys = fromColumn(column)
    const first = this.end
    if (first + keys.length > this.#live.length) this.#live = grow(this.#live, first + keys.length)
    this.#live.fill(1, first, first + keys.length)
    for (let i = 0; i < keys.length; i++) {
      const key = ownValue(keys[i])
      this.#keys.push(typeof key === 'object' ? sealValue(key, WHAT_KEY) : key)
      this.#ids.set(tokenOf(key), first + i)
    }
    this.#committed = this.end
  }

  /** The keys of some ids as a column; also of those that the attempt removed. */
  column(ids: Int32Array | readonly number[]): Column {
    const keys: unknown[] = new Array(ids.length)
    for (let i = 0; i < ids.length; i++) keys[i] = this.keyAt(ids[i] as number)
    return toColumn(keys, WHAT_KEY)
  }

  #compact(): Int32Array {
    const moved = new Int32Array(this.end).fill(-1)
    const keys: StoredValue[] = []
    for (let id = 0; id < moved.length; id++) {
      if (this.isLive(id)) moved[id] = keys.push(this.#keys[id]) - 1
    }
    for (const [token, id] of this.#ids) this.#ids.set(token, moved[id] as number)
    this.#keys = keys
    this.#live = new Uint8Array(Math.max(keys.length, CAPACITY)).fill(1, 0, keys.length)
    this.#holes = 0
    return moved
  }
}
