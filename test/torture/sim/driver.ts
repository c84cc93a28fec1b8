// A driver process of a simulation: the engine and its scheduler, wired as by start(), with a
// process, a checkpoint and sinks of the simulation.

import type { Sink } from 'millrace'
import { pipeline as described, type Logger } from 'millrace'
import { quietLogger } from 'millrace/testing'
import type { OwnerProbe } from '../../../src/checkpoint/log.ts'
import type { CheckpointStore } from '../../../src/checkpoint/store.ts'
import { StreamGraph } from '../../../src/dstream/graph.ts'
import { codeOf, messageOf } from '../../../src/errors.ts'
import { EventBus, type StreamEvent } from '../../../src/events.ts'
import { sinks } from '../../../src/pipeline-graph.ts'
import { Engine, type EngineParts } from '../../../src/scheduler/engine.ts'
import { settingsOf } from '../../../src/scheduler/options.ts'
import { Scheduler } from '../../../src/scheduler/scheduler.ts'
import { StreamingContext } from '../../../src/streaming-context.ts'
import { INTERVAL_MS, WRITTEN, type WrittenArgs, type WrittenName } from '../written-pipelines.ts'
import type { SimProcess } from './process.ts'

/** What a driver runs. */
export interface DriverParts {
  readonly name: WrittenName
  readonly process: SimProcess
  readonly store: CheckpointStore
  readonly sinkOf: (output: string) => Sink<unknown>
  readonly sourceOf: NonNullable<WrittenArgs['sourceOf']>
  readonly takeover: 'wait' | 'force'
  readonly owner: OwnerProbe
  readonly snapshotEvery: number
}

/** One driver. */
export class SimDriver {
  readonly process: SimProcess
  readonly takeover: 'wait' | 'force'
  readonly #parts: DriverParts
  #state: 'starting' | 'running' | 'ended' = 'starting'
  #scheduler: Scheduler | undefined
  /** 0 before it is known. */
  epoch = 0
  /** Batches that completed. */
  completed = 0
  /** What ended it. */
  error: unknown

  constructor(parts: DriverParts) {
    this.#parts = parts
    this.process = parts.process
    this.takeover = parts.takeover
    this.process.world.after(0, () => void this.#live(), this.process)
  }

  get state(): 'starting' | 'running' | 'ended' | 'dead' {
    return this.process.isDead ? 'dead' : this.#state
  }

  /** True until it dies or ends. */
  get isAlive(): boolean {
    return this.state === 'starting' || this.state === 'running'
  }

  /** Ends it gracefully. */
  stop(): void {
    this.process.tell('is stopped')
    this.#scheduler?.end({ kind: 'graceful' })
  }

  async #live(): Promise<void> {
    const aborted = new AbortController()
    const events = new EventBus(quietLogger, (event) => this.#take(event))
    try {
      const parts = this.#engineParts(events, aborted.signal)
      const engine = await Engine.open(parts)
      this.epoch = engine.epoch
      const { settings, clock, logger, graph } = parts
      this.#scheduler = new Scheduler({ engine, settings, clock, logger, until: 'stopped' })
      this.#state = 'running'
      try {
        await this.#scheduler.run()
      } finally {
        graph.stop()
        aborted.abort()
        await engine.close(this.#scheduler.endAtOnce)
      }
    } catch (error) {
      this.error = error
    }
    aborted.abort()
    this.#state = 'ended'
    const why = this.error === undefined ? '' : `: ${codeOf(this.error) ?? messageOf(this.error)}`
    this.process.tell(`ended${why}`)
  }

  #engineParts(events: EventBus, signal: AbortSignal): EngineParts {
    const { name, process, store, sinkOf, sourceOf, snapshotEvery } = this.#parts
    const graph = new StreamGraph(INTERVAL_MS)
    const position = { batchId: 0 }
    const args = { input: { left: [], right: [] }, position, sinkOf, sourceOf }
    WRITTEN[name].build(new StreamingContext(graph), args)
    graph.start()
    const options = { batchInterval: INTERVAL_MS, checkpoint: store, snapshotEvery }
    return {
      pipeline: name,
      graph,
      settings: settingsOf(name, described(name, options, () => undefined).options),
      store,
      clock: process.clock,
      logger: this.#logger(),
      events,
      sinks,
      takeover: this.takeover,
      owner: this.#parts.owner,
      signal,
      fail: (error) => this.#scheduler?.end({ kind: 'now', error }),
      zeroTime: () => 0,
      probe: (point, batchId) => process.at(`${point} ${batchId}`),
    }
  }

  #logger(): Logger {
    const tell = (_fields: object, text: string) => this.process.tell(`log: ${text}`)
    return { ...quietLogger, warn: tell, error: tell }
  }

  #take(event: StreamEvent): void {
    if (event.kind === 'checkpoint-recovered') {
      const { epoch, lastBatchId, redoBatchIds } = event
      this.epoch = epoch
      this.process.tell(`epoch ${epoch} after ${lastBatchId}, redoes ${redoBatchIds.join()}`)
    }
    if (event.kind === 'pipeline-started') this.epoch = event.epoch
    if (event.kind !== 'batch-completed') return
    this.completed += 1
    this.process.tell(`completed ${event.batchId}, ${event.records} records`)
  }
}
