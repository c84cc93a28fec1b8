// What the driver shows to the thread that gives its signs of life: that its event loop turns, and
// that its log is written. Two counters in memory that both threads see.

import type { Cancel, Clock } from '../clock.ts'

/** How often the driver counts. */
const PULSE_MS = 1_000

/** A driver whose event loop has stood still for so long is taken for stuck. */
export const STUCK_MS = 60_000

const PULSES = 0
const FLUSHES = 1

/** The driver's side. */
export class Pulse {
  readonly memory: SharedArrayBuffer = new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT)
  readonly #counters = new Int32Array(this.memory)
  readonly #clock: Clock
  #cancel: Cancel

  constructor(clock: Clock) {
    this.#clock = clock
    this.#cancel = this.#schedule()
  }

  /** Counts a write of the log. */
  flushed(): void {
    Atomics.add(this.#counters, FLUSHES, 1)
  }

  /** The writes of the log so far. */
  get flushes(): number {
    return Atomics.load(this.#counters, FLUSHES)
  }

  stop(): void {
    this.#cancel()
  }

  #schedule(): Cancel {
    return this.#clock.after(PULSE_MS, () => {
      Atomics.add(this.#counters, PULSES, 1)
      this.#cancel = this.#schedule()
    })
  }
}

/** The side of the thread that gives the signs. */
export class PulseWatch {
  readonly #counters: Int32Array
  readonly #clock: Clock
  #seen = 0
  #sinceMs: number

  constructor(memory: SharedArrayBuffer, clock: Clock) {
    this.#counters = new Int32Array(memory)
    this.#clock = clock
    this.#sinceMs = clock.monotonicMs()
  }

  readonly flushes = (): number => Atomics.load(this.#counters, FLUSHES)

  /** True if the driver's event loop has turned of late. */
  readonly isAlive = (): boolean => {
    const pulses = Atomics.load(this.#counters, PULSES)
    const now = this.#clock.monotonicMs()
    if (pulses !== this.#seen) {
      this.#seen = pulses
      this.#sinceMs = now
    }
    return now - this.#sinceMs < STUCK_MS
  }
}
