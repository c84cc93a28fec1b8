// The one place where the parts are wired: a described pipeline becomes a run.

import { pino } from 'pino'
import { LocalStore } from './checkpoint/local-store.ts'
import { isS3Url, optionsOfUrl } from './checkpoint/s3-options.ts'
import { S3Store } from './checkpoint/s3-store.ts'
import type { CheckpointStore } from './checkpoint/store.ts'
import { type Clock, systemClock } from './clock.ts'
import { warnOfLevels } from './dstream/check-graph.ts'
import { StreamGraph } from './dstream/graph.ts'
import { ConfigError, StreamingError } from './errors.ts'
import { EventBus, type EventOf, type Logger, type StreamEvent } from './events.ts'
import { findPipeline } from './import-pipeline.ts'
import type { Pipeline } from './pipeline.ts'
import { type PipelineInput, sinks } from './pipeline-graph.ts'
import { Engine, type EngineParts } from './scheduler/engine.ts'
import type { Threads } from './scheduler/execution.ts'
import { Health } from './scheduler/health.ts'
import { type Metrics, metricsOf } from './scheduler/metrics.ts'
import { type PipelineOptions, type Settings, settingsOf } from './scheduler/options.ts'
import { type CompletedBatch, Progress } from './scheduler/progress.ts'
import { Scheduler } from './scheduler/scheduler.ts'
import {
  type StartModuleOptions,
  type StartOptions,
  type StartSettings,
  startSettings,
} from './start-options.ts'
import { type StopSettings, stopOn } from './stop-on.ts'
import { StreamingContext } from './streaming-context.ts'
import { currentTally } from './task-scope.ts'
import { WorkerPool } from './workers/worker-pool.ts'

/** A running pipeline. */
export interface Run extends AsyncDisposable {
  /** Resolves when the run has ended as asked; rejects with the error that ended it. */
  readonly done: Promise<void>
  /** Everything that happens, from now on; a reader that falls 1,000 events behind loses the
   * oldest. */
  readonly events: AsyncIterable<StreamEvent>
  /** Calls `listener` for each event of a kind; gives the function that takes it off. An error in
   * a listener is logged and stops nothing; after the end of the run none is called. */
  on<K extends StreamEvent['kind']>(kind: K, listener: (event: EventOf<K>) => void): () => void
  /** Ends the run; by default gracefully: what was received is processed and committed. Settles as
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

/** Places that a run of this process holds. */
const inUse = new Set<string>()

/** Starts a pipeline: an object inline, in this thread, or the module that exports one.
 *
 * Resolves once the sources have answered and what an earlier run had planned and not committed is
 * redone. Rejects with ConfigError or StreamingError: the message says what to check, the code is
 * in docs/errors.md.
 *
 * @example
 * ```ts
 * const seen: number[] = []
 * const once = pipeline('once', { batchInterval: 10, checkpoint: false }, (ssc, add: number) => {
 *   ssc.queue([[1]]).map((n) => n + add).foreachBatch(async (batch) => {
 *     seen.push(...(await batch.collect()))
 *   })
 * })
 * await (await start(once, { args: 41, until: 'caught-up' })).done
 * assert.deepEqual(seen, [42])
 * ```
 */
export function start<A>(what: Pipeline<A>, options?: StartOptions<A>): Promise<Run>
export function start<A>(module: URL, options?: StartModuleOptions<A>): Promise<Run>
export async function start<A>(
  what: Pipeline<A> | URL,
  options: StartModuleOptions<A> = {},
): Promise<Run> {
  const asked = startSettings(what, options)
  const imported =
    what instanceof URL ? await findPipeline<A>(what, options.export ?? 'default') : undefined
  const described = imported?.pipeline ?? (what as Pipeline<A>)
  const merged: PipelineOptions = { ...described.options, ...options.overrides }
  const settings = settingsOf(described.name, merged)
  const graph = new StreamGraph(settings.batchIntervalMs)
  refusePromise(described, described.build(new StreamingContext(graph), options.args as A))
  graph.start()
  const store = storeOf(merged.checkpoint)
  return withStore(store, () => {
    const url = imported?.url.href
    const threads =
      url === undefined || asked.workers === 0
        ? undefined
        : threadsOf(asked.workers, url, settings, options)
    return open(described.name, { graph, settings, store, options, asked, threads })
  })
}

function threadsOf<A>(
  workers: number,
  url: string,
  { batchIntervalMs }: Settings,
  options: StartModuleOptions<A>,
): Threads {
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const { args, export: name = 'default', semiSpaceMb } = options
  const input: PipelineInput = { url, export: name, args, batchIntervalMs }
  return {
    pool: WorkerPool.start(workers, semiSpaceMb),
    recipe: { module: new URL(`./pipeline-graph.${ending}`, import.meta.url).href, input },
    receivers: (options.ioThread ?? options.clock === undefined) ? 'io-thread' : 'driver',
    semiSpaceMb,
    shared: false,
  }
}

/** A build function that goes on after it returned would add to a graph that already runs. */
function refusePromise({ name }: { readonly name: string }, result: unknown): void {
  if (!(result instanceof Promise)) return
  result.catch(() => undefined)
  throw new ConfigError(
    `Cannot start pipeline "${name}": its build function is async; build the graph ` +
      `synchronously, and load what it needs before, or by broadcast()`,
  )
}

/** Keeps the store to one run of this process while `use` opens it; the run releases it. */
async function withStore(
  store: CheckpointStore | undefined,
  use: () => Promise<Run>,
): Promise<Run> {
  if (store === undefined) return use()
  const { location } = store
  if (inUse.has(location)) {
    throw new ConfigError(
      `Cannot start on checkpoint "${location}": a run of this process holds it; stop that run ` +
        `first, or give this pipeline a checkpoint of its own`,
      { code: 'CHECKPOINT_IN_USE' },
    )
  }
  inUse.add(location)
  const release = (): void => void inUse.delete(location)
  try {
    const run = await use()
    run.done.then(release, release)
    return run
  } catch (error) {
    release()
    throw error
  }
}

function storeOf(checkpoint: PipelineOptions['checkpoint']): CheckpointStore | undefined {
  if (checkpoint === false) return undefined
  if (typeof checkpoint !== 'string') return checkpoint
  return isS3Url(checkpoint) ? new S3Store(optionsOfUrl(checkpoint)) : new LocalStore(checkpoint)
}

interface Described<A> {
  readonly graph: StreamGraph
  readonly settings: Settings
  readonly store: CheckpointStore | undefined
  readonly options: StartOptions<A>
  readonly asked: StartSettings
  readonly threads: Threads | undefined
}

async function open<A>(
  pipeline: string,
  { graph, settings, store, options, asked, threads }: Described<A>,
): Promise<Run> {
  const clock = options.clock ?? systemClock
  const logger = options.logger ?? pino({ level: 'warn' }, pino.destination({ fd: 2, sync: true }))
  warnOfLevels(graph, logger)
  const events = new EventBus(logger, options.onEvent)
  const progress = new Progress(events)
  const aborted = new AbortController()
  let failed: { readonly error: unknown } | undefined
  let scheduler: Scheduler | undefined
  const fail = (error: unknown): void => {
    failed ??= { error }
    scheduler?.end({ kind: 'now', error })
  }
  const { batchIntervalMs } = settings
  const zeroTime = () => Math.floor(clock.wallMs() / batchIntervalMs) * batchIntervalMs
  const { takeover, until } = asked
  const { signal } = aborted
  const wired = { pipeline, graph, settings, store, clock, logger, events, sinks, takeover, signal }
  const { stop, off } = stopping(options.signal, asked.stop, clock, () => fail(undefined))
  const parts: EngineParts = {
    ...wired,
    startSignal: stop,
    fail,
    zeroTime,
    threads,
    verify: options.verify ?? false,
  }
  const engine = await Engine.open(parts).catch(async (error: unknown) => {
    off()
    graph.stop()
    aborted.abort()
    events.close()
    await threads?.pool.close()
    throw error
  })
  scheduler = new Scheduler({ engine, settings, clock, logger, until })
  if (failed !== undefined) scheduler.end({ kind: 'now', error: failed.error })
  const { stuckAfterMs } = settings
  const health = new Health({ engine, scheduler, stuckAfterMs })
  const run = { engine, scheduler, progress, graph, events, logger, aborted, health }
  return new RunningPipeline({ ...run, signal: stop, ended: off })
}

/** One signal for all that asks a run to stop; `off` ends listening to those of the system. */
function stopping(
  signal: AbortSignal | undefined,
  stop: StopSettings,
  clock: Clock,
  atOnce: () => void,
): { readonly stop: AbortSignal; readonly off: () => void } {
  const told = new AbortController()
  const off = stopOn({ ...stop, clock, gracefully: () => told.abort(), atOnce })
  return { stop: signal === undefined ? told.signal : AbortSignal.any([signal, told.signal]), off }
}

interface RunParts {
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

class RunningPipeline implements Run {
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
    const { engine, scheduler, graph, events, aborted, signal } = this.#parts
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
      await engine.close()
    } catch (thrown) {
      error ??= thrown
    }
    this.#parts.health.ended(error)
    this.#parts.ended()
    events.emit({ kind: 'pipeline-stopped', error })
    events.close()
    if (error !== undefined) throw error
  }
}
