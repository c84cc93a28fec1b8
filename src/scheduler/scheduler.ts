// When batches run: batch time = zeroTime + n × interval. The wall clock is read once, at start;
// from then on ticks come from the monotonic clock, so that a clock that is set back repeats
// nothing.

import type { Clock } from '../clock.ts'
import { sleep } from '../clock.ts'
import { codeOf } from '../errors.ts'
import type { EventBus, Logger } from '../events.ts'
import type { Engine } from './engine.ts'
import type { Settings } from './options.ts'

/** How a run ends. */
export type Until = 'stopped' | 'caught-up'

/** What the scheduler works with. */
export interface SchedulerParts {
  readonly engine: Engine
  readonly settings: Settings
  readonly clock: Clock
  readonly events: EventBus
  readonly logger: Logger
  readonly until: Until
}

/** Figures of a run so far. */
export interface Metrics {
  readonly [name: string]: number
}

type Ending = { readonly kind: 'graceful' } | { readonly kind: 'now'; readonly error: unknown }

/** Runs batches when they are due until it is told to stop. */
export class Scheduler {
  readonly #parts: SchedulerParts
  readonly #wake = new AbortController()
  readonly #startedAt: { readonly wallMs: number; readonly monotonicMs: number }
  #ending: Ending | undefined
  #batches = 0
  #failedBatches = 0
  #processingMs = 0

  constructor(parts: SchedulerParts) {
    this.#parts = parts
    const { clock } = parts
    this.#startedAt = { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() }
  }

  /** Asks the loop to end: gracefully, or now with an error. The first call counts. */
  end(ending: Ending): void {
    this.#ending ??= ending
    this.#wake.abort()
  }

  metrics(): Metrics {
    const { engine } = this.#parts
    return {
      batches: this.#batches,
      failedBatches: this.#failedBatches,
      lastBatchId: engine.lastBatchId,
      processingMs: this.#processingMs,
      bufferedBytes: engine.bufferedBytes,
      lagMs: engine.lagMs ?? 0,
    }
  }

  /** Runs until the end; rejects with what ended it. */
  async run(): Promise<void> {
    const { engine, until } = this.#parts
    await this.#catchUp()
    while (this.#ending === undefined) {
      await this.#waitFor(engine.timeOf(engine.lastBatchId + 1))
      if (this.#ending !== undefined) break
      await this.#runBatch()
      if (until === 'caught-up' && engine.caughtUp) this.end({ kind: 'graceful' })
    }
    await this.#finish()
  }

  /** Skips missed times beyond the bound; those within it are run, as in Spark. */
  async #catchUp(): Promise<void> {
    const { engine, settings } = this.#parts
    const due = Math.floor((this.#now() - engine.zeroTime) / settings.batchIntervalMs)
    await engine.skipTo(due - settings.catchUpBatchesMax + 1)
  }

  async #waitFor(time: number): Promise<void> {
    const { clock, engine } = this.#parts
    if (this.#now() >= time) return
    await engine.settle()
    const delayMs = time - this.#now()
    if (delayMs <= 0) return
    await sleep(clock, delayMs, this.#wake.signal).catch(() => undefined)
    if (this.#ending === undefined && this.#now() < time) await this.#waitFor(time)
  }

  async #runBatch(): Promise<void> {
    const { engine, events, clock, settings } = this.#parts
    const batchId = engine.lastBatchId + 1
    const time = engine.timeOf(batchId)
    const schedulingDelayMs = Math.max(0, this.#now() - time)
    const startedAt = clock.monotonicMs()
    let info: object = {}
    const off = events.on('batch-started', ({ kind: _, ...started }) => {
      info = started
    })
    try {
      const logged = await engine.runNext()
      const processingMs = clock.monotonicMs() - startedAt
      this.#batches += 1
      this.#processingMs += processingMs
      const figures = { schedulingDelayMs, processingMs, lagMs: engine.lagMs, logged }
      events.emit({ kind: 'batch-completed', ...(info as InfoOf), ...figures })
    } catch (error) {
      this.#failedBatches += 1
      events.emit({ kind: 'batch-failed', ...(info as InfoOf), error })
      if (settings.onBatchError === 'stop' || codeOf(error) === 'FENCED') throw error
      this.#parts.logger.error({ err: error, batchId }, 'A batch failed and was dropped')
      await engine.skipTo(batchId + 1)
    } finally {
      off()
    }
  }

  /** A graceful end processes what was received, before its time if need be. */
  async #finish(): Promise<void> {
    const { engine } = this.#parts
    if (this.#ending?.kind === 'now') throw this.#ending.error
    await engine.stopReceivers()
    do await this.#runBatch()
    while (engine.bufferedBytes > 0)
    await engine.settle()
  }

  #now(): number {
    const { wallMs, monotonicMs } = this.#startedAt
    return wallMs + (this.#parts.clock.monotonicMs() - monotonicMs)
  }
}

type InfoOf = Omit<Parameters<EventBus['emit']>[0] & { kind: 'batch-started' }, 'kind'>
