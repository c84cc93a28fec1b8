// Follows the engine's output while it is written: only whole batches are ever visible in it.

import type { DemoFolder } from './demo-folder.ts'
import { batchIds, type Count, readBatch } from './output-files.ts'

const TOP = 10

/** Knows how many words are counted so far and which are the most frequent of the window. */
export class OutputTail {
  readonly #folder: DemoFolder
  readonly #totals = new Map<string, number>()
  #lastTotals = -1
  #lastWindow = -1
  #words = 0
  #top: readonly Count[] = []
  #polling: Promise<void> | undefined
  #again = false

  constructor(folder: DemoFolder) {
    this.#folder = folder
  }

  /** Words in the totals, over all batches. */
  get words(): number {
    return this.#words
  }

  /** The most frequent words of the newest window, first the most frequent. */
  get top(): readonly Count[] {
    return this.#top
  }

  /** Reads what is new. Calls while it reads are answered by one more pass. */
  poll(): Promise<void> {
    this.#again = true
    this.#polling ??= this.#passes().finally(() => {
      this.#polling = undefined
    })
    return this.#polling
  }

  async #passes(): Promise<void> {
    while (this.#again) {
      this.#again = false
      await this.#readTotals()
      await this.#readWindow()
    }
  }

  async #readTotals(): Promise<void> {
    for (const batchId of await batchIds(this.#folder.totals)) {
      if (batchId <= this.#lastTotals) continue
      const { counts } = await readBatch(this.#folder.totals, batchId)
      for (const [word, total] of counts) {
        this.#words += total - (this.#totals.get(word) ?? 0)
        this.#totals.set(word, total)
      }
      this.#lastTotals = batchId
    }
  }

  async #readWindow(): Promise<void> {
    const newest = (await batchIds(this.#folder.window)).at(-1)
    if (newest === undefined || newest === this.#lastWindow) return
    const { counts } = await readBatch(this.#folder.window, newest)
    this.#top = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).slice(0, TOP)
    this.#lastWindow = newest
  }
}
