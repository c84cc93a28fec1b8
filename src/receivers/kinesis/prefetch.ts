// How much is read ahead of the batches: bytes within a bound, and records within what the next
// batches may take. Calls in flight count as what they may bring.

import type { Clock } from '../../clock.ts'
import { ByteBound } from '../block-buffer.ts'

/** As many cuts ahead: one that is taken next, and one that comes meanwhile. */
const CUTS_AHEAD = 2
/** What a read gives at most. */
const PAGE_RECORDS_MAX = 10_000
/** What a page may have is worked out again after such a wait. */
const STALE_MS = 1_000

/** What the gate needs to know of a shard. */
export interface WaitingShard {
  /** Records of it that wait. */
  readonly waiting: number
  /** Bytes that a page which is asked for soon after `nowMs` has at most. */
  pageBytes(nowMs: number): number
}

/** Leave to read a page; it is given back when the page has come, or none. */
export interface Leave {
  readonly records: number
  /** Kept free, as the page is known at `atMs`, epoch milliseconds. */
  bytes: number
  atMs: number
}

/** Lets reads through. */
export class Prefetch {
  readonly bound: ByteBound
  readonly #clock: Clock
  readonly #waitingRecords: () => number
  #recordsMax = Number.POSITIVE_INFINITY
  /** Records that calls in flight may bring. */
  #reserved = 0
  #isReleased = false
  #blocked: (() => void)[] = []

  /** `waitingRecords`: how many wait in all shards. */
  constructor(bytesMax: number, clock: Clock, waitingRecords: () => number) {
    this.bound = new ByteBound(bytesMax)
    this.#clock = clock
    this.#waitingRecords = waitingRecords
  }

  /** Waits until a shard may be read. A shard of which nothing waits is never held back by the
   * records of others: it may bring one. */
  async admit(shard: WaitingShard): Promise<Leave> {
    while (shard.waiting > 0 && this.#recordsLeft <= 0) {
      await new Promise<void>((resume) => this.#blocked.push(resume))
    }
    // Others ask meanwhile, and must find something too.
    const records = Math.min(PAGE_RECORDS_MAX, Math.max(1, Math.ceil(this.#recordsLeft / 2)))
    this.#reserved += records
    const leave = { records, bytes: 0, atMs: Number.NEGATIVE_INFINITY }
    await this.renew(leave, shard)
    return leave
  }

  /** Before each attempt at a read: what a page may have grows while its reader waits. */
  async renew(leave: Leave, shard: WaitingShard): Promise<void> {
    while (!this.#isReleased && this.#clock.wallMs() - leave.atMs >= STALE_MS) {
      // All of it anew: readers that hold some and wait for more would wait for each other.
      this.bound.unreserve(leave.bytes)
      leave.bytes = 0
      leave.atMs = this.#clock.wallMs()
      const bytes = Math.min(shard.pageBytes(leave.atMs), this.bound.bytesMax)
      await this.bound.reserve(bytes)
      leave.bytes = bytes
    }
  }

  giveBack({ records, bytes }: Leave): void {
    this.#reserved -= records
    this.bound.unreserve(bytes)
    this.#resume()
  }

  /** A cut took what its limits allow: `recordsMax` of the next ones is about the same. */
  cutTook(recordsMax: number): void {
    this.#recordsMax = recordsMax * CUTS_AHEAD
    this.#resume()
  }

  /** Lets all that wait go on, and all that ask later: the run ends. */
  release(): void {
    this.#isReleased = true
    this.#resume()
    this.bound.release()
  }

  get #recordsLeft(): number {
    if (this.#isReleased) return Number.POSITIVE_INFINITY
    return this.#recordsMax - this.#waitingRecords() - this.#reserved
  }

  #resume(): void {
    if (this.#recordsLeft <= 0) return
    const blocked = this.#blocked
    this.#blocked = []
    for (const resume of blocked) resume()
  }
}
