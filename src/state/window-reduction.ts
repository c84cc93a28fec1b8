// What the panes of a window are reduced to, key by key, in one partition.

import type { PairRecords } from '../batch/pair-records.ts'
import type { StateKeys } from './state-keys.ts'
import type { StoredList } from './stored-list.ts'

/** The closure that reduces, or its inverse. */
export type Reduce = (a: unknown, b: unknown) => unknown

/** A pane by its keys. */
export interface KeyedPane {
  readonly time: number
  readonly keys: readonly unknown[]
  readonly values: StoredList
}

/** A pane by the ids of its keys. */
export interface IdPane {
  readonly time: number
  readonly ids: Int32Array
  readonly values: StoredList
}

/** A slide to the window after < time ≤ `time`. Panes are oldest first; a key stands once in a
 * pane. */
export interface Move {
  readonly time: number
  readonly after: number
  readonly leaving: readonly IdPane[]
  /** The panes that were in the window and still are. */
  readonly staying: () => readonly IdPane[]
  readonly entering: readonly KeyedPane[]
}

/** Keeps the reduced value of each key in the window. Called like an operator: `rollback` takes
 * back what was not merged. */
export interface WindowReduction {
  /** The keys in the window, in the order in which they came into it; one that left and comes
   * back stands at the end. */
  readonly keys: StateKeys
  /** Slides; gives the panes that entered by the ids of their keys. */
  move(move: Move): readonly IdPane[]
  /** As `move`, with what that slide changed, and without a closure. */
  replay(move: Move, changes: unknown): readonly IdPane[]
  /** The keys in the window with their values, fresh where a closure could change them. */
  output(): PairRecords
  rollback(): void
  /** Gives the new id of each key where they were renumbered: panes name keys by their ids. */
  merge(): Int32Array | undefined
  /** What the slide changed that does not follow from the panes; undefined if nothing. */
  changes(): unknown
  /** Holds what does not follow from the panes, and gives it in pieces: all keys, in their
   * order. */
  freeze(): IterableIterator<unknown>
  thaw(): void
  /** Takes over a piece. Once all are, the keys have the ids 0, 1, … */
  load(piece: unknown): void
}
