// What a process of a torture has around it, in one thread: its clock and its way to the store.
// Both can stand still, as they do where a process gets SIGSTOP, its machine is paused, or its
// network is gone. What it computes between two calls ends at once, so a pause hits it at a timer
// or before a call.

import type { ManualClock } from 'millrace/testing'
import type { CheckpointStore } from '../../src/checkpoint/store.ts'
import type { Cancel, Clock } from '../../src/clock.ts'

/** A clock whose wall time is as its owner says; the monotonic time is the world's. */
export class ProcessWorld implements Clock {
  readonly #steady: ManualClock
  offsetMs = 0
  frozenAt: number | undefined
  /** What should have fired while the process was paused; undefined while it is not. */
  #late: (() => void)[] | undefined
  /** Undefined while calls get through. */
  #gate: PromiseWithResolvers<void> | undefined

  constructor(steady: ManualClock, offsetMs: number) {
    this.#steady = steady
    this.offsetMs = offsetMs
  }

  wallMs(): number {
    return this.frozenAt ?? this.#steady.wallMs() + this.offsetMs
  }

  monotonicMs(): number {
    return this.#steady.monotonicMs()
  }

  after(delayMs: number, fire: () => void): Cancel {
    let cancelled = false
    const cancel = this.#steady.after(delayMs, () => {
      const fireNow = (): void => {
        if (!cancelled) fire()
      }
      if (this.#late === undefined) fireNow()
      else this.#late.push(fireNow)
    })
    return () => {
      cancelled = true
      cancel()
    }
  }

  /** Its calls to the store get nowhere; its timers go on. */
  cutOff(): void {
    this.#gate ??= Promise.withResolvers<void>()
  }

  /** Its timers do not fire either. */
  pause(): void {
    this.cutOff()
    this.#late ??= []
  }

  /** All that waited happens now. */
  goOn(): void {
    const late = this.#late ?? []
    this.#late = undefined
    this.#gate?.resolve()
    this.#gate = undefined
    for (const fire of late) fire()
  }

  /** The store as this process sees it, at a location of its own: two processes in one thread are
   * not the two runs of one process that are refused. */
  storeOf(store: CheckpointStore, process: number): CheckpointStore {
    return new Proxy(store, {
      get: (target, property) => {
        if (property === 'location') return `${target.location}#${process}`
        const value: unknown = Reflect.get(target, property, target)
        if (typeof value !== 'function') return value
        const call = (...given: unknown[]): unknown => Reflect.apply(value, target, given)
        return (...given: unknown[]) =>
          this.#gate === undefined ? call(...given) : this.#gate.promise.then(() => call(...given))
      },
    })
  }
}
