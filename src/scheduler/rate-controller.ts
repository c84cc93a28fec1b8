// The rate that one source may give: what the options allow, lowered and raised by the estimates
// that its completed batches lead to.

import type { BatchFigures, RateEstimator } from './rate-estimator.ts'

/** Settings of a `RateController`; rates are records a second. */
export interface RateOptions {
  /** Undefined: the rate stays what it is at first. */
  readonly estimator: RateEstimator | undefined
  /** The rate before the first estimate. */
  readonly initialRate: number | undefined
  /** No rate is above this. */
  readonly rateMax: number | undefined
}

/** Holds the rate of one source. */
export class RateController {
  readonly #estimator: RateEstimator | undefined
  readonly #rateMax: number
  #rate: number

  constructor({ estimator, initialRate, rateMax }: RateOptions) {
    this.#estimator = estimator
    this.#rateMax = rateMax ?? Number.POSITIVE_INFINITY
    this.#rate = Math.min(initialRate ?? this.#rateMax, this.#rateMax)
  }

  /** Records a second; infinite where nothing limits it. */
  get recordsPerSecond(): number {
    return this.#rate
  }

  /** The records that a batch of `intervalMs` may have; at least 1. */
  recordsMax(intervalMs: number): number {
    return Math.max(1, Math.floor((this.#rate * intervalMs) / 1_000))
  }

  /** Takes in the figures of a completed batch; gives whether the rate is another now. Estimates
   * of 0 and below are ignored. */
  batchCompleted(figures: BatchFigures): boolean {
    const estimate = this.#estimator?.compute(figures) ?? 0
    const rate = estimate > 0 ? Math.min(estimate, this.#rateMax) : this.#rate
    const changed = rate !== this.#rate
    this.#rate = rate
    return changed
  }
}
