// How much is read ahead of the batches: bytes within a bound, in which calls in flight count as
// what they may bring, and records within what the next batches may take.

import { ByteBound } from '../block-buffer.ts'

/** As many cuts ahead: one that is taken next, and one that comes meanwhile. */
const CUTS_AHEAD = 2

/** What the gate needs to know of a shard. */
export interface WaitingShard {
  readonly waiting: number
  readonly pageBytes: number
}

/** Lets reads through. */
export class Prefetch {
  readonly bound: ByteBound
  readonly #waitingRecords: () => number
  #recordsMax = Number.POSITIVE_INFINITY
  #isReleased = false
  #blocked: (() => void)[] = []

  /** `waitingRecords`: how many wait in all shards. */
  constructor(bytesMax: number, waitingRecords: () => number) {
    this.bound = new ByteBound(bytesMax)
    this.#waitingRecords = waitingRecords
  }

  /** Waits until a shard may be read; gives how many records may come, and the bytes that are kept
   * free for them: the caller gives them back. A shard of which nothing waits is never held back by
   * the records of others. */
  async admit(shard: WaitingShard): Promise<{ readonly limit: number; readonly bytes: number }> {
    while (shard.waiting > 0 && this.#recordsLeft() <= 0) {
      await new Promise<void>((resume) => this.#blocked.push(resume))
    }
    const bytes = Math.min(shard.pageBytes, this.bound.bytesMax)
    await this.bound.reserve(bytes)
    return { limit: Math.max(1, this.#recordsLeft()), bytes }
  }

  /** A cut took what its limits allow: `recordsMax` of the next ones is about the same. */
  cutTook(recordsMax: number): void {
    if (!this.#isReleased) this.#recordsMax = recordsMax * CUTS_AHEAD
    this.#resume()
  }

  /** Lets all that wait go on, and all that ask later: the run ends. */
  release(): void {
    this.#isReleased = true
    this.#recordsMax = Number.POSITIVE_INFINITY
    this.#resume()
    this.bound.release()
  }

  #recordsLeft(): number {
    return this.#recordsMax - this.#waitingRecords()
  }

  #resume(): void {
    const blocked = this.#blocked
    this.#blocked = []
    for (const resume of blocked) resume()
  }
}
