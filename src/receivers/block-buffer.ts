// What a receiver has read and no batch has taken: a queue of blocks for each partition, bounded in
// bytes over all of them.

import type { Block } from '../batch/block.ts'

/** Counts the bytes of all queues and lets readers wait for room. */
export class ByteBound {
  readonly bytesMax: number
  #bytes = 0
  #reserved = 0
  #isReleased = false
  readonly #waiting: (() => void)[] = []
  readonly #asking: { readonly bytes: number; readonly resume: () => void }[] = []

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
  }

  /** Bytes that wait; what is reserved is not among them. */
  get bytes(): number {
    return this.#bytes
  }

  add(bytes: number): void {
    this.#bytes += bytes
    this.#letOn()
  }

  /** Resolves when there is room. The bound may be passed by what is in flight then. */
  room(): Promise<void> {
    if (this.#isReleased || this.#bytes < this.bytesMax) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Resolves when there is room for so many bytes beside all that waits and is reserved, or when
   * nothing else is; they are kept free until `unreserve`. Whoever asks first is first. */
  reserve(bytes: number): Promise<void> {
    if (this.#asking.length === 0 && this.#fits(bytes)) {
      this.#reserved += bytes
      return Promise.resolve()
    }
    return new Promise((resume) => this.#asking.push({ bytes, resume }))
  }

  /** Gives back what was reserved: what came of it counts by itself. */
  unreserve(bytes: number): void {
    this.#reserved -= bytes
    this.#letOn()
  }

  /** Lets all that wait go on, room or not, and all that ask later: the run ends. */
  release(): void {
    this.#isReleased = true
    for (const resume of this.#waiting.splice(0)) resume()
    for (const { bytes, resume } of this.#asking.splice(0)) {
      this.#reserved += bytes
      resume()
    }
  }

  #fits(bytes: number): boolean {
    const held = this.#bytes + this.#reserved
    return this.#isReleased || held === 0 || held + bytes <= this.bytesMax
  }

  #letOn(): void {
    if (this.#bytes < this.bytesMax) for (const resume of this.#waiting.splice(0)) resume()
    for (let next = this.#asking[0]; next !== undefined; next = this.#asking[0]) {
      if (!this.#fits(next.bytes)) return
      this.#asking.shift()
      this.#reserved += next.bytes
      next.resume()
    }
  }
}

/** How much a batch may take. */
export interface TakeLimits {
  readonly bytesMax: number
  readonly recordsMax: number
}

type Slice<B> = (block: B, start: number, end: number) => B

/** The blocks of one partition, oldest first. Each record counts one byte more than its block
 * says, so that records without bytes are bounded too, and are seen to wait. */
export class BlockBuffer<B extends Block<unknown>> {
  readonly #bound: ByteBound
  readonly #blocks: B[] = []
  #records = 0
  #weight = 0

  constructor(bound: ByteBound) {
    this.#bound = bound
  }

  /** Blocks that wait. */
  get length(): number {
    return this.#blocks.length
  }

  /** Records that wait. */
  get records(): number {
    return this.#records
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#weight
  }

  push(block: B): void {
    this.#blocks.push(block)
    this.#records += block.length
    this.#weigh(weightOf(block))
  }

  /** Takes at most `recordsMax` records and `bytesMax` bytes, but at least one record if there is
   * one and `recordsMax` allows it; cuts the last block if need be. */
  take({ bytesMax, recordsMax }: TakeLimits, slice: Slice<B>): B[] {
    const taken: B[] = []
    let bytesLeft = bytesMax
    let recordsLeft = recordsMax
    for (let block = this.#blocks[0]; block !== undefined; block = this.#blocks[0]) {
      const fitting = block.bytes <= bytesLeft ? block.length : fittingIn(block, bytesLeft)
      const count = Math.min(Math.max(fitting, taken.length === 0 ? 1 : 0), recordsLeft)
      if (count <= 0) break
      if (count < block.length) {
        taken.push(this.#cut(block, count, slice))
        break
      }
      this.#blocks.shift()
      taken.push(block)
      bytesLeft -= block.bytes
      recordsLeft -= block.length
    }
    this.#weigh(-taken.reduce((n, block) => n + weightOf(block), 0))
    this.#records -= taken.reduce((n, block) => n + block.length, 0)
    return taken
  }

  /** Cuts the oldest block in two and gives the first part; the two may weigh more than the one. */
  #cut(block: B, count: number, slice: Slice<B>): B {
    const head = slice(block, 0, count)
    const rest = slice(block, count, block.length)
    this.#blocks[0] = rest
    this.#weigh(weightOf(head) + weightOf(rest) - weightOf(block))
    return head
  }

  #weigh(bytes: number): void {
    this.#weight += bytes
    this.#bound.add(bytes)
  }
}

/** What records count for against the bounds: those without bytes are bounded too. */
export function weightOf(records: { readonly bytes: number; readonly length: number }): number {
  return records.bytes + records.length
}

function fittingIn(block: Block<unknown>, bytes: number): number {
  return Math.floor((block.length * Math.max(bytes, 0)) / block.bytes)
}
