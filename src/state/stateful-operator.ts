// What the engine asks of an operator that keeps something from batch to batch.

import type { Partition } from '../batch/records.ts'
import type { Spread } from '../batch/spread.ts'

/** What a batch changed in one operator, or a piece of all that it keeps: storable values. */
export interface OperatorChange {
  /** What every worker knows alike; null if nothing. */
  readonly shared: unknown
  /** How many partitions the operator has: each is a range of key groups. */
  readonly partitions: number
  /** What this worker has to say of partitions that it owns, by ordinal. */
  readonly parts: readonly (readonly [partition: number, change: unknown])[]
}

/** About how many bytes one piece of a snapshot holds at most, beside what one key alone takes. */
export const PIECE_BYTES = 2 ** 17

/** How many keys one piece of a snapshot holds at most. */
export const PIECE_KEYS = 4096

/** An operator that keeps something from batch to batch, as one worker runs it.
 *
 * Between `begin` and `merge` nothing that is committed is lost: `begin` takes back what a failed
 * attempt did. `changes` is what the attempt did, as the commit record holds it; applying the
 * changes of all batches since a snapshot, in order, gives the state that they were taken from.
 * Changes and snapshots are applied by workers of any number: one applies `shared` and the
 * partitions that it owns.
 *
 * A snapshot is taken while batches go on: `freeze` holds what is committed at that moment, and
 * what batches overwrite before it has been given is kept aside. */
export interface StatefulRuntime {
  readonly id: string
  /** Takes back what an attempt that was not merged did. */
  begin(): void
  /** Runs over its parent's partitions at a batch time (undefined: the parent has no batch then);
   * `due` says whether it emits. */
  run(
    time: number,
    parent: Spread<Partition<unknown>> | undefined,
    due: boolean,
  ): Spread<Partition<unknown>>
  /** What the attempt changed; undefined if nothing. */
  changes(): OperatorChange | undefined
  /** Makes what the attempt did part of what is committed. */
  merge(): void
  /** Holds all that is committed, and gives it in small pieces; called after `merge` and before
   * `begin`. The pieces may be asked for at any time, within an attempt too, until `thaw`. */
  freeze(): Iterator<OperatorChange, void>
  /** Lets go of what is frozen; nothing happens if nothing is. */
  thaw(): void
  /** Takes over a piece of a snapshot; the pieces come in their order, before any `run`. */
  restore(piece: OperatorChange): void
  apply(changes: OperatorChange): void
}
