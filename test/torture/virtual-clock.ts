// Time that passes as fast as the work allows: it stands still while anything is to be done, and
// then jumps to the next timer. For work that waits for promises and for this clock only.

import type { Cancel, Clock } from '../../src/clock.ts'
import { TimerQueue } from '../../src/testing/timer-queue.ts'

/** A clock of whole milliseconds, as a machine's timers are: no timer is early. */
export class VirtualClock implements Clock {
  #now: number
  readonly #timers = new TimerQueue()

  /** Begins at `startMs`, epoch milliseconds. */
  constructor(startMs = 1_700_000_000_000) {
    this.#now = startMs
  }

  wallMs(): number {
    return this.#now
  }

  monotonicMs(): number {
    return this.#now
  }

  after(delayMs: number, fire: () => void): Cancel {
    return this.#timers.add(this.#now + Math.max(0, Math.ceil(delayMs)), fire)
  }

  /** Resolves when so much of this time has passed; no real time passes for it. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(ms, resolve)
    })
  }

  /** Lets time pass until something holds, which is looked at whenever there is nothing to do at a
   * moment; throws when it would be later than `untilMs`, or when nothing can happen any more. */
  async pass(holds: () => boolean, untilMs: number): Promise<void> {
    for (;;) {
      await settled()
      if (holds()) return
      if (this.#timers.nextAt === undefined) throw new Error('Nothing can happen any more')
      this.#jump(untilMs)
    }
  }

  /** Lets time pass until some work is done; gives its result. */
  async passFor<T>(work: Promise<T>, untilMs: number): Promise<T> {
    let isOver = false
    const over = (): void => {
      isOver = true
    }
    work.then(over, over)
    await this.pass(() => isOver, untilMs)
    return work
  }

  /** Goes to the time of the next timer, and fires all of that time. */
  #jump(untilMs: number): void {
    const first = this.#timers.take(untilMs)
    if (first === undefined) {
      throw new Error(`Nothing came of it until ${new Date(untilMs).toISOString()}, virtual time`)
    }
    this.#now = Math.max(this.#now, first.at)
    first.fire()
    for (let next = this.#timers.take(this.#now); next; next = this.#timers.take(this.#now)) {
      next.fire()
    }
  }
}

/** Resolves when all that waits for promises only is done. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
