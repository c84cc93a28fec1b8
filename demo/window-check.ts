// Rebuilds every window from the totals: what a batch added to the totals is in the windows of the
// next 30 seconds, so the window at t is the sum of what the batches in (t − 30 s, t] added.
//
// Keeps the totals, what each batch of the last 30 s added, and the sum of that. Batch times stand
// on a grid of one second; a time of the grid without an output counts as an empty window, except
// in a pause so long that the engine skips the missed batches (more than 1,000) instead of catching
// up.

import type { Count } from './output-files.ts'
import { Problems } from './problems.ts'

export const INTERVAL_MS = 1_000
export const WINDOW_MS = 30_000
const PAUSE_MS_MIN = 1_000 * INTERVAL_MS

interface Added {
  readonly time: number
  readonly counts: readonly Count[]
}

/** Takes the batches in order and notes what does not fit. */
export class WindowCheck {
  readonly totals = new Map<string, number>()
  /** Windows compared, empty ones included. */
  windows = 0
  pauses = 0
  readonly problems = new Problems()
  readonly #expected = new Map<string, number>()
  readonly #added: Added[] = []
  #lastTime: number | undefined

  /** Takes the next batch; an output that has no folder for it is undefined. */
  take(
    batchId: number,
    time: number,
    totals: readonly Count[] = [],
    window: readonly Count[] = [],
  ): void {
    this.#moveTo(batchId, time)
    this.#add(batchId, time, totals)
    this.#compare(`batch ${batchId} (${clock(time)})`, window)
  }

  /** Checks the empty windows between the batch before and this one. */
  #moveTo(batchId: number, time: number): void {
    const last = this.#lastTime ?? time - INTERVAL_MS
    this.#lastTime = time
    if (time <= last || (time - last) % INTERVAL_MS !== 0) {
      this.problems.add(`batch ${batchId}: its time ${time} does not follow on ${last}`)
    } else if (time - last > PAUSE_MS_MIN) {
      this.pauses += 1
    } else {
      for (let missing = last + INTERVAL_MS; missing < time; missing += INTERVAL_MS) {
        this.#forget(missing)
        this.#compare(`the batch at ${clock(missing)}, which has no output`, [])
      }
    }
    this.#forget(time)
  }

  #add(batchId: number, time: number, totals: readonly Count[]): void {
    const counts: Count[] = []
    for (const [word, total] of totals) {
      const added = total - (this.totals.get(word) ?? 0)
      if (added <= 0) {
        this.problems.add(
          `totals of batch ${batchId}: "${word}" is ${total} and was ${total - added} before`,
        )
      }
      this.totals.set(word, total)
      counts.push([word, added])
      this.#change(word, added)
    }
    this.#added.push({ time, counts })
  }

  #forget(time: number): void {
    while (this.#added[0] !== undefined && this.#added[0].time <= time - WINDOW_MS) {
      for (const [word, added] of this.#added.shift()!.counts) this.#change(word, -added)
    }
  }

  #change(word: string, by: number): void {
    const count = (this.#expected.get(word) ?? 0) + by
    if (count === 0) this.#expected.delete(word)
    else this.#expected.set(word, count)
  }

  #compare(what: string, window: readonly Count[]): void {
    this.windows += 1
    const found = new Map(window)
    if (found.size !== window.length) this.problems.add(`window of ${what}: a word is there twice`)
    for (const [word, expected] of this.#expected) {
      const count = found.get(word) ?? 0
      if (count !== expected) this.problems.add(differs(what, word, count, expected))
    }
    for (const [word, count] of found) {
      if (!this.#expected.has(word)) this.problems.add(differs(what, word, count, 0))
    }
  }
}

function differs(what: string, word: string, count: number, expected: number): string {
  return `window of ${what}: "${word}" is ${count}, total(t) − total(t − 30 s) is ${expected}`
}

function clock(time: number): string {
  return `${new Date(time).toISOString().slice(11, 19)} UTC`
}
