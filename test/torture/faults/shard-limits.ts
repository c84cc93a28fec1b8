// The limits of each shard, checked on the log of the service: five reads a second, and 2 MiB a
// second, whatever the receiver says that it did.

import type { LoggedCall } from 'millrace/testing'

/** The receiver waits so long for the answer of a read. */
export const READ_LIMIT_MS = 30_000

const SECOND_MS = 1_000
const CALLS_PER_SECOND = 5
const BYTES_PER_SECOND = 2 * 1_048_576
/** A page of 10 MiB is paid off in 5 s, two in 10; then an answer that was lost refuses nothing. */
const LOST_MATTERS_MS = 10_000

/** Follows the calls for each shard. */
export class ShardLimits {
  readonly #shards = new Map<string, CallsOfShard>()

  /** Takes the next call of the log. */
  take(call: LoggedCall): void {
    const { operation, stream, shard } = call
    if (operation !== 'GetRecords' && operation !== 'GetShardIterator') return
    const key = `${operation} of ${stream}/${shard}`
    let calls = this.#shards.get(key)
    if (calls === undefined) {
      calls = new CallsOfShard(key)
      this.#shards.set(key, calls)
    }
    calls.take(call)
  }

  /** Another receiver reads on: it knows nothing of what was given before. */
  forget(stream: string): void {
    for (const [key, calls] of this.#shards) {
      if (key.includes(` of ${stream}/`)) calls.forget()
    }
  }
}

class CallsOfShard {
  readonly #key: string
  readonly #times: number[] = []
  /** Bytes that are not paid off, at `#debtAt`. */
  #debt = 0
  #debtAt = 0
  /** What the receiver knows that it was given is paid off then. */
  #openAt = 0
  #lostAt = Number.NEGATIVE_INFINITY

  constructor(key: string) {
    this.#key = key
  }

  take(call: LoggedCall): void {
    this.#checkRate(call.atMs)
    this.#checkRefusal(call)
    if (call.atMs < this.#openAt) {
      throw new Error(`${this.#key} at ${call.atMs}: its last page is paid off at ${this.#openAt}`)
    }
    if (call.bytes > 0) this.#give(call)
  }

  forget(): void {
    this.#openAt = 0
    this.#lostAt = Math.max(this.#lostAt, this.#debtAt)
  }

  /** Of six calls in a row the last comes a second after the first, or later. */
  #checkRate(atMs: number): void {
    const times = this.#times
    times.push(atMs)
    if (times.length <= CALLS_PER_SECOND) return
    const first = times.shift() as number
    if (atMs - first >= SECOND_MS) return
    throw new Error(`${this.#key}: six calls from ${first} to ${atMs}, in less than a second`)
  }

  /** The service refuses only where an answer was lost, whose bytes the receiver cannot know. */
  #checkRefusal({ outcome, fault, atMs }: LoggedCall): void {
    if (outcome !== 'ProvisionedThroughputExceededException' || fault === 'throttle') return
    if (atMs - this.#lostAt <= LOST_MATTERS_MS) return
    throw new Error(`${this.#key} at ${atMs} was refused, though no answer had been lost`)
  }

  #give({ atMs, bytes, outcome, delayMs }: LoggedCall): void {
    this.#debt -= ((atMs - this.#debtAt) * BYTES_PER_SECOND) / SECOND_MS
    this.#debt = Math.max(0, this.#debt)
    this.#debtAt = atMs
    if (this.#debt > BYTES_PER_SECOND) {
      throw new Error(`${this.#key} at ${atMs}: ${this.#debt} bytes are not paid off yet`)
    }
    this.#debt += bytes
    if (outcome !== 'ok' || delayMs >= READ_LIMIT_MS) this.#lostAt = atMs
    else this.#openAt = atMs + delayMs + (bytes / BYTES_PER_SECOND) * SECOND_MS
  }
}
