// One partition of a window that is reduced by key: its panes, and how they come and go. What they
// are reduced to is kept by a WindowReduction.
//
// State: the panes that wait for the next slide, and those in the window, which name their keys by
// the ids of the reduction. Always: a pane waits in columns or is in the window, never both; a key
// is live while some pane in the window has it.

import { type Column, fromColumn, toColumn } from '../batch/columns.ts'
import type { PairRecords } from '../batch/pair-records.ts'
import type { Partition } from '../batch/records.ts'
import { pairsOf } from './keyed-state.ts'
import { PaneQueue } from './pane-queue.ts'
import { columnToList, listToColumn, storeAll } from './stored-list.ts'
import type { IdPane, KeyedPane, Move, WindowReduction } from './window-reduction.ts'

/** A pane by its keys, as it waits and as it stands in the log. */
interface PaneColumns {
  readonly time: number
  readonly keys: Column
  readonly values: Column
}

/** What a batch changed in a partition. */
interface PartChanges {
  /** The pane that came. */
  readonly pane: PaneColumns | null
  readonly reduction: unknown
}

/** All of a partition. */
interface PartSnapshot {
  readonly waiting: readonly PaneColumns[]
  readonly panes: readonly {
    readonly time: number
    /** The place of each key among those of the reduction. */
    readonly keys: Int32Array
    readonly values: Column
  }[]
  readonly reduction: unknown
}

/** The window is after < time ≤ time. */
export type Slide = Pick<Move, 'time' | 'after'>

/** The panes of one partition of a reduced window. */
export class WindowPart {
  readonly #what: string
  readonly #reduction: WindowReduction
  readonly #waiting = new PaneQueue<PaneColumns>()
  readonly #panes = new PaneQueue<IdPane>()
  /** The pane of the current attempt, where it went into the window at once. */
  #entered: IdPane | undefined
  #moved = false

  constructor(what: string, reduction: WindowReduction) {
    this.#what = what
    this.#reduction = reduction
  }

  /** True if the attempt moved panes into the window or out of it. */
  get moved(): boolean {
    return this.#moved
  }

  get empty(): boolean {
    return this.#panes.empty && this.#waiting.empty && this.#reduction.keys.size === 0
  }

  begin(): void {
    this.#waiting.rollback()
    this.#panes.rollback()
    this.#reduction.rollback()
    this.#entered = undefined
    this.#moved = false
  }

  /** Takes in the pairs of the parent's batch, and slides where a slide is due. */
  run(time: number, pairs: Partition<unknown>, slide: Slide | undefined): void {
    const { keys, values } = pairsOf(pairs)
    const came = keys.length === 0 ? [] : [{ time, keys, values: storeAll(values, this.#what) }]
    if (slide !== undefined) {
      this.#slide(slide, came, (move) => this.#reduction.move(move))
    } else for (const pane of came) this.#waiting.push(this.#waits(pane))
  }

  /** The keys in the window with their reduced values. */
  output(): PairRecords {
    return this.#reduction.output()
  }

  changes(): PartChanges | undefined {
    const reduction = this.#reduction.changes() ?? null
    const pane = this.#waiting.added ?? this.#cameIn() ?? null
    return pane === null && reduction === null ? undefined : { pane, reduction }
  }

  merge(): void {
    this.#waiting.merge()
    this.#panes.merge()
    this.#entered = undefined
    this.#moved = false
    const moved = this.#reduction.merge()
    if (moved === undefined) return
    for (const { ids } of this.#panes.all) {
      for (let i = 0; i < ids.length; i++) ids[i] = moved[ids[i] as number] as number
    }
  }

  snapshot(): PartSnapshot {
    const { keys } = this.#reduction
    const places = keys.places()
    const panes = this.#panes.all.map(({ time, ids, values }) => ({
      time,
      keys: ids.map((id) => places[id] as number),
      values: listToColumn(values, this.#what),
    }))
    return { waiting: this.#waiting.all, panes, reduction: this.#reduction.snapshot() }
  }

  restore(snapshot: unknown): void {
    const { waiting, panes, reduction } = snapshot as PartSnapshot
    this.#reduction.restore(reduction)
    for (const pane of waiting) this.#waiting.push(pane)
    for (const { time, keys, values } of panes) {
      this.#panes.push({ time, ids: keys, values: columnToList(values) })
    }
    this.merge()
  }

  /** Applies the changes of a batch; undefined: only the slide, if it was due. */
  apply(changes: unknown, slide: Slide | undefined): void {
    const { pane, reduction } = (changes ?? { pane: null, reduction: null }) as PartChanges
    const came = pane === null ? [] : [pane]
    if (slide === undefined) for (const waits of came) this.#waiting.push(waits)
    else this.#slide(slide, came.map(keyed), (move) => this.#reduction.replay(move, reduction))
    this.merge()
  }

  #slide(slide: Slide, came: KeyedPane[], move: (move: Move) => readonly IdPane[]): void {
    const { time, after } = slide
    const waiting = this.#waiting.takeUpTo(time).filter((pane) => pane.time > after)
    const entering = [...waiting.map(keyed), ...came]
    const leaving = this.#panes.takeUpTo(after)
    this.#moved = entering.length + leaving.length > 0
    const staying = () => this.#panes.all
    const entered = move({ time, after, leaving, staying, entering })
    for (const pane of entered) this.#panes.push(pane)
    this.#entered = came.length > 0 ? entered.at(-1) : undefined
  }

  #waits({ time, keys, values }: KeyedPane): PaneColumns {
    return { time, keys: toColumn(keys, this.#what), values: listToColumn(values, this.#what) }
  }

  #cameIn(): PaneColumns | undefined {
    if (this.#entered === undefined) return undefined
    const { time, ids, values } = this.#entered
    return {
      time,
      keys: this.#reduction.keys.column(ids),
      values: listToColumn(values, this.#what),
    }
  }
}

function keyed({ time, keys, values }: PaneColumns): KeyedPane {
  return { time, keys: fromColumn(keys), values: columnToList(values) }
}
