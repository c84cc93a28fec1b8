// How the workers of a run hand records to each other. All evaluate the same lineage in the same
// order, so the n-th swap of one is the n-th swap of all.

import { ALONE, type Seat } from '../batch/spread.ts'

/** What one worker sends to another: structured-cloneable, with the memory that goes along. */
export interface Parcel {
  readonly content: unknown
  readonly buffers: readonly ArrayBuffer[]
}

/** A worker's place among the others, and its lines to them. */
export interface Peers extends Seat {
  /** Sends `parcels[w]` to each worker w that has one, and resolves with the contents that come
   * from the workers in `from`, by worker. Rejects when the attempt is given up. */
  swap(
    parcels: readonly (Parcel | undefined)[],
    from: readonly number[],
  ): Promise<readonly unknown[]>
  /** Throws once the attempt is given up, so that nothing more is begun for it. */
  throwIfGivenUp(): void
}

/** A run in one thread: there is nobody to swap with. */
export const alone: Peers = {
  ...ALONE,
  swap: () => Promise.resolve([]),
  throwIfGivenUp: () => undefined,
}
