import type { Cancel, Clock } from '../clock.ts'

interface Timer {
  readonly at: number
  readonly fire: () => void
}

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
  readonly #timers = new Set<Timer>()

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
    const timer = { at: this.#now + delayMs, fire }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
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
    for (;;) {
      const due = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
      if (due === undefined) break
      this.#timers.delete(due)
      this.#now = Math.max(this.#now, due.at)
      due.fire()
    }
    this.#now = end
  }
}
