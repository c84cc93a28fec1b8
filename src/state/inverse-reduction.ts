// A window reduced by adding the panes that enter and subtracting those that leave: the closures
// are called for the records of the panes that move, whatever the length. Apart from that a slide
// visits every key of the state, to clear its marks and to give its value out.
//
// State: the reduced value of each key, and, as its mark, how many panes in the window have the
// key. Always: the value is the reduction, in the order of the slides, of the panes that were
// added and not yet subtracted; a pane is subtracted only if it was added. Where several panes
// move in one slide, those that leave are reduced first, and so are those that enter.

import { tokenOf } from '../batch/key.ts'
import { PairRecords } from '../batch/pair-records.ts'
import { synchronous } from '../batch/promise.ts'
import { openValue, SealedValue } from '../batch/sealed.ts'
import type { ReducedWindowOptions } from '../dstream/graph.ts'
import { grow } from './grow.ts'
import type { StateKeys } from './state-keys.ts'
import { type StateColumns, type StateEntries, StatePartition } from './state-partition.ts'
import type { IdPane, KeyedPane, Move, Reduce, WindowReduction } from './window-reduction.ts'

/** Panes that move together, reduced by key. */
interface PaneSum {
  readonly ids: ArrayLike<number>
  /** Stored values, or values as a closure made them. */
  readonly values: ArrayLike<unknown>
  /** How many of the panes have each key; undefined: one. */
  readonly panes: readonly number[] | undefined
}

type Filter = (pair: [unknown, unknown]) => boolean

const UNKNOWN = 0
const PASSES = 1
const FAILS = 2

/** The reduction of a window with an inverse. */
export class InverseReduction implements WindowReduction {
  readonly #f: Reduce
  readonly #inverse: Reduce
  readonly #filter: Filter | undefined
  readonly #state: StatePartition
  /** What the filter said about the present value of each key, by id. */
  #verdicts = new Uint8Array(16)

  constructor(what: string, options: ReducedWindowOptions, inverse: Reduce) {
    this.#f = options.f as unknown as Reduce
    this.#inverse = inverse
    this.#filter = options.filter as unknown as Filter | undefined
    this.#state = new StatePartition(what, true)
  }

  get keys(): StateKeys {
    return this.#state.keys
  }

  move({ leaving, entering }: Move): readonly IdPane[] {
    const firstNew = this.keys.end
    const entered = entering.map((pane) => this.#byIds(pane))
    const old = this.#sum(leaving)
    const fresh = this.#sum(entered)
    this.#subtract(old, fresh)
    this.#add(old, fresh, firstNew)
    return entered
  }

  replay({ entering }: Move, changes: unknown): readonly IdPane[] {
    if (changes !== null) this.#state.write(changes as StateColumns)
    return entering.map((pane) => this.#byIds(pane))
  }

  output(): PairRecords {
    const state = this.#state
    const keys: unknown[] = []
    const values: unknown[] = []
    for (let id = 0; id < state.keys.end; id++) {
      if (!state.keys.isLive(id) || !this.#passes(id)) continue
      keys.push(state.keys.keyAt(id))
      values.push(state.valueAt(id))
    }
    return new PairRecords(keys, values)
  }

  rollback(): void {
    if (this.#state.rollback()) this.#verdicts.fill(UNKNOWN)
  }

  merge(): Int32Array | undefined {
    const moved = this.#state.merge()
    if (moved !== undefined) this.#verdicts.fill(UNKNOWN)
    return moved
  }

  changes(): StateColumns | undefined {
    return this.#state.changes()
  }

  freeze(): IterableIterator<StateEntries> {
    return this.#state.freeze()
  }

  thaw(): void {
    this.#state.thaw()
  }

  load(piece: unknown): void {
    this.#state.load(piece as StateEntries)
  }

  /** Names the keys of a pane by their ids. A new one gets its value when the pane is added. */
  #byIds({ time, keys, values }: KeyedPane): IdPane {
    const ids = new Int32Array(keys.length)
    for (let i = 0; i < ids.length; i++) {
      const known = this.keys.find(tokenOf(keys[i]))
      ids[i] = known < 0 ? this.#state.add(keys[i], 0) : known
    }
    return { time, ids, values }
  }

  #sum(panes: readonly IdPane[]): PaneSum {
    const [first] = panes
    if (panes.length === 1 && first !== undefined) return { ...first, panes: undefined }
    const sum = { ids: [] as number[], values: [] as unknown[], panes: [] as number[] }
    const places = new Map<number, number>()
    for (const { ids, values } of panes) {
      for (let i = 0; i < ids.length; i++) {
        const id = ids[i] as number
        const value = openValue(values[i])
        const place = places.get(id)
        if (place === undefined) {
          places.set(id, sum.ids.push(id) - 1)
          sum.values.push(value)
          sum.panes.push(1)
        } else {
          sum.values[place] = synchronous(this.#f(sum.values[place], value))
          sum.panes[place] = (sum.panes[place] as number) + 1
        }
      }
    }
    return sum
  }

  /** Subtracts what leaves from the keys that do not enter again. */
  #subtract(old: PaneSum, fresh: PaneSum): void {
    const enters = new Uint8Array(this.keys.end)
    for (let i = 0; i < fresh.ids.length; i++) enters[fresh.ids[i] as number] = 1
    for (let i = 0; i < old.ids.length; i++) {
      const id = old.ids[i] as number
      if (enters[id] === 0) this.#keep(id, this.#without(id, old, i), -(old.panes?.[i] ?? 1))
    }
  }

  /** Adds what enters, to what is left of each key. */
  #add(old: PaneSum, fresh: PaneSum, firstNew: number): void {
    const leaves = new Int32Array(this.keys.end)
    for (let i = 0; i < old.ids.length; i++) leaves[old.ids[i] as number] = i + 1
    for (let i = 0; i < fresh.ids.length; i++) {
      const id = fresh.ids[i] as number
      const panes = fresh.panes?.[i] ?? 1
      const value = fresh.values[i]
      if (id >= firstNew) {
        this.#keep(id, value, panes)
        continue
      }
      const place = (leaves[id] as number) - 1
      const rest = place < 0 ? this.#state.valueAt(id) : this.#without(id, old, place)
      const gone = place < 0 ? 0 : (old.panes?.[place] ?? 1)
      this.#keep(id, synchronous(this.#f(rest, openValue(value))), panes - gone)
    }
  }

  /** The value of a key without what leaves. */
  #without(id: number, old: PaneSum, place: number): unknown {
    return synchronous(this.#inverse(this.#state.valueAt(id), openValue(old.values[place])))
  }

  /** A key leaves the state when no pane has it and the filter does not want it. */
  #keep(id: number, value: unknown, morePanes: number): void {
    const state = this.#state
    const panes = state.markAt(id) + morePanes
    state.set(id, value instanceof SealedValue ? value : state.seal(value))
    state.setMark(id, panes)
    if (id < this.#verdicts.length) this.#verdicts[id] = UNKNOWN
    if (panes === 0 && !this.#passes(id)) state.remove(id)
  }

  /** Asks the filter once about each value. */
  #passes(id: number): boolean {
    if (this.#filter === undefined) return true
    if (id >= this.#verdicts.length) this.#verdicts = grow(this.#verdicts, this.keys.end)
    if (this.#verdicts[id] === UNKNOWN) {
      const pair: [unknown, unknown] = [this.keys.keyAt(id), this.#state.valueAt(id)]
      this.#verdicts[id] = synchronous(this.#filter(pair)) ? PASSES : FAILS
    }
    return this.#verdicts[id] === PASSES
  }
}
