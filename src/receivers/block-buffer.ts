// What a receiver has read and no batch has taken: a queue of blocks for each partition, bounded in
// bytes over all of them.

import type { Block } from '../batch/block.ts'

/** Counts the bytes of all queues and lets readers wait for room. */
export class ByteBound {
  readonly bytesMax: number
  #bytes = 0
  readonly #waiting: (() => void)[] = []

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  add(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes >= this.bytesMax) return
    for (const resume of this.#waiting.splice(0)) resume()
  }

  /** Resolves when there is room. The bound may be passed by what is in flight then. */
  room(): Promise<void> {
    if (this.#bytes < this.bytesMax) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Lets all that wait go on, room or not: the run ends. */
  release(): void {
    for (const resume of this.#waiting.splice(0)) resume()
  }
}

/** The blocks of one partition, oldest first. */
export class BlockBuffer<B extends Block<unknown>> {
  readonly #bound: ByteBound
  readonly #blocks: B[] = []

  constructor(bound: ByteBound) {
    this.#bound = bound
  }

  get length(): number {
    return this.#blocks.length
  }

  push(block: B): void {
    this.#blocks.push(block)
    this.#bound.add(block.bytes)
  }

  /** Takes at most `bytesMax`, but at least one record if there is one; cuts the last block if
   * need be. */
  take(bytesMax: number, slice: (block: B, start: number, end: number) => B): B[] {
    const taken: B[] = []
    let left = bytesMax
    for (let block = this.#blocks[0]; block !== undefined; block = this.#blocks[0]) {
      if (block.bytes > left && (taken.length > 0 || block.length > 1)) {
        const fitting = Math.floor((block.length * Math.max(left, 0)) / block.bytes)
        const count = taken.length === 0 ? Math.max(1, fitting) : fitting
        if (count < block.length) {
          if (count > 0) {
            taken.push(slice(block, 0, count))
            this.#blocks[0] = slice(block, count, block.length)
          }
          break
        }
      }
      this.#blocks.shift()
      taken.push(block)
      left -= block.bytes
      if (left <= 0) break
    }
    this.#bound.add(-taken.reduce((n, block) => n + block.bytes, 0))
    return taken
  }
}
