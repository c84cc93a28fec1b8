// How fast records may enter a receiver.

import type { Clock } from '../clock.ts'

/** How much of what was not used may be used later: what one second gives. */
const BURST_MS = 1_000

/** Lets records pass at a rate that may change. Without a rate nothing is held. */
export class RateLimiter {
  readonly #clock: Clock
  readonly #rateMax: number
  #rate: number
  /** When the next record is due. Earlier than now: some were not used. */
  #dueAt: number

  /** `rateMax`, in records a second, is the first rate, and no later one is above it. */
  constructor(clock: Clock, rateMax = Number.POSITIVE_INFINITY) {
    this.#clock = clock
    this.#rateMax = rateMax
    this.#rate = rateMax
    this.#dueAt = clock.monotonicMs()
  }

  /** Records a second. */
  get rate(): number {
    return this.#rate
  }

  /** Takes a new rate, at most `rateMax`. One that is not above 0 is ignored. */
  setRate(recordsPerSecond: number): void {
    if (!(recordsPerSecond > 0)) return
    this.#rate = Math.min(recordsPerSecond, this.#rateMax)
    // A wait that began at a slower rate is not longer than one at this rate.
    this.#dueAt = Math.min(this.#dueAt, this.#clock.monotonicMs() + this.#intervalMs)
  }

  /** Lets as many of `wanted` records pass as may pass now, and gives their number. */
  grant(wanted: number): number {
    if (this.#rate === Number.POSITIVE_INFINITY) return wanted
    const now = this.#clock.monotonicMs()
    this.#dueAt = Math.max(this.#dueAt, now - BURST_MS)
    const due = Math.floor((now - this.#dueAt) / this.#intervalMs) + 1
    const granted = Math.min(wanted, Math.max(0, due))
    this.#dueAt += granted * this.#intervalMs
    return granted
  }

  /** How long it takes until a record may pass, in milliseconds; 0 if one may pass now. */
  get waitMs(): number {
    if (this.#rate === Number.POSITIVE_INFINITY) return 0
    return Math.max(0, this.#dueAt - this.#clock.monotonicMs())
  }

  get #intervalMs(): number {
    return 1_000 / this.#rate
  }
}
