// A run in the hands of its user.

import type { StreamGraph } from './dstream/graph.ts'
import { StreamingError } from './errors.ts'
import type { EventBus, EventOf, Logger, StreamEvent } from './events.ts'
import type { Engine } from './scheduler/engine.ts'
import type { Health } from './scheduler/health.ts'
import { type Metrics, metricsOf } from './scheduler/metrics.ts'
import type { CompletedBatch, Progress } from './scheduler/progress.ts'
import type { Scheduler } from './scheduler/scheduler.ts'
import { currentTally } from './task-scope.ts'

/** A running pipeline. */
export interface Run extends AsyncDisposable {
  /** Resolves when the run has ended as asked; rejects with the error that ended it, which is
   * logged too. */
  readonly done: Promise<void>
  /** Everything that happens, from now on; a reader that falls 1,000 events behind loses the
   * oldest. */
  readonly events: AsyncIterable<StreamEvent>
  /** Calls `listener` for each event of a kind; gives the function that takes it off. An error in
   * a listener is logged and stops nothing; after the end of the run none is called. */
  on<K extends StreamEvent['kind']>(kind: K, listener: (event: EventOf<K>) => void): () => void
  /** Ends the run; by default gracefully: what was received is processed and committed. Otherwise
   * at once: a batch under way has a second to end, and is left to the next start then. Settles as
   * `done` does, and may be called again. Rejects with STOP_NOT_ALLOWED, and stops nothing, in an
   * event listener and in a closure or output operation of this run: it would wait for its own
   * caller. Abort the `signal` of `start()` there. */
  stop(options?: { readonly graceful?: boolean }): Promise<void>
  /** True while the run takes in and processes: until it is to stop, fails or ends. For a probe
   * that keeps traffic away. */
  ready(): boolean
  /** False once an error has ended the run, or if no batch has ended for `stuckAfter` although
   * one was due. For a probe that restarts the process. */
  healthy(): boolean
  /** Counters and gauges, accumulators among them. */
  metrics(): Metrics
  /** The newest completed batches, oldest first, at most 1,000. */
  completedBatches(): readonly CompletedBatch[]
}

/** What a run is made of. */
export interface RunParts {
  readonly engine: Engine
  readonly scheduler: Scheduler
  readonly progress: Progress
  readonly graph: StreamGraph
  readonly events: EventBus
  readonly logger: Logger
  readonly aborted: AbortController
  readonly health: Health
  /** Stops the run gracefully. */
  readonly signal: AbortSignal
  /** Called at the end. */
  readonly ended: () => void
}

/** A pipeline that runs, from its start to its end. */
export class RunningPipeline implements Run {
  readonly done: Promise<void>
  readonly events: AsyncIterable<StreamEvent>
  readonly #parts: RunParts
  readonly #onAbort = (): void => this.#parts.scheduler.end({ kind: 'graceful' })

  constructor(parts: RunParts) {
    this.#parts = parts
    this.events = parts.events
    this.done = this.#run()
    this.done.catch(() => undefined)
    if (parts.signal.aborted) this.#onAbort()
    parts.signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  on<K extends StreamEvent['kind']>(kind: K, listener: (event: EventOf<K>) => void): () => void {
    return this.#parts.events.on(kind, listener)
  }

  stop(options: { readonly graceful?: boolean } = {}): Promise<void> {
    const refusal = this.#refusalOfStop()
    if (refusal !== undefined) return this.#rejected(refusal)
    const graceful = options.graceful ?? true
    this.#parts.scheduler.end(graceful ? { kind: 'graceful' } : { kind: 'now', error: undefined })
    return this.done
  }

  ready(): boolean {
    return this.#parts.health.ready
  }

  healthy(): boolean {
    return this.#parts.health.healthy
  }

  metrics(): Metrics {
    return metricsOf(this.#parts)
  }

  completedBatches(): readonly CompletedBatch[] {
    return this.#parts.progress.completedBatches
  }

  /** Why what the run waits for may not wait for the run. */
  #refusalOfStop(): StreamingError | undefined {
    const { events, graph } = this.#parts
    const inListener = events.delivering
    if (!inListener && currentTally(graph) === undefined) return undefined
    const caller = inListener ? 'an event listener' : 'a closure or output operation of the run'
    return new StreamingError(
      'STOP_NOT_ALLOWED',
      `Cannot stop a run within ${caller}: stop() would wait for its own caller; abort the ` +
        `signal given to start(), or call stop() after the caller has returned`,
    )
  }

  /** A rejection that is told even if nobody waits for it, and does not end the process then. */
  #rejected(refusal: StreamingError): Promise<never> {
    this.#parts.logger.error({ err: refusal }, refusal.message)
    const rejected = Promise.reject<never>(refusal)
    rejected.catch(() => undefined)
    return rejected
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #run(): Promise<void> {
    const { engine, scheduler, graph, events, logger, aborted, signal } = this.#parts
    let error: unknown
    try {
      await scheduler.run()
    } catch (thrown) {
      error = thrown
    }
    graph.stop()
    signal.removeEventListener('abort', this.#onAbort)
    aborted.abort()
    try {
      await engine.close(scheduler.endAtOnce)
    } catch (thrown) {
      if (error === undefined) error = thrown
      else logger.warn({ err: thrown }, 'Cannot close what a run that failed had opened')
    }
    this.#parts.health.ended(error)
    this.#parts.ended()
    events.emit({ kind: 'pipeline-stopped', error })
    events.close()
    if (error === undefined) return
    // Whoever only awaited start() would never hear of it.
    logger.error({ err: error }, 'The pipeline has ended with an error')
    throw error
  }
}
