// The state of the keys of one partition, in columns. An attempt writes in place; the first time
// that it touches a key, what the key had goes into a journal. A failed attempt is taken back from
// the journal, exactly; what a batch changed is the present state of the keys in the journal. An
// object's state is bytes, decoded afresh on each read, so a closure that changes it in place
// leaks nothing.
//
// Always: for each committed key that the attempt touched, the journal holds what it had when the
// attempt began; all other committed keys are as they were.

import { assert } from '../assert.ts'
import { type Column, fromColumn } from '../batch/columns.ts'
import { tokenOf } from '../batch/key.ts'
import { ownText } from '../batch/own-text.ts'
import { openValue, type StoredValue, sameStored, sealValue } from '../batch/sealed.ts'
import { FrozenValues } from './frozen-values.ts'
import { grow } from './grow.ts'
import { StateKeys } from './state-keys.ts'
import { PIECE_BYTES } from './stateful-operator.ts'
import { columnToList, listToColumn, type StoredList, storedBytes } from './stored-list.ts'
import { ValueColumn } from './value-column.ts'

const CAPACITY = 16

/** Entries in columns: a piece of a snapshot. */
export interface StateEntries {
  readonly keys: Column
  readonly values: Column
  /** One number where all are the same; null: a state without marks. */
  readonly marks: Column | number | null
}

/** What a batch changed, as it stands in the log. */
export interface StateColumns extends StateEntries {
  /** Keys that were there and are gone, or stand behind all others again. */
  readonly removed: Column
}

/** The keys of one partition and the state of each; with `marked`, also a number beside each. */
export class StatePartition {
  readonly keys = new StateKeys()
  readonly values = new ValueColumn()
  readonly #what: string
  #marks: Float64Array | undefined
  /** 1: in the journal, or new in this attempt. */
  #touched = new Uint8Array(CAPACITY)
  #journal = new Int32Array(CAPACITY)
  #journaled = 0
  readonly #valuesBefore = new ValueColumn()
  #marksBefore: Float64Array | undefined
  #numericBefore = true
  #frozen: FrozenValues | undefined

  constructor(what: string, marked: boolean) {
    this.#what = what
    this.#marks = marked ? new Float64Array(CAPACITY) : undefined
    this.#marksBefore = marked ? new Float64Array(CAPACITY) : undefined
  }

  /** Seals what a closure gave as the state of a key. */
  seal(value: unknown): StoredValue {
    return sealValue(value, `the ${this.#what} of a key`)
  }

  /** The state of a key, fresh where a closure could change it. */
  valueAt(id: number): unknown {
    return openValue(this.values.get(id))
  }

  /** The number beside the state of a key. */
  markAt(id: number): number {
    return this.#marks?.[id] ?? 0
  }

  /** Adds a key that is not there. */
  add(key: unknown, stored: StoredValue, mark = 0): number {
    const id = this.keys.add(tokenOf(key), key)
    if (id >= this.#touched.length) this.#grow(id + 1)
    this.#touched[id] = 1
    this.values.set(id, stored)
    if (this.#marks !== undefined) this.#marks[id] = mark
    return id
  }

  /** Adds a key, or sets its state and its mark if it is there. */
  put(key: unknown, stored: StoredValue, mark: number): void {
    const id = this.keys.find(tokenOf(key))
    if (id < 0) {
      this.add(key, stored, mark)
    } else {
      this.set(id, stored)
      this.setMark(id, mark)
    }
  }

  set(id: number, stored: StoredValue): void {
    if (this.#touched[id] === 0) this.#remember(id)
    this.values.set(id, stored)
  }

  setMark(id: number, mark: number): void {
    if (this.#touched[id] === 0) this.#remember(id)
    if (this.#marks !== undefined) this.#marks[id] = mark
  }

  /** Removes a key. Its key and state can be read by its id until the attempt ends. */
  remove(id: number): void {
    if (this.#touched[id] === 0) this.#remember(id)
    this.keys.remove(id)
  }

  /** Takes back what was done since the last merge; false: nothing was. */
  rollback(): boolean {
    if (this.#journaled === 0 && this.keys.end === this.keys.committed) return false
    for (let i = 0; i < this.#journaled; i++) {
      const id = this.#journal[i] as number
      this.values.set(id, this.#valuesBefore.get(i))
      if (this.#marks !== undefined) this.#marks[id] = this.#marksBefore?.[i] ?? 0
    }
    this.#forgetJournal()
    this.keys.rollback()
    this.values.truncate(this.keys.end)
    if (this.#numericBefore) this.values.toNumbers(this.keys.end)
    return true
  }

  /** Keeps what was done. Gives the new id of each (-1: gone) where they were renumbered. */
  merge(): Int32Array | undefined {
    if (!this.values.numeric) this.#ownTexts()
    this.#numericBefore = this.values.numeric
    for (const id of this.keys.removed) this.values.clear(id)
    this.#forgetJournal()
    const moved = this.keys.merge()
    if (moved !== undefined) this.#compact(moved)
    return moved
  }

  /** What was done since the last merge; undefined if nothing. */
  changes(): StateColumns | undefined {
    const changed = this.#changedIds()
    const { removed } = this.keys
    if (changed.length === 0 && removed.length === 0) return undefined
    return this.#columns(changed, removed)
  }

  /** Holds what is committed, and gives it in the order of the keys. */
  freeze(): IterableIterator<StateEntries> {
    assert(this.#journaled === 0, 'a state is frozen between two batches')
    this.keys.freeze()
    this.#frozen = new FrozenValues(this.keys.frozenEnd, this.#marks !== undefined)
    return this.#pieces(this.#frozen)
  }

  thaw(): void {
    this.keys.thaw()
    this.#frozen = undefined
  }

  /** Adds a piece of a snapshot behind the keys that are there. */
  load({ keys, values, marks }: StateEntries): void {
    const first = this.keys.end
    this.keys.load(keys)
    const { end } = this.keys
    if (end > this.#touched.length) this.#grow(end)
    this.values.load(first, columnToList(values))
    this.#numericBefore = this.values.numeric
    if (this.#marks === undefined || marks === null) return
    if (typeof marks === 'number') this.#marks.fill(marks, first, end)
    else this.#marks.set(columnToList(marks) as Float64Array, first)
  }

  /** Writes the changes of a batch. */
  write({ removed, keys, values, marks }: StateColumns): void {
    for (const key of fromColumn(removed)) {
      const id = this.keys.find(tokenOf(key))
      assert(id >= 0, 'only a key that is there is removed')
      this.remove(id)
    }
    const stored = columnToList(values)
    const marksOf = typeof marks === 'number' || marks === null ? undefined : columnToList(marks)
    fromColumn(keys).forEach((key, i) => {
      this.put(key, stored[i], (marksOf?.[i] ?? marks ?? 0) as number)
    })
  }

  /** Puts what a committed key has into the journal. */
  #remember(id: number): void {
    this.#touched[id] = 1
    const i = this.#journaled++
    if (i === this.#journal.length) {
      this.#journal = grow(this.#journal, i + 1)
      this.#marksBefore = this.#marksBefore && grow(this.#marksBefore, i + 1)
    }
    const value = this.values.get(id)
    this.#journal[i] = id
    this.#valuesBefore.set(i, value)
    if (this.#marksBefore !== undefined) this.#marksBefore[i] = this.markAt(id)
    if (this.#frozen !== undefined) this.#frozen.keep(id, value, this.markAt(id))
  }

  #forgetJournal(): void {
    for (let i = 0; i < this.#journaled; i++) this.#touched[this.#journal[i] as number] = 0
    this.#touched.fill(0, this.keys.committed, this.keys.end)
    this.#valuesBefore.truncate(0)
    this.#journaled = 0
  }

  /** Ids whose state differs from what is committed: old ones, then new ones in their order. */
  #changedIds(): Int32Array {
    const { keys } = this
    const ids = new Int32Array(this.#journaled + keys.end - keys.committed)
    let n = 0
    for (let i = 0; i < this.#journaled; i++) {
      const id = this.#journal[i] as number
      if (keys.isLive(id) && !this.#isAsBefore(id, i)) ids[n++] = id
    }
    for (let id = keys.committed; id < keys.end; id++) if (keys.isLive(id)) ids[n++] = id
    return ids.subarray(0, n)
  }

  #isAsBefore(id: number, i: number): boolean {
    if (this.#marksBefore !== undefined && this.#marksBefore[i] !== this.markAt(id)) return false
    return sameStored(this.#valuesBefore.get(i), this.values.get(id))
  }

  *#pieces(frozen: FrozenValues): IterableIterator<StateEntries> {
    for (;;) {
      let ids = this.keys.frozenIds(frozen.next)
      if (ids.length === 0) return
      const list = frozen.valuesOf(ids, this.values)
      const length = pieceLength(list)
      ids = ids.subarray(0, length)
      const marks = this.#markColumn(ids, (id) => frozen.markOf(id, this.markAt(id)))
      frozen.next = (ids.at(-1) as number) + 1
      yield {
        keys: this.keys.frozenColumn(ids),
        values: listToColumn(list.slice(0, length), this.#what),
        marks,
      }
    }
  }

  #columns(ids: Int32Array, removed: readonly number[]): StateColumns {
    const values = listToColumn(this.values.pick(ids), `the ${this.#what} of a key`)
    const { keys } = this
    return {
      removed: keys.column(removed),
      keys: keys.column(ids),
      values,
      marks: this.#markColumn(ids, (id) => this.markAt(id)),
    }
  }

  #markColumn(ids: Int32Array, markOf: (id: number) => number): Column | number | null {
    if (this.#marks === undefined) return null
    const data = new Float64Array(ids.length)
    for (let i = 0; i < ids.length; i++) data[i] = markOf(ids[i] as number)
    const [first = 0] = data
    return data.every((mark) => mark === first) ? first : { kind: 'numbers', data }
  }

  /** Copies the texts that the attempt stored, once each, however often it changed them. */
  #ownTexts(): void {
    const own = (id: number): void => {
      const value = this.values.get(id)
      if (typeof value === 'string') this.values.set(id, ownText(value))
    }
    for (let i = 0; i < this.#journaled; i++) own(this.#journal[i] as number)
    for (let id = this.keys.committed; id < this.keys.end; id++) own(id)
  }

  #grow(end: number): void {
    this.#touched = grow(this.#touched, end)
    if (this.#marks !== undefined) this.#marks = grow(this.#marks, this.#touched.length)
  }

  #compact(moved: Int32Array): void {
    const { keys, values } = this
    values.compact(moved, keys.end)
    const marks = this.#marks
    const compact = new Float64Array(Math.max(keys.end, CAPACITY))
    if (marks !== undefined) {
      moved.forEach((to, id) => {
        if (to >= 0) compact[to] = marks[id] as number
      })
      this.#marks = compact
    }
    this.#touched = new Uint8Array(Math.max(keys.end, CAPACITY))
  }
}

/** How many of the values a piece of a snapshot holds: at least one. */
function pieceLength(list: StoredList): number {
  if (list instanceof Float64Array) return list.length
  let bytes = 0
  for (let i = 0; i < list.length; i++) {
    bytes += storedBytes(list[i])
    if (bytes > PIECE_BYTES) return Math.max(1, i)
  }
  return list.length
}
