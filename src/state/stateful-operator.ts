// What the engine asks of an operator that keeps something from batch to batch.

import type { Partition } from '../batch/records.ts'
import type { Spread } from '../batch/spread.ts'

/** What a batch changed in one operator, or all of it for a snapshot: storable values. */
export interface OperatorChange {
  /** What every worker knows alike; null if nothing. */
  readonly shared: unknown
  /** What changed in the partitions that this worker owns, by ordinal. */
  readonly parts: readonly (readonly [partition: number, change: unknown])[]
}

/** An operator that keeps something from batch to batch, as one worker runs it.
 *
 * Between `begin` and `merge` nothing that is committed is lost: `begin` takes back what a failed
 * attempt did. `changes` is what the attempt did, as the commit record holds it; applying the
 * changes of all batches since a snapshot, in order, gives the state that they were taken from.
 * Changes and snapshots are applied by workers of any number: one applies `shared` and the
 * partitions that it owns. */
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
  /** All that is committed; called between batches. */
  snapshot(): OperatorChange
  restore(snapshot: OperatorChange): void
  apply(changes: OperatorChange): void
}
