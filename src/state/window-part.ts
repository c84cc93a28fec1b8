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
import { PIECE_KEYS } from './stateful-operator.ts'
import { columnToList, joinLists, listToColumn, type StoredList, storeAll } from './stored-list.ts'
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

/** A piece of a snapshot. Those of the reduction come first, then the panes, oldest first; of a
 * pane with many keys there are several. */
type PartPiece =
  | { readonly kind: 'reduction'; readonly piece: unknown }
  | ({ readonly kind: 'waiting' } & PaneColumns)
  | {
      readonly kind: 'pane'
      readonly time: number
      /** The place of each key among those of the reduction. */
      readonly keys: Int32Array
      readonly values: Column
    }

/** What a snapshot is made of. */
interface FrozenPart {
  readonly reduction: Iterable<unknown>
  readonly waiting: readonly PaneColumns[]
  readonly panes: readonly IdPane[]
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

  /** Holds what is committed, and gives it in pieces. */
  freeze(): IterableIterator<PartPiece> {
    const reduction = this.#reduction.freeze()
    return this.#pieces({ reduction, waiting: this.#waiting.all, panes: this.#panes.all })
  }

  thaw(): void {
    this.#reduction.thaw()
  }

  /** Takes over a piece of a snapshot. */
  restore(content: unknown): void {
    const piece = content as PartPiece
    if (piece.kind === 'reduction') this.#reduction.load(piece.piece)
    else if (piece.kind === 'waiting') {
      const { time, keys, values } = piece
      this.#waiting.push({ time, keys, values })
      this.#waiting.merge()
    } else this.#restorePane(piece.time, piece.keys, columnToList(piece.values))
  }

  /** Applies the changes of a batch; undefined: only the slide, if it was due. */
  apply(changes: unknown, slide: Slide | undefined): void {
    const { pane, reduction } = (changes ?? { pane: null, reduction: null }) as PartChanges
    const came = pane === null ? [] : [pane]
    if (slide === undefined) for (const waits of came) this.#waiting.push(waits)
    else this.#slide(slide, came.map(keyed), (move) => this.#reduction.replay(move, reduction))
    this.merge()
  }

  *#pieces({ reduction, waiting, panes }: FrozenPart): IterableIterator<PartPiece> {
    for (const piece of reduction) yield { kind: 'reduction', piece }
    for (const pane of waiting) yield { kind: 'waiting', ...pane }
    if (panes.length === 0) return
    const places = this.#reduction.keys.frozenPlaces()
    for (const { time, ids, values } of panes) {
      for (let from = 0; from < ids.length; from += PIECE_KEYS) {
        const keys = ids.slice(from, from + PIECE_KEYS)
        for (let i = 0; i < keys.length; i++) keys[i] = places[keys[i] as number] as number
        const some = listToColumn(values.slice(from, from + PIECE_KEYS), this.#what)
        yield { kind: 'pane', time, keys, values: some }
      }
    }
  }

  #restorePane(time: number, ids: Int32Array, values: StoredList): void {
    const before = this.#panes.all.at(-1)
    if (before?.time !== time) this.#panes.push({ time, ids, values })
    else {
      const all = Int32Array.from([...before.ids, ...ids])
      this.#panes.replaceNewest({ time, ids: all, values: joinLists(before.values, values) })
    }
    this.#panes.merge()
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
