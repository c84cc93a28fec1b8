// A window reduced by key, kept up by adding the panes that enter and subtracting those that leave:
// the cost of a slide is that of the panes that move, whatever the length.
//
// State: the panes (already reduced by key), the reduced value of each key, and the time of the
// last slide. Always: the value of a key is the reduction, in the order of the slides, of the panes
// that were added and not yet subtracted; a pane is subtracted only if it was added.

import type { Token } from '../batch/key.ts'
import { tokenOf } from '../batch/key.ts'
import { synchronous } from '../batch/promise.ts'
import type { Records } from '../batch/records.ts'
import { isPrimitivePair, openValue, sealValue } from '../batch/sealed.ts'
import type { ReducedWindowOptions } from '../dstream/graph.ts'
import { KeyedState, type StateColumns, type StatePartition } from './keyed-state.ts'
import { openPane, type Pane, Panes } from './panes.ts'
import type { StatefulRuntime } from './stateful-operator.ts'

type Reduce = (a: unknown, b: unknown) => unknown

interface Reduced {
  readonly key: unknown
  value: unknown
  /** How many of the panes hold the key. */
  panes: number
}

interface Changes {
  readonly pane: Pane | null
  readonly forgetUpTo: number
  readonly lastSlide: number
  readonly state: readonly (StateColumns | null)[] | null
}

/** reduceByKeyAndWindow with an inverse. */
export class ReducedWindowOperator implements StatefulRuntime {
  readonly id: string
  readonly #options: ReducedWindowOptions
  readonly #panes = new Panes()
  readonly #state: KeyedState
  #lastSlide = Number.NEGATIVE_INFINITY
  #pendingSlide = Number.NEGATIVE_INFINITY

  constructor(id: string, options: ReducedWindowOptions) {
    this.id = id
    this.#options = options
    this.#state = new KeyedState(options.partitions, `window "${id}"`)
  }

  begin(): void {
    this.#panes.discard()
    this.#state.discard()
    this.#pendingSlide = this.#lastSlide
  }

  run(time: number, parent: readonly Records<unknown>[], due: boolean): unknown[][] {
    this.#panes.add(time, parent, `a batch of window "${this.id}"`)
    if (!due) return []
    const start = time - this.#options.lengthMs
    const leaving = this.#panes.between(Number.NEGATIVE_INFINITY, Math.min(start, this.#lastSlide))
    const entering = this.#panes.between(Math.max(start, this.#lastSlide), time)
    this.#panes.forget(start)
    this.#pendingSlide = time
    const opened = { leaving: leaving.map(openPane), entering: entering.map(openPane) }
    return this.#state.partitions.map((state, p) => {
      const old = this.#reducePanes(opened.leaving, p)
      const fresh = this.#reducePanes(opened.entering, p)
      this.#slide(state, old, fresh)
      return Array.from(state.entries(), ([, { key, value }]) => [key, value]).filter((pair) =>
        this.#passes(pair),
      )
    })
  }

  #reducePanes(panes: readonly Records<unknown>[][], partition: number): Map<Token, Reduced> {
    const reduce = this.#options.f as Reduce
    const result = new Map<Token, Reduced>()
    for (const pane of panes) {
      const records = (pane[partition] ?? []) as readonly (readonly [unknown, unknown])[]
      for (const [key, value] of records) {
        const token = tokenOf(key)
        const known = result.get(token)
        if (known === undefined) {
          result.set(token, { key, value, panes: 1 })
          continue
        }
        known.value = synchronous(reduce(known.value, value))
        known.panes += 1
      }
    }
    return result
  }

  #slide(
    state: StatePartition,
    old: ReadonlyMap<Token, Reduced>,
    fresh: ReadonlyMap<Token, Reduced>,
  ): void {
    const { f, inverse } = this.#options as unknown as { f: Reduce; inverse: Reduce }
    for (const [token, leaving] of old) {
      const before = state.get(token)
      if (before === undefined || fresh.has(token)) continue
      const value = synchronous(inverse(before.value, leaving.value))
      this.#keep(state, before.key, value, before.touched - leaving.panes)
    }
    for (const [token, entering] of fresh) {
      const before = state.get(token)
      if (before === undefined) {
        this.#keep(state, entering.key, entering.value, entering.panes)
        continue
      }
      const leaving = old.get(token)
      const rest =
        leaving === undefined ? before.value : synchronous(inverse(before.value, leaving.value))
      const panes = before.touched - (leaving?.panes ?? 0) + entering.panes
      this.#keep(state, before.key, synchronous(f(rest, entering.value)), panes)
    }
  }

  /** A key leaves the state when no pane holds it and the filter does not want it. */
  #keep(state: StatePartition, key: unknown, value: unknown, panes: number): void {
    if (panes > 0 || this.#passes([key, value])) state.set(key, value, panes, true)
    else state.remove(key)
  }

  /** The filter sees a copy: what it changes in place is lost. */
  #passes(pair: readonly unknown[]): boolean {
    const filter = this.#options.filter as ((pair: unknown) => boolean) | undefined
    if (filter === undefined) return true
    const what = `a value of window "${this.id}"`
    const shown = isPrimitivePair(pair) ? [...pair] : openValue(sealValue(pair, what))
    return synchronous(filter(shown))
  }

  changes(): unknown {
    const { pending, forgetUpTo } = this.#panes
    const state = this.#state.changes()
    if (pending === undefined && state === undefined) return undefined
    const lastSlide = this.#pendingSlide
    return { pane: pending ?? null, forgetUpTo, lastSlide, state: state ?? null } satisfies Changes
  }

  merge(): void {
    this.#panes.merge()
    this.#state.merge()
    this.#lastSlide = this.#pendingSlide
  }

  snapshot(): unknown {
    return {
      panes: this.#panes.snapshot(),
      state: this.#state.snapshot(),
      lastSlide: this.#lastSlide,
    }
  }

  restore(snapshot: unknown): void {
    const from = snapshot as { panes: Pane[]; state: StateColumns[]; lastSlide: number }
    this.#panes.restore(from.panes)
    this.#state.apply(from.state)
    this.#lastSlide = from.lastSlide
  }

  apply(changes: unknown): void {
    const { pane, forgetUpTo, lastSlide, state } = changes as Changes
    this.#panes.apply(pane, forgetUpTo)
    if (state !== null) this.#state.apply(state)
    this.#lastSlide = lastSlide
  }

  active(): boolean {
    return this.#panes.hasRecords || this.#state.partitions.some((partition) => partition.size > 0)
  }
}
