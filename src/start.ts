// The one place where the parts are wired: a described pipeline becomes a run.

import { pino } from 'pino'
import { LocalStore } from './checkpoint/local-store.ts'
import { isS3Url, optionsOfUrl } from './checkpoint/s3-options.ts'
import { S3Store } from './checkpoint/s3-store.ts'
import type { CheckpointStore } from './checkpoint/store.ts'
import { type Clock, systemClock } from './clock.ts'
import { warnOfLevels } from './dstream/check-graph.ts'
import { StreamGraph } from './dstream/graph.ts'
import { ConfigError } from './errors.ts'
import { EventBus } from './events.ts'
import { findPipeline } from './import-pipeline.ts'
import type { Pipeline } from './pipeline.ts'
import { type PipelineInput, sinks } from './pipeline-graph.ts'
import { type Run, RunningPipeline } from './run.ts'
import { Engine, type EngineParts } from './scheduler/engine.ts'
import type { Threads } from './scheduler/execution.ts'
import { Health } from './scheduler/health.ts'
import { type PipelineOptions, type Settings, settingsOf } from './scheduler/options.ts'
import { Progress } from './scheduler/progress.ts'
import { Scheduler } from './scheduler/scheduler.ts'
import {
  type StartModuleOptions,
  type StartOptions,
  type StartSettings,
  startSettings,
} from './start-options.ts'
import { type StopSettings, stopOn } from './stop-on.ts'
import { StoppableStart } from './stoppable-start.ts'
import { StreamingContext } from './streaming-context.ts'
import { WorkerPool } from './workers/worker-pool.ts'

/** Places that a run of this process holds. */
const inUse = new Set<string>()

/** Starts a pipeline: an object inline, in this thread, or the module that exports one.
 *
 * Resolves once the sources have answered and what an earlier run had planned and not committed is
 * redone. Rejects with ConfigError or StreamingError: the message says what to check, the code is
 * in docs/errors.md; START_STOPPED if it is told to stop before.
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
  const starting = new StoppableStart(pipeline, stop, aborted)
  const verify = options.verify ?? false
  const parts: EngineParts = { ...wired, fail, zeroTime, threads, verify }
  const engine = await Engine.open(parts).catch(async (error: unknown) => {
    const why = starting.whyOf(error)
    starting.ended()
    off()
    graph.stop()
    aborted.abort()
    events.close()
    await threads?.pool.close()
    throw why
  })
  starting.ended()
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
