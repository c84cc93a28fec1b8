// When the next call for a shard may be made.
//
// The service answers 5 GetRecords a second for a shard and gives 2 MiB a second of it, to all its
// readers together; after a page of more it refuses for as long as those bytes take (GetRecords in
// the API reference). A reader cannot see the others, only that it is refused. So each shard has a
// rate that halves when a read is refused and grows by a fixed step with each one that is not:
// readers that do so come to share evenly (Chiu and Jain, "Analysis of the increase and decrease
// algorithms for congestion avoidance in computer networks", 1989).

import { type Clock, sleep } from '../../clock.ts'

/** How a shard may be read. */
export interface PaceSettings {
  /** Between two reads where nothing is in the way, milliseconds. */
  readonly pollIntervalMs: number
  /** The longest wait between two reads of a shard that gives nothing, milliseconds. */
  readonly idlePollIntervalMs: number
}

/** What a read gave. */
export interface ReadFigures {
  readonly records: number
  /** Data and partition keys. */
  readonly bytes: number
  readonly behindMs: number
}

const SECOND_MS = 1_000
const SHARD_BYTES_PER_SECOND = 2 * 1_048_576
const RATE_MIN = 0.2
const RATE_STEP = 0.1
/** Intervals are longer by a random part up to this: a reader that is never late would take each
 * turn of the shard the moment it is there, and another would be refused for ever. */
const STRETCH_MAX = 0.05
/** So many empty reads in a row before a shard counts as idle. */
const EMPTY_READS_ACTIVE = 5
const ITERATOR_INTERVAL_MS = 200

/** The pace of one kind of call: it says when, and is told what came of it. */
export interface Pace {
  /** Milliseconds until the next call may be made; 0: now. */
  readonly waitMs: number
  /** A call is made. */
  began(): void
  /** It was refused. */
  throttled(): void
}

/** The pace of the reads of one shard. */
export class ShardPace implements Pace {
  /** The pace of its iterators, which have a limit of their own. */
  readonly iterators: Pace
  readonly #settings: PaceSettings
  readonly #clock: Clock
  readonly #random: () => number
  readonly #rateMax: number
  #rate: number
  #emptyReads = 0
  #stretch = 1
  #beganAt = Number.NEGATIVE_INFINITY
  #openAt = Number.NEGATIVE_INFINITY

  constructor(settings: PaceSettings, clock: Clock, random: () => number) {
    this.#settings = settings
    this.#clock = clock
    this.#random = random
    this.#rateMax = SECOND_MS / settings.pollIntervalMs
    this.#rate = this.#rateMax
    this.iterators = new FixedPace(ITERATOR_INTERVAL_MS, clock)
  }

  /** Reads a second, as far as the limits are concerned. */
  get rate(): number {
    return this.#rate
  }

  get waitMs(): number {
    const dueAt = Math.max(this.#beganAt + this.#intervalMs * this.#stretch, this.#openAt)
    return Math.max(0, dueAt - this.#clock.monotonicMs())
  }

  began(): void {
    this.#beganAt = this.#clock.monotonicMs()
    this.#stretch = 1 + this.#random() * STRETCH_MAX
  }

  /** A read was answered. */
  gave({ records, bytes, behindMs }: ReadFigures): void {
    this.#rate = Math.min(this.#rateMax, this.#rate + RATE_STEP)
    this.#emptyReads = records === 0 && behindMs === 0 ? this.#emptyReads + 1 : 0
    const share = this.#rate / this.#rateMax
    // One more: the service opens again when the time is over, not when it ends.
    const costMs = Math.ceil((bytes / (SHARD_BYTES_PER_SECOND * share)) * SECOND_MS) + 1
    if (bytes > 0) this.#openAt = this.#clock.monotonicMs() + costMs
  }

  throttled(): void {
    this.#rate = Math.max(RATE_MIN, this.#rate / 2)
    // Readers that were refused together do not come back together.
    const jitterMs = this.#random() * (SECOND_MS / this.#rate)
    this.#openAt = this.#clock.monotonicMs() + SECOND_MS / this.#rate + jitterMs
  }

  get #intervalMs(): number {
    const activeMs = SECOND_MS / this.#rate
    const doublings = this.#emptyReads - EMPTY_READS_ACTIVE
    if (doublings <= 0) return activeMs
    const { pollIntervalMs, idlePollIntervalMs } = this.#settings
    const idleMs = Math.min(idlePollIntervalMs, pollIntervalMs * 2 ** Math.min(doublings, 16))
    return Math.max(activeMs, idleMs)
  }
}

/** One call in a fixed time. */
class FixedPace implements Pace {
  readonly #intervalMs: number
  readonly #clock: Clock
  #openAt = Number.NEGATIVE_INFINITY

  constructor(intervalMs: number, clock: Clock) {
    this.#intervalMs = intervalMs
    this.#clock = clock
  }

  get waitMs(): number {
    return Math.max(0, this.#openAt - this.#clock.monotonicMs())
  }

  began(): void {
    this.#openAt = this.#clock.monotonicMs() + this.#intervalMs
  }

  throttled(): void {
    this.#openAt = this.#clock.monotonicMs() + 2 * this.#intervalMs
  }
}

/** Waits until a call may be made. */
export async function turnOf(pace: Pace, clock: Clock, signal: AbortSignal): Promise<void> {
  while (pace.waitMs > 0) await sleep(clock, pace.waitMs, signal)
}
