// The calls that came, newest kept.

import type { FaultKind } from './faults.ts'

/** A call that the simulator had. */
export interface LoggedCall {
  /** Name of the operation, for example 'GetRecords'. */
  readonly operation: string
  /** Name of the stream; undefined where the call names none. */
  readonly stream: string | undefined
  /** Id of the shard; undefined where the call is not about one. A `PutRecords` has none. */
  readonly shard: string | undefined
  /** When it came, milliseconds of the clock. */
  readonly atMs: number
  /** Records that were stored or given. */
  readonly records: number
  /** Their bytes: data and partition keys. */
  readonly bytes: number
  /** 'ok', or the code of the fault that it was answered with; 'cut' if it had no answer. */
  readonly outcome: string
  /** What was made to happen to it; 'none' for most. */
  readonly fault: FaultKind
  /** Milliseconds after which it was answered; more than 0 for a `slow` one. */
  readonly delayMs: number
}

/** Keeps the newest calls. */
export class CallLog {
  readonly #max: number
  #calls: LoggedCall[] = []
  /** Calls since the beginning. */
  total = 0

  constructor(max: number) {
    this.#max = max
  }

  add(call: LoggedCall): void {
    this.total += 1
    if (this.#max === 0) return
    // Twice the bound, then half is dropped at once: no call costs more than another.
    if (this.#calls.length >= 2 * this.#max) this.#calls = this.#calls.slice(this.#max)
    this.#calls.push(call)
  }

  /** The newest calls, oldest first. */
  newest(): LoggedCall[] {
    return this.#max === 0 ? [] : this.#calls.slice(-this.#max)
  }
}
