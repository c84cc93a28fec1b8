// A window reduced without an inverse. Zero time and the length of the window cut time into
// chunks as long as the window, so each window is the end of one chunk and the beginning of the
// next:
//
//        chunk 0            chunk 1            chunk 2
//   ┌──────────────────┬──────────────────┬──────────────────┐
//   │ ·  ·  ·  ·  ·  ● │ ●  ●  ●  ●       │                  │
//   └──────────────────┴──────────────────┴──────────────────┘
//                    suffix   prefix
//
// For each key, value = f(suffix, prefix): the suffix reduces the panes of the older chunk from the
// newest to the oldest, f(pane, suffix after it), all of them at once when the window leaves that
// chunk behind; the prefix grows by f(prefix, pane). A slide so costs the panes that move, and each
// pane is reduced twice in its life. Operands stand in the order of time; how they are grouped
// depends on nothing but the times of the panes, so the results are the same after any restart.
//
// State: the keys in their order. All else follows from the panes, and is made anew (`rebuild`)
// after a restart or a failed attempt as at the end of a chunk.

import type { Column } from '../batch/columns.ts'
import { tokenOf } from '../batch/key.ts'
import { PairRecords } from '../batch/pair-records.ts'
import { synchronous } from '../batch/promise.ts'
import { openValue, type StoredValue, sealValue } from '../batch/sealed.ts'
import { grow } from './grow.ts'
import { StateKeys } from './state-keys.ts'
import { SuffixStack } from './suffix-stack.ts'
import { ValueColumn } from './value-column.ts'
import type { IdPane, KeyedPane, Move, Reduce, WindowReduction } from './window-reduction.ts'

const CAPACITY = 16

/** How time is cut into chunks. */
export interface Chunks {
  readonly zeroTime: number
  /** The length of the window. */
  readonly lengthMs: number
}

/** The reduction of a window without an inverse. */
export class TwoStackReduction implements WindowReduction {
  readonly keys = new StateKeys()
  readonly #what: string
  readonly #f: Reduce
  readonly #chunks: Chunks
  /** How many panes in the window have each key, by id; undefined: to be counted anew. */
  #panes: Int32Array | undefined
  readonly #suffix: SuffixStack
  readonly #prefix = new ValueColumn()
  /** 1: the key has a prefix. */
  #hasPrefix = new Uint8Array(CAPACITY)
  readonly #values = new ValueColumn()
  /** Where the older chunk of the last slide ends; undefined: all is to be made anew. */
  #boundary: number | undefined
  #merged = true

  constructor(what: string, f: Reduce, chunks: Chunks) {
    this.#what = what
    this.#f = f
    this.#chunks = chunks
    this.#suffix = new SuffixStack(what, f)
  }

  move(move: Move): readonly IdPane[] {
    this.#merged = false
    const entered = this.#exchange(move)
    const boundary = boundaryBefore(move.time, this.#chunks)
    if (boundary === this.#boundary) this.#advance(move.leaving, entered)
    else this.#rebuild([...move.staying(), ...entered], boundary)
    return entered
  }

  replay(move: Move): readonly IdPane[] {
    this.#boundary = undefined
    return this.#exchange(move)
  }

  output(): PairRecords {
    const ids = this.keys.liveIds()
    const keys: unknown[] = new Array(ids.length)
    const values: unknown[] = new Array(ids.length)
    for (let i = 0; i < ids.length; i++) {
      keys[i] = this.keys.keyAt(ids[i] as number)
      values[i] = openValue(this.#values.get(ids[i] as number))
    }
    return new PairRecords(keys, values)
  }

  rollback(): void {
    if (this.#merged) return
    this.keys.rollback()
    this.#forgetAll()
  }

  merge(): Int32Array | undefined {
    const moved = this.keys.merge()
    if (moved !== undefined) this.#forgetAll()
    this.#merged = true
    return moved
  }

  changes(): undefined {
    return undefined
  }

  freeze(): IterableIterator<Column> {
    this.keys.freeze()
    return this.#frozenPieces()
  }

  thaw(): void {
    this.keys.thaw()
  }

  load(piece: unknown): void {
    this.keys.load(piece as Column)
    this.#forgetAll()
  }

  *#frozenPieces(): IterableIterator<Column> {
    let next = 0
    for (;;) {
      const ids = this.keys.frozenIds(next)
      if (ids.length === 0) return
      next = (ids.at(-1) as number) + 1
      yield this.keys.frozenColumn(ids)
    }
  }

  /** Adds the keys that come, and removes those that no pane has any more. */
  #exchange({ leaving, staying, entering }: Move): readonly IdPane[] {
    this.#panes ??= this.#count([...leaving, ...staying()])
    const entered = entering.map((pane) => this.#byIds(pane))
    for (const { ids } of entered) this.#countPane(ids, 1)
    for (const { ids } of leaving) this.#countPane(ids, -1)
    return entered
  }

  #count(panes: readonly IdPane[]): Int32Array {
    this.#panes = new Int32Array(Math.max(this.keys.end, CAPACITY))
    for (const { ids } of panes) this.#countPane(ids, 1)
    return this.#panes
  }

  #countPane(ids: Int32Array, by: 1 | -1): void {
    const end = this.keys.end
    let panes = this.#panes as Int32Array
    if (panes.length < end) panes = this.#panes = grow(panes, end)
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i] as number
      const left = (panes[id] as number) + by
      panes[id] = left
      if (left === 0) this.keys.remove(id)
    }
  }

  #byIds({ time, keys, values }: KeyedPane): IdPane {
    const ids = new Int32Array(keys.length)
    for (let i = 0; i < ids.length; i++) {
      const token = tokenOf(keys[i])
      const known = this.keys.find(token)
      ids[i] = known < 0 ? this.keys.add(token, keys[i]) : known
    }
    return { time, ids, values }
  }

  /** Makes everything of the panes in the window. */
  #rebuild(panes: readonly IdPane[], boundary: number): void {
    const { end } = this.keys
    const older = panes.filter((pane) => pane.time <= boundary)
    this.#suffix.fill(older, end)
    this.#hasPrefix = new Uint8Array(Math.max(end, CAPACITY))
    for (const pane of panes.slice(older.length)) this.#append(pane)
    for (let id = 0; id < end; id++) if (this.keys.isLive(id)) this.#combine(id)
    this.#boundary = boundary
  }

  /** Slides within a chunk: only the keys of the panes that move have new values. */
  #advance(leaving: readonly IdPane[], entered: readonly IdPane[]): void {
    for (const pane of leaving) this.#suffix.drop(pane.ids.length)
    for (const pane of entered) this.#append(pane)
    const combined = new Uint8Array(this.keys.end)
    for (const { ids } of [...leaving, ...entered]) {
      for (let i = 0; i < ids.length; i++) {
        const id = ids[i] as number
        if (combined[id] === 1 || !this.keys.isLive(id)) continue
        combined[id] = 1
        this.#combine(id)
      }
    }
  }

  /** Adds a pane to the prefixes. */
  #append({ ids, values }: IdPane): void {
    const { end } = this.keys
    if (this.#hasPrefix.length < end) this.#hasPrefix = grow(this.#hasPrefix, end)
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i] as number
      const value = values[i]
      const before = this.#hasPrefix[id] === 1
      this.#prefix.set(id, before ? this.#reduce(this.#prefix.get(id), value) : value)
      this.#hasPrefix[id] = 1
    }
  }

  #combine(id: number): void {
    const prefix = this.#hasPrefix[id] === 1 ? this.#prefix.get(id) : undefined
    if (!this.#suffix.has(id)) this.#values.set(id, prefix)
    else {
      const suffix = this.#suffix.get(id)
      this.#values.set(id, this.#hasPrefix[id] === 1 ? this.#reduce(suffix, prefix) : suffix)
    }
  }

  #reduce(a: StoredValue, b: StoredValue): StoredValue {
    return sealValue(synchronous(this.#f(openValue(a), openValue(b))), this.#what)
  }

  #forgetAll(): void {
    this.#panes = undefined
    this.#boundary = undefined
    this.#merged = true
  }
}

/** Where the chunk before that of `time` ends: chunks hold the times after their beginning up to
 * their end. */
function boundaryBefore(time: number, { zeroTime, lengthMs }: Chunks): number {
  return zeroTime + (Math.ceil((time - zeroTime) / lengthMs) - 1) * lengthMs
}
