// Lives of one pipeline on one checkpoint: each with a number of workers of its own, snapshots at
// its own pace, and an end at any point of a batch.

import {
  CollectingSink,
  ManualClock,
  MemoryStore,
  quietLogger,
  scriptedSource,
} from 'millrace/testing'
import type { OwnerProbe } from '../../src/checkpoint/log.ts'
import { EventBus } from '../../src/events.ts'
import { sinks } from '../../src/pipeline-graph.ts'
import type { LifePoint } from '../../src/scheduler/batch-runner.ts'
import { Engine } from '../../src/scheduler/engine.ts'
import { settingsOf } from '../../src/scheduler/options.ts'
import { withPool } from '../../src/testing/idle-pools.ts'
import type { WorkerPool } from '../../src/workers/worker-pool.ts'
import { INTERVAL_MS, keptGraph } from './kept-pipeline.ts'

const BUILDER = new URL('./kept-pipeline.ts', import.meta.url).href

/** One life of the process. */
export interface Life {
  /** 0: inline. */
  readonly workers: number
  /** How many batches it lives to run. */
  readonly batches: number
  /** Who lives. @default this process */
  readonly owner?: OwnerProbe
  /** Where it dies in the last of them; null: it is closed after it. */
  readonly diesAt: LifePoint | null
  readonly snapshotEvery: number
  readonly snapshotBytesPerSecond: number
}

class Death extends Error {}

/** A pipeline, from its first life to its last. */
export class Lives {
  readonly store: MemoryStore
  /** The snapshots that were written. */
  snapshots = 0
  /** The newest batch of a life that was closed. */
  last = 0
  readonly #script: readonly (readonly string[])[]
  readonly #sinks = new Map<string, CollectingSink<unknown>>()
  readonly #clock: ManualClock
  readonly #position = { batchId: 1 }

  constructor(
    script: readonly (readonly string[])[],
    clock = new ManualClock(),
    store = new MemoryStore(),
  ) {
    this.#script = script
    this.#clock = clock
    this.store = store
  }

  /** What each output got, batch by batch. */
  get outputs(): unknown {
    return [...this.#sinks].map(([name, { batches }]) => [name, [...batches.values()]])
  }

  /** What an output got with its newest batch. */
  newest(output: string): unknown[] {
    return [...(this.#sinks.get(output)?.batches.values() ?? [])].at(-1)?.flat(1) ?? []
  }

  async live(life: Life): Promise<void> {
    if (life.workers === 0) await this.#live(life, undefined)
    else await withPool(life.workers, (pool) => this.#live(life, pool))
    this.store.crash()
  }

  async #live(life: Life, pool: WorkerPool | undefined): Promise<void> {
    try {
      let last = Number.POSITIVE_INFINITY
      const engine = await this.#open(life, pool, (batch) => batch >= last)
      last = engine.lastBatchId + life.batches
      while (engine.lastBatchId < last) {
        this.#position.batchId = engine.lastBatchId + 1
        const missingMs = engine.timeOf(engine.lastBatchId + 1) - this.#clock.wallMs()
        if (missingMs > 0) this.#clock.advance(missingMs)
        await engine.runNext()
      }
      this.last = engine.lastBatchId
      await engine.close()
    } catch (error) {
      if (!(error instanceof Death)) throw error
    }
  }

  #open(
    { diesAt, snapshotEvery, snapshotBytesPerSecond, owner }: Life,
    pool: WorkerPool | undefined,
    isLast: (batch: number) => boolean,
  ): Promise<Engine> {
    const source = scriptedSource('lines', this.#script, 2, this.#position)
    const events = new EventBus(quietLogger)
    events.on('snapshot-written', () => {
      this.snapshots += 1
    })
    const options = { batchInterval: INTERVAL_MS, checkpoint: this.store }
    const recipe = { module: BUILDER, input: undefined }
    return Engine.open({
      pipeline: 'kept',
      graph: keptGraph(source, (output) => this.#sinkOf(output)),
      settings: settingsOf('kept', { ...options, snapshotEvery, snapshotBytesPerSecond }),
      store: this.store,
      clock: this.#clock,
      logger: quietLogger,
      events,
      sinks,
      takeover: 'force',
      signal: new AbortController().signal,
      fail: () => undefined,
      zeroTime: () => 0,
      ...(owner === undefined ? {} : { owner }),
      threads: pool && { pool, recipe, receivers: 'driver', shared: true },
      probe: (point, batch) =>
        point === diesAt && isLast(batch) ? Promise.reject(new Death()) : Promise.resolve(),
    })
  }

  #sinkOf(output: string): CollectingSink<unknown> {
    const sink = this.#sinks.get(output) ?? new CollectingSink<unknown>()
    this.#sinks.set(output, sink)
    return sink
  }
}
