// How often the log is flushed where flushes cost something: those who wait for one share it.

import { type Clock, sleep } from '../clock.ts'

/** Spaces flushes out. */
export class FlushPace {
  readonly #clock: Clock
  readonly #intervalMs: number
  readonly #flush: () => Promise<void>
  readonly #hurried = new AbortController()
  #begunMs = Number.NEGATIVE_INFINITY
  #next: Promise<void> | undefined

  /** Flushes begin at least `intervalMs` apart; 0: at once. */
  constructor(clock: Clock, intervalMs: number, flush: () => Promise<void>) {
    this.#clock = clock
    this.#intervalMs = intervalMs
    this.#flush = flush
  }

  /** Resolves once a flush that begins after this call has ended. */
  next(): Promise<void> {
    this.#next ??= this.#due().then(() => {
      this.#next = undefined
      this.#begunMs = this.#clock.monotonicMs()
      return this.#flush()
    })
    return this.#next
  }

  /** Lets nobody wait any longer, from now on. */
  hurry(): void {
    this.#hurried.abort()
  }

  async #due(): Promise<void> {
    const { signal } = this.#hurried
    const leftMs = this.#begunMs + this.#intervalMs - this.#clock.monotonicMs()
    if (leftMs > 0) await sleep(this.#clock, leftMs, signal).catch(() => undefined)
  }
}
