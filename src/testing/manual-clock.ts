import type { Cancel, Clock } from '../clock.ts'
import { TimerQueue } from './timer-queue.ts'

/** A clock that stands still until it is moved. Timers fire in order of their time.
 *
 * @example
 * ```ts
 * const clock = new ManualClock()
 * let fired = false
 * clock.after(100, () => (fired = true))
 * clock.advance(99)
 * assert.equal(fired, false)
 * clock.advance(1)
 * assert.equal(fired, true)
 * ```
 */
export class ManualClock implements Clock {
  #now: number
  readonly #timers = new TimerQueue()

  /** Begins at `startMs`, epoch milliseconds. */
  constructor(startMs = 0) {
    this.#now = startMs
  }

  wallMs(): number {
    return this.#now
  }

  monotonicMs(): number {
    return this.#now
  }

  after(delayMs: number, fire: () => void): Cancel {
    return this.#timers.add(this.#now + delayMs, fire)
  }

  /** Moves the time on by `ms` and fires the timers that are due, each at its own time.
   *
   * @example
   * ```ts
   * const clock = new ManualClock(1_000)
   * clock.advance(250)
   * assert.deepEqual([clock.wallMs(), clock.monotonicMs()], [1_250, 1_250])
   * ```
   */
  advance(ms: number): void {
    const end = this.#now + ms
    for (let due = this.#timers.take(end); due !== undefined; due = this.#timers.take(end)) {
      this.#now = Math.max(this.#now, due.at)
      due.fire()
    }
    this.#now = end
  }
}
