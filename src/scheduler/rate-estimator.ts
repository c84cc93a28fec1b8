// How many records a second a source may give so that batches keep up: Spark's PIDRateEstimator.
//
// The rate follows the speed of the last batch. The error is how far the rate is above that speed;
// the records that waited while the batch was delayed are the error of the past. The first figures
// only set the rate and give no estimate.

import { ConfigError } from '../errors.ts'

/** What one completed batch says about one source. */
export interface BatchFigures {
  /** When the batch ended, epoch milliseconds. */
  readonly endTime: number
  /** Records of the source in the batch. */
  readonly records: number
  readonly processingDelayMs: number
  readonly schedulingDelayMs: number
}

/** Estimates the rate of a source from its completed batches. */
export interface RateEstimator {
  /** Gives records a second, or undefined where the figures say nothing. */
  compute(figures: BatchFigures): number | undefined
}

/** Settings of a `PidRateEstimator`. */
export interface PidOptions {
  readonly batchIntervalMs: number
  /** Weight of the difference between the rate and the speed of the last batch. */
  readonly proportional: number
  /** Weight of what has piled up: records that waited while batches were delayed. */
  readonly integral: number
  /** Weight of the change of the difference. */
  readonly derivative: number
  /** No estimate is below this, records a second. */
  readonly rateMin: number
}

/** A controller with a proportional, an integral and a derivative part. */
export class PidRateEstimator implements RateEstimator {
  readonly #options: PidOptions
  #latest: { readonly time: number; readonly rate: number; readonly error: number } | undefined

  constructor(options: PidOptions) {
    const { batchIntervalMs, proportional, integral, derivative, rateMin } = options
    atLeast(batchIntervalMs, 'the batch interval', 'greater than 0', batchIntervalMs > 0)
    atLeast(proportional, 'proportional', 'at least 0', proportional >= 0)
    atLeast(integral, 'integral', 'at least 0', integral >= 0)
    atLeast(derivative, 'derivative', 'at least 0', derivative >= 0)
    atLeast(rateMin, 'rateMin', 'greater than 0', rateMin > 0)
    this.#options = options
  }

  compute(figures: BatchFigures): number | undefined {
    const { endTime, records, processingDelayMs, schedulingDelayMs } = figures
    const latest = this.#latest
    if (endTime <= (latest?.time ?? -1) || records <= 0 || processingDelayMs <= 0) return undefined
    const speed = (records / processingDelayMs) * 1_000
    if (latest === undefined) {
      this.#latest = { time: endTime, rate: speed, error: 0 }
      return undefined
    }
    const { batchIntervalMs, proportional, integral, derivative, rateMin } = this.#options
    const error = latest.rate - speed
    const pastError = (schedulingDelayMs * speed) / batchIntervalMs
    const errorChange = (error - latest.error) / ((endTime - latest.time) / 1_000)
    const corrected =
      latest.rate - proportional * error - integral * pastError - derivative * errorChange
    const rate = Math.max(corrected, rateMin)
    this.#latest = { time: endTime, rate, error }
    return rate
  }
}

function atLeast(value: number, what: string, rule: string, holds: boolean): void {
  if (holds && Number.isFinite(value)) return
  throw new ConfigError(`Cannot use ${value} as ${what} of backpressure: it must be ${rule}`)
}
