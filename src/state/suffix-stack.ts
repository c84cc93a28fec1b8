import { synchronous } from '../batch/promise.ts'
import { openValue, type StoredValue, sealValue } from '../batch/sealed.ts'
import { ValueColumn } from './value-column.ts'
import type { IdPane, Reduce } from './window-reduction.ts'

/** For each key, the reduction of the last panes that have it, from any of them on: what is left
 * of a chunk as its panes leave, oldest first.
 *
 * State: the entries of the panes in a row; for each the value from its pane on, and where its key
 * stands next. Places are counted from 1; 0: nowhere. */
export class SuffixStack {
  readonly #what: string
  readonly #f: Reduce
  #ids = new Int32Array(0)
  #values = new ValueColumn()
  #next = new Int32Array(0)
  /** Where each key stands first among the panes that are left, by id. */
  #first = new Int32Array(0)
  #left = 0

  constructor(what: string, f: Reduce) {
    this.#what = what
    this.#f = f
  }

  /** Reduces the panes, from the newest to the oldest; ids are below `idsEnd`. */
  fill(panes: readonly IdPane[], idsEnd: number): void {
    let place = panes.reduce((n, pane) => n + pane.ids.length, 0)
    this.#left = 0
    this.#ids = new Int32Array(place)
    this.#next = new Int32Array(place)
    this.#first = new Int32Array(idsEnd)
    this.#values = new ValueColumn()
    for (const { ids, values } of panes.toReversed()) {
      for (let i = ids.length - 1; i >= 0; i--) {
        place -= 1
        this.#put(place, ids[i] as number, values[i])
      }
    }
  }

  /** Takes away the oldest entries. */
  drop(entries: number): void {
    for (const end = this.#left + entries; this.#left < end; this.#left++) {
      this.#first[this.#ids[this.#left] as number] = this.#next[this.#left] as number
    }
  }

  has(id: number): boolean {
    return (this.#first[id] ?? 0) !== 0
  }

  /** The stored reduction of a key that is there. */
  get(id: number): StoredValue {
    return this.#values.get((this.#first[id] as number) - 1)
  }

  #put(place: number, id: number, stored: StoredValue): void {
    const after = this.#first[id] as number
    const value = after === 0 ? stored : this.#reduce(stored, this.#values.get(after - 1))
    this.#values.set(place, value)
    this.#ids[place] = id
    this.#next[place] = after
    this.#first[id] = place + 1
  }

  #reduce(a: StoredValue, b: StoredValue): StoredValue {
    return sealValue(synchronous(this.#f(openValue(a), openValue(b))), this.#what)
  }
}
