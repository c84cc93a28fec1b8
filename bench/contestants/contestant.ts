// What takes part in a comparison: it starts, warms up, and runs so many batches when its turn
// comes.

/** So many batches, one after the other. */
export interface Leg {
  readonly ms: number
  /** The check of each batch; empty where the engine gives no result by batch. */
  readonly checks: readonly string[]
  /** Milliseconds of processor, all threads together, where the system tells. */
  readonly cpuMs?: number
  /** What else was measured. */
  readonly figures?: Readonly<Record<string, number>>
}

/** One side of a comparison. Between legs it waits and uses no processor. */
export interface Contestant {
  readonly name: string
  /** Its process, once it has started. */
  readonly pid?: number | undefined
  /** Starts it; rejects with LeftOut where it cannot take part. */
  start(): Promise<void>
  /** Runs the next batches. */
  leg(batches: number): Promise<Leg>
  /** After the last leg: the checks of all batches, or the check of the totals, where known. */
  finish(): Promise<Finish>
  /** Ends it at once. */
  stop(): Promise<void>
}

/** What is known at the end. */
export interface Finish {
  readonly checks?: readonly string[]
  readonly totals?: string
}

/** Why a contestant takes no part, or no longer. */
export class LeftOut extends Error {
  override readonly name = 'LeftOut'
}
