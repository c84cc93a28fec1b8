// The figures of a running demo, gathered from the engine's events and the producer's puts.

import type { EngineEvent } from './engine-protocol.ts'

const RATE_OVER_MS = 3_000
const RATE_AFTER_MS = 1_000

type Completed = Extract<EngineEvent, { kind: 'batch-completed' }>

interface Put {
  readonly atMs: number
  /** Words sent with this put and all before it. */
  readonly totalWords: number
}

/** Remembers the last batch, how fast records go through, and which puts are not in the output
 * yet. */
export class Figures {
  #completed: Completed | undefined
  #recent: { readonly atMs: number; readonly records: number }[] = []
  #puts: Put[] = []
  readonly #startedMs = performance.now()

  get last(): Completed | undefined {
    return this.#completed
  }

  completed(event: Completed): void {
    this.#completed = event
    this.#recent.push({ atMs: performance.now(), records: event.records })
  }

  put(totalWords: number): void {
    this.#puts.push({ atMs: performance.now(), totalWords })
  }

  /** Records that went through in the last three seconds, per second. */
  recordsPerSecond(): number {
    const now = performance.now()
    this.#recent = this.#recent.filter(({ atMs }) => atMs > now - RATE_OVER_MS)
    const overMs = Math.max(RATE_AFTER_MS, Math.min(RATE_OVER_MS, now - this.#startedMs))
    return (this.#recent.reduce((sum, { records }) => sum + records, 0) * 1_000) / overMs
  }

  /** Age of the oldest put that is not in the output, given how many words are. */
  lagMs(wordsCounted: number): number {
    this.#puts = this.#puts.filter(({ totalWords }) => totalWords > wordsCounted)
    const oldest = this.#puts[0]
    return oldest === undefined ? 0 : performance.now() - oldest.atMs
  }
}
