// When the engine is killed. Moments are drawn from a seed: one in each stretch of the run, so that
// every engine gets to work. Most of a second is idle, so only some kills strike at the drawn
// moment itself; the others wait for the next batch and strike within it, where a mistake would
// show.

import type { EngineEvent } from './engine-protocol.ts'

/** One kill that is to come. */
export interface PlannedKill {
  /** Milliseconds since the stream is fed. */
  readonly atMs: number
  /** Strikes this long after the engine before was started instead, at a process that may not be
   * up yet. */
  readonly afterStartMs: number | undefined
  /** Waits for the next event of this kind. */
  readonly aim: EngineEvent['kind'] | undefined
  /** Milliseconds to wait after that event. */
  readonly delayMs: number
}

/** The first engine is given time to start, and the last one time to show that it works. */
const LEAD_MS = 1_500
const TAIL_MS = 1_500
const AFTER_START_MS_MAX = 900
const DELAY_MS_MAX = 12
const CHASE_SHARE = 0.2

const AIMS = [
  undefined,
  'batch-ran',
  'batch-written',
  undefined,
  'batch-planned',
  'batch-started',
] as const

export function planKills(kills: number, seconds: number, seed: number): PlannedKill[] {
  const random = randomFrom(seed)
  const stretchMs = (seconds * 1_000 - LEAD_MS - TAIL_MS) / kills
  const first = Math.floor(random() * AIMS.length)
  return Array.from({ length: kills }, (_, index) => {
    const atMs = LEAD_MS + stretchMs * (index + random())
    const chase = index > 0 && random() < CHASE_SHARE
    return {
      atMs: Math.round(atMs),
      afterStartMs: chase ? Math.round(random() * AFTER_START_MS_MAX) : undefined,
      aim: chase ? undefined : AIMS[(first + index) % AIMS.length],
      delayMs: Math.round(random() * DELAY_MS_MAX),
    }
  })
}

/** Gives numbers from 0 to 1 that only depend on the seed (the mulberry32 generator). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
