// Calls to S3 that are tried again: with full jitter, counted, and never past their time.
//
// Past the lease another process may hold the log, so an answer that comes later would tell nothing
// that may be acted upon. A request that is given up may still arrive; what it creates lies under
// its own epoch or loses the slot.

import { type Clock, sleep } from '../clock.ts'
import { answerWithin, fullJitterMs, httpStatusOf, isConnectionLost } from '../service-calls.ts'

/** How long a service may take to answer what brings few bytes, in milliseconds. */
export const ATTEMPT_MS = 3_000

/** How long one call may go on. */
export interface CallTimes {
  /** Of one attempt, in milliseconds. */
  readonly attemptMs: number
  /** Of all attempts, in milliseconds. */
  readonly allMs: number
}

/** Tries calls again. */
export class S3Calls {
  readonly #clock: Clock
  readonly #random: () => number
  #retries = 0

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock
    this.#random = random
  }

  /** Attempts that were made again so far. */
  get retries(): number {
    return this.#retries
  }

  /** Gives what `attempt` resolves to; rejects with its last error when time is up, and at once
   * with one that another attempt would give again. */
  async run<T>(times: CallTimes, attempt: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const endsAt = this.#clock.monotonicMs() + times.allMs
    for (let failed = 1; ; failed += 1) {
      const leftMs = endsAt - this.#clock.monotonicMs()
      try {
        return await answerWithin(this.#clock, Math.min(times.attemptMs, leftMs), attempt)
      } catch (error) {
        const delayMs = fullJitterMs(failed, this.#random)
        const isLate = this.#clock.monotonicMs() + delayMs >= endsAt
        if (isLate || !mayBeRetried(error)) throw error
        this.#retries += 1
        await sleep(this.#clock, delayMs)
      }
    }
  }

  /** Within an attempt that may be long: gives an answer that begins soon, as any must. */
  begun<T>(call: (late: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    return answerWithin(this.#clock, ATTEMPT_MS, call, signal)
  }
}

const CONFLICT = 409
const TOO_MANY = 429
const TIMED_OUT = 408

const NETWORK_NAMES = new Set(['NoAnswer', 'TimeoutError', 'NetworkingError', 'AbortError'])

/** 409: two writers of one key met, and neither knows yet who won. */
function mayBeRetried(error: unknown): boolean {
  const status = httpStatusOf(error)
  if (status !== undefined) {
    return status >= 500 || status === CONFLICT || status === TOO_MANY || status === TIMED_OUT
  }
  const name = error instanceof Error ? error.name : ''
  return NETWORK_NAMES.has(name) || isConnectionLost(error)
}
