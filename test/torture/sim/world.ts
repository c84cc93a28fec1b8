// The world of a simulation: one thread, a clock that goes from event to event, and one seed for
// all that is left to chance. An event belongs to a process, or to nobody; all that follows from it
// at once, in microtasks, has ended before the next event comes.

import type { Cancel } from '../../../src/clock.ts'
import { pickFrom } from '../picks.ts'
import type { SimProcess } from './process.ts'
import { Trace } from './trace.ts'

interface SimEvent {
  readonly atMs: number
  /** Decides between events of one time. */
  readonly order: number
  readonly process: SimProcess | undefined
  readonly fire: () => void
}

/** More than this, and something goes round in circles. */
const EVENTS_MAX = 400_000

const TIES = 2 ** 30

/** Time, chance and events. */
export class World {
  readonly pick: (below: number) => number
  readonly trace = new Trace()
  #nowMs = 0
  #events = 0
  /** The next one last. */
  readonly #queue: SimEvent[] = []
  #current: SimProcess | undefined
  #broken: Error | undefined

  constructor(seed: number) {
    this.pick = pickFrom(seed)
  }

  /** Milliseconds since the beginning. */
  get nowMs(): number {
    return this.#nowMs
  }

  /** Events so far. */
  get events(): number {
    return this.#events
  }

  /** Whose code is running. */
  get current(): SimProcess | undefined {
    return this.#current
  }

  /** True in `of` cases of `among`. */
  chance(of: number, among: number): boolean {
    return this.pick(among) < of
  }

  /** A whole number from `from` to `to`. */
  between(from: number, to: number): number {
    return from + this.pick(to - from + 1)
  }

  /** One of several. */
  oneOf<T>(choices: readonly T[]): T {
    return choices[this.pick(choices.length)] as T
  }

  /** Lets something happen later; to a process only while it lives and is not held. */
  after(delayMs: number, fire: () => void, process?: SimProcess): Cancel {
    const atMs = this.#nowMs + Math.max(0, delayMs)
    return this.#put({ atMs, order: this.pick(TIES), process, fire })
  }

  /** Lets something happen to a process in this event, or when it goes on. */
  now(process: SimProcess, fire: () => void): void {
    if (process.isDead) return
    if (process.heldUntilMs > this.#nowMs) {
      this.after(process.heldUntilMs - this.#nowMs, fire, process)
      return
    }
    this.#current = process
    fire()
  }

  /** Notes what happened. */
  tell(line: string): void {
    this.trace.add(`${this.#nowMs.toFixed(1)} ${line}`)
  }

  /** Ends the simulation: what must never happen did. */
  breaks(what: string): void {
    this.tell(`BROKEN ${what}`)
    this.#broken ??= new Error(what)
  }

  /** Lets events come until something holds; rejects if it does not within the time. */
  async until(what: string, withinMs: number, holds: () => boolean): Promise<void> {
    const endMs = this.#nowMs + withinMs
    while (this.#broken === undefined && !holds()) {
      const event = this.#queue.pop()
      if (event === undefined) throw new Error(`Nothing is left to happen before ${what}`)
      if (event.atMs > endMs) {
        throw new Error(`It hangs: within ${withinMs} ms there must be ${what}`)
      }
      this.#events += 1
      if (this.#events > EVENTS_MAX) {
        throw new Error(`It goes round in circles: ${EVENTS_MAX} events before ${what}`)
      }
      await this.#deliver(event)
    }
    if (this.#broken !== undefined) throw this.#broken
  }

  async #deliver(event: SimEvent): Promise<void> {
    this.#nowMs = Math.max(this.#nowMs, event.atMs)
    const { process, fire } = event
    if (process === undefined) fire()
    else this.now(process, fire)
    // A turn of the event loop comes after all microtasks.
    await new Promise<void>((resolve) => void setImmediate(resolve))
    this.#current = undefined
  }

  #put(event: SimEvent): Cancel {
    let low = 0
    let high = this.#queue.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (isBefore(event, this.#queue[middle] as SimEvent)) low = middle + 1
      else high = middle
    }
    this.#queue.splice(low, 0, event)
    return () => {
      const index = this.#queue.indexOf(event)
      if (index >= 0) this.#queue.splice(index, 1)
    }
  }
}

function isBefore(a: SimEvent, b: SimEvent): boolean {
  return a.atMs === b.atMs ? a.order < b.order : a.atMs < b.atMs
}
