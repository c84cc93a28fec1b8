// A run that is to end at once waits for nothing for long: not for a batch, nor for what its user
// wrote and has to be closed.

import { type Clock, sleep } from '../clock.ts'

/** How long a run that is to end at once still waits for what is under way, and for each step of
 * its end. Spark waits 2 s for the batch; all steps together have to fit into the 5 s between
 * `stopWithin` and the end of a pod. */
const WAIT_MS = 1_000

/** Knows whether a run is to end at once, and bounds the waits from then on. */
export class EndAtOnce {
  readonly #clock: Clock
  readonly #begun = new AbortController()
  readonly #began = Promise.withResolvers<void>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Aborts when the run is to end at once. */
  get signal(): AbortSignal {
    return this.#begun.signal
  }

  /** The run is to end at once. */
  begin(): void {
    this.#begun.abort()
    this.#began.resolve()
  }

  /** Waits for `work`, which goes on in any case: true once it is over, false if the run is to end
   * at once and it took too long. Rejects as `work` does, if that is in time. */
  async waitFor(work: Promise<unknown>): Promise<boolean> {
    const over = new AbortController()
    const isOver = work.then(() => true).finally(() => over.abort())
    const isLate = this.#began.promise
      .then(() => sleep(this.#clock, WAIT_MS, over.signal))
      .then(
        () => false,
        () => isOver,
      )
    return Promise.race([isOver, isLate])
  }
}
