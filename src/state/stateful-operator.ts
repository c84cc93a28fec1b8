/** What the engine asks of an operator that keeps something from batch to batch.
 *
 * Between `begin` and `merge` the operator writes into an overlay only; `begin` drops what a
 * failed attempt left. `changes` is the overlay as the commit record holds it; applying the
 * changes of all batches since a snapshot, in order, gives the state that they were taken from. */
export interface StatefulRuntime {
  readonly id: string
  begin(): void
  /** Runs over its parent's partitions at a batch time; `due` says whether it emits. */
  run(time: number, parent: readonly (readonly unknown[])[], due: boolean): unknown[][]
  changes(): unknown
  merge(): void
  snapshot(): unknown
  restore(snapshot: unknown): void
  apply(changes: unknown): void
  /** True if it may emit or change something though no record came. */
  active(): boolean
}
