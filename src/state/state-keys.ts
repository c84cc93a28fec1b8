// The keys of one partition of a state. Each has a dense id; ids grow in the order in which the
// keys were first seen, so the order of the ids is the order of the keys, and a key that was
// removed and comes back stands at the end.
//
// State: the id of each token, the key of each id (a hole where it was removed), and what the
// attempt removed. Always: a token is there exactly if its key is live; ids from `committed` on
// were given by the attempt.

import { type Column, toColumn } from '../batch/columns.ts'
import { type Token, tokenOf } from '../batch/key.ts'
import { openValue, type StoredValue, sealValue } from '../batch/sealed.ts'
import { grow } from './grow.ts'
import { ownText } from './own-text.ts'

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
    const renumber = this.end >= COMPACTED_MIN && this.#holes > this.end / 2
    const moved = renumber ? this.#compact() : undefined
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

  /** The place of each live id among the live ones. */
  places(): Int32Array {
    const places = new Int32Array(this.end)
    let n = 0
    for (let id = 0; id < places.length; id++) if (this.isLive(id)) places[id] = n++
    return places
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
