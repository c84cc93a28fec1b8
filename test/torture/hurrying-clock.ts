// The clock of a store whose calls take time: the manual clock of the life that uses the store,
// moved on to the store's next timer as soon as nothing else can happen. A call to the bucket in
// memory is answered within a turn of the event loop: a timer that outlives the turn is waited
// for.

import type { ManualClock } from 'millrace/testing'
import { present } from '../../src/assert.ts'
import type { Cancel, Clock } from '../../src/clock.ts'

/** Moves a manual clock on to timers of its own, one at a time. */
export class HurryingClock implements Clock {
  readonly #due = new Set<{ readonly at: number }>()
  #clock: ManualClock | undefined
  #isHurrying = false

  /** Goes on with the clock of the life that begins. */
  readonly follow = (clock: ManualClock): ManualClock => {
    this.#clock = clock
    return clock
  }

  wallMs(): number {
    return this.#followed.wallMs()
  }

  monotonicMs(): number {
    return this.#followed.monotonicMs()
  }

  after(delayMs: number, fire: () => void): Cancel {
    const timer = { at: this.monotonicMs() + delayMs }
    this.#due.add(timer)
    const cancel = this.#followed.after(delayMs, () => {
      this.#due.delete(timer)
      fire()
    })
    this.#hurry()
    return () => {
      this.#due.delete(timer)
      cancel()
    }
  }

  get #followed(): ManualClock {
    return present(this.#clock, 'the clock of a life')
  }

  #hurry(): void {
    if (this.#isHurrying || this.#due.size === 0) return
    this.#isHurrying = true
    setImmediate(() => {
      this.#isHurrying = false
      const next = Math.min(...[...this.#due].map(({ at }) => at))
      if (Number.isFinite(next)) this.#followed.advance(Math.max(0, next - this.monotonicMs()))
      this.#hurry()
    })
  }
}
