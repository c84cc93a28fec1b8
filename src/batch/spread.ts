// How the partitions of a batch are spread over workers. Each worker evaluates the same lineage in
// the same order and owns some partitions of each node; what the others own it only counts.

/** One worker among those of a run; inline there is one. */
export interface Seat {
  readonly workers: number
  /** Ordinal of this worker, from 0. */
  readonly self: number
}

/** The seat of a run in one thread. */
export const ALONE: Seat = { workers: 1, self: 0 }

/** The partitions of one node as one worker sees them: all are counted, only its own are there. */
export interface Spread<R> {
  /** The worker that owns each partition; the same on every worker. */
  readonly owners: readonly number[]
  /** What each partition holds; undefined where another worker owns it. */
  readonly parts: readonly (R | undefined)[]
}

/** The worker that owns partition `partition` of `partitions` laid out by key: ranges of key groups
 * never move while a run lasts. */
export function ownerOf(partition: number, partitions: number, workers: number): number {
  return Math.floor((partition * workers) / partitions)
}

/** The owners of `partitions` partitions laid out by key. */
export function ownersOf(partitions: number, workers: number): number[] {
  return Array.from({ length: partitions }, (_, i) => ownerOf(i, partitions, workers))
}

/** A spread whose partitions are made, where they are owned, by `make`. */
export function spreadBy<R>(
  owners: readonly number[],
  self: number,
  make: (partition: number) => R,
): Spread<R> {
  return { owners, parts: owners.map((owner, i) => (owner === self ? make(i) : undefined)) }
}

/** A spread of the same shape, with each owned partition changed by `change`. */
export function mapSpread<R, S>(
  spread: Spread<R>,
  change: (part: R, partition: number) => S,
): Spread<S> {
  const parts = spread.parts.map((part, i) => (part === undefined ? undefined : change(part, i)))
  return { owners: spread.owners, parts }
}
