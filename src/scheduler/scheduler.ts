// When batches run: batch time = zeroTime + n × interval. The wall clock is read once, at start;
// from then on ticks come from the monotonic clock, so that a clock that is set back repeats
// nothing.

import type { Clock } from '../clock.ts'
import { sleep } from '../clock.ts'
import { codeOf } from '../errors.ts'
import type { Logger } from '../events.ts'
import { EndAtOnce } from './end-at-once.ts'
import type { Engine } from './engine.ts'
import type { Settings } from './options.ts'

/** How a run ends. */
export type Until = 'stopped' | 'caught-up'

/** What the scheduler works with. */
export interface SchedulerParts {
  readonly engine: Engine
  readonly settings: Settings
  readonly clock: Clock
  readonly logger: Logger
  readonly until: Until
}

/** Gracefully, or at once: as asked (no error), or because of an error. */
export type Ending =
  | { readonly kind: 'graceful' }
  | { readonly kind: 'now'; readonly error: unknown }

/** Runs batches when they are due until it is told to stop. */
export class Scheduler {
  readonly #parts: SchedulerParts
  readonly #wake = new AbortController()
  /** Bounds what a run that is to end at once waits for; its `close` asks it too. */
  readonly endAtOnce: EndAtOnce
  #ending: Ending | undefined

  constructor(parts: SchedulerParts) {
    this.#parts = parts
    this.endAtOnce = new EndAtOnce(parts.clock)
  }

  /** Asks the loop to end. An end at once wins over a graceful one; apart from that the first
   * call counts. */
  end(ending: Ending): void {
    if (this.#ending?.kind !== 'now') this.#ending = ending
    this.#parts.engine.hurry()
    this.#wake.abort()
    if (ending.kind === 'now') this.endAtOnce.begin()
  }

  /** True once the run is to end. */
  get ending(): boolean {
    return this.#ending !== undefined
  }

  /** Batches that are due and have not been cut. */
  get dueBatches(): number {
    const { engine, settings } = this.#parts
    const due = Math.floor((engine.now() - engine.zeroTime) / settings.batchIntervalMs)
    return Math.max(0, due - engine.lastBatchId)
  }

  /** Runs until the end; rejects with the error that ended it. An end at once does not wait long
   * for the batches that are under way. */
  async run(): Promise<void> {
    const { engine } = this.#parts
    if (await this.endAtOnce.waitFor(this.#runAndEndBatches())) return
    engine.giveUp()
    this.#mustEnd()
  }

  async #runAndEndBatches(): Promise<void> {
    try {
      await this.#runBatches()
    } finally {
      await this.#parts.engine.ended()
    }
  }

  async #runBatches(): Promise<void> {
    const { engine, until } = this.#parts
    await this.#catchUp()
    while (this.#ending === undefined) {
      await this.#waitFor(engine.timeOf(engine.nextBatchId))
      if (this.#ending !== undefined) break
      await this.#runBatch()
      // A graceful end takes what waits in the buffers: where more comes they are never empty.
      if (until === 'caught-up' && engine.caughtUp) this.end({ kind: 'graceful' })
    }
    if (!this.#mustEnd()) await this.#finish()
  }

  /** Skips times beyond the bound that were missed before the start; those within it are run, as in
   * Spark. */
  async #catchUp(): Promise<void> {
    const { engine, settings } = this.#parts
    const due = engine.lastBatchId + this.dueBatches
    await engine.skipTo(due - settings.catchUpBatchesMax + 1)
  }

  async #waitFor(time: number): Promise<void> {
    const { clock, engine } = this.#parts
    if (engine.now() >= time) return
    await engine.rest(time)
    const delayMs = time - engine.now()
    if (delayMs <= 0) return
    await sleep(clock, delayMs, this.#wake.signal).catch(() => undefined)
    if (this.#ending === undefined && engine.now() < time) await this.#waitFor(time)
  }

  async #runBatch(): Promise<void> {
    const { engine, settings, logger } = this.#parts
    const batchId = engine.nextBatchId
    try {
      await engine.runNext(this.#ending !== undefined)
    } catch (error) {
      if (settings.onBatchError === 'stop' || codeOf(error) === 'FENCED') throw error
      logger.error({ err: error, batchId }, 'A batch failed and was dropped')
      await engine.skipTo(batchId + 1)
    }
  }

  /** A graceful end processes what was received, before its time if need be. */
  async #finish(): Promise<void> {
    const { engine } = this.#parts
    await this.#stopReceivers()
    do {
      if (this.#mustEnd()) return
      await this.#runBatch()
    } while (engine.bufferedBytes > 0)
    this.#mustEnd()
    await engine.settle()
  }

  /** Where that takes longer than an interval, batches go on meanwhile: a receiver that still has
   * something to give needs room. */
  async #stopReceivers(): Promise<void> {
    const { engine, clock, settings } = this.#parts
    const stopped = new AbortController()
    const stopping = engine.stopReceivers().finally(() => stopped.abort())
    stopping.catch(() => undefined)
    const enough = AbortSignal.any([stopped.signal, this.endAtOnce.signal])
    while (!enough.aborted) {
      await sleep(clock, settings.batchIntervalMs, enough).catch(() => undefined)
      if (!enough.aborted) await this.#runBatch()
    }
    if (!this.#mustEnd()) await stopping
  }

  /** True if the run is to end at once; throws the error that ends it. */
  #mustEnd(): boolean {
    if (this.#ending?.kind !== 'now') return false
    if (this.#ending.error !== undefined) throw this.#ending.error
    return true
  }
}
