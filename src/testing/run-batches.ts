// A pipeline on written input, with no real time, and with deaths where a test wants them.

import type { DStream } from '../dstream/dstream.ts'
import { StreamGraph } from '../dstream/graph.ts'
import type { Duration } from '../duration.ts'
import { ConfigError, codeOf } from '../errors.ts'
import { EventBus } from '../events.ts'
import { sinks } from '../pipeline-graph.ts'
import type { LifePoint } from '../scheduler/batch-runner.ts'
import { Engine } from '../scheduler/engine.ts'
import type { Threads } from '../scheduler/execution.ts'
import { type Settings, settingsOf } from '../scheduler/options.ts'
import { StreamingContext } from '../streaming-context.ts'
import type { GraphRecipe } from '../workers/protocol.ts'
import { type BatchesInput, type BuildModule, importBuild } from './batches-graph.ts'
import { CollectingSink } from './collecting-sink.ts'
import { withPool } from './idle-pools.ts'
import { ManualClock } from './manual-clock.ts'
import { MemoryStore } from './memory-store.ts'
import { quietLogger } from './quiet-logger.ts'
import { scriptedSource } from './scripted-source.ts'

/** A batch after which, and a point at which, the process dies. */
export type Death = number | { readonly batch: number; readonly at: LifePoint }

/** What `runBatches` runs. */
export interface RunBatchesOptions {
  /** One array of batches for each stream; null: no batch from it; past its end: empty batches. */
  readonly inputs: readonly (readonly (readonly unknown[] | null)[])[]
  /** How many batches to run. */
  readonly batches: number
  /** @default '1s' */
  readonly batchInterval?: Duration
  /** Partitions of each input batch. @default 2 */
  readonly partitions?: number
  /** Worker threads; above 0, `build` is a module, which each of them imports. @default 0 */
  readonly workers?: number
  /** Where the process dies and recovers from the checkpoint; a bare number: sinks written,
   * commit not. */
  readonly restartAfter?: readonly Death[]
  /** Commits between two snapshots of state. @default 3 */
  readonly snapshotEvery?: number
  /** Cuts each partition into blocks at places that this seed picks, and into others when a batch
   * is read again. @default one block for each partition */
  readonly blockSeed?: number
  /** Handed to the export of a module, after the context. */
  readonly args?: unknown
}

// biome-ignore lint/suspicious/noExplicitAny: the streams of a test have the types it says
type AnyStream = DStream<any>
type Build = (ssc: StreamingContext, ...streams: AnyStream[]) => AnyStream

class DeathOfProcess extends Error {}

/** Runs a pipeline on a manual clock: zero time is 0, the first batch at 1 × interval. A batch of
 * n records over p partitions is cut at floor(i·n/p).
 *
 * Gives one entry for each batch time: the records in partition order; undefined where the stream
 * has none at that time (off its slide). Rejects with the pipeline's error, which carries
 * `outputs`: the batches before it.
 *
 * @example
 * ```ts
 * const outputs = await runBatches(
 *   { inputs: [[['a'], ['a', 'b']]], batches: 3, restartAfter: [2] },
 *   (_ssc, words) => words.map((word: string) => [word, 1] as const)
 *     .reduceByKeyAndWindow((a, b) => a + b, '2s', '1s', { partitions: 1 }),
 * )
 * assert.deepEqual(outputs, [[['a', 1]], [['a', 2], ['b', 1]], [['a', 1], ['b', 1]]])
 * ```
 */
export async function runBatches(
  options: RunBatchesOptions,
  build: Build | BuildModule,
): Promise<(unknown[] | undefined)[]> {
  const settings = settingsOf('runBatches', {
    batchInterval: options.batchInterval ?? '1s',
    checkpoint: new MemoryStore(),
    snapshotEvery: options.snapshotEvery ?? 3,
  })
  const { workers = 0 } = options
  const inline = await buildOf(build, options.args)
  if (workers === 0) return new BatchesRun(options, settings, inline, undefined).run()
  if (typeof build === 'function') {
    throw new ConfigError(
      `Cannot run batches on ${workers} workers with a function: each worker imports the ` +
        `pipeline; ` +
        `give { module: new URL('./my-pipeline.ts', import.meta.url) }`,
    )
  }
  const recipe = recipeOf(build, options, settings)
  return withPool(workers, (pool) => {
    const threads = { pool, recipe, receivers: 'driver', shared: true } as const
    return new BatchesRun(options, settings, inline, threads).run()
  })
}

function recipeOf(
  { module, export: name = 'default' }: BuildModule,
  { inputs, args }: RunBatchesOptions,
  { batchIntervalMs }: Settings,
): GraphRecipe {
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const builder = new URL(`./batches-graph.${ending}`, import.meta.url).href
  const of = { module: module.href, export: name, args, batchIntervalMs, inputs: inputs.length }
  return { module: builder, input: of satisfies BatchesInput }
}

async function buildOf(build: Build | BuildModule, args: unknown): Promise<Build> {
  if (typeof build === 'function') return build
  const made = await importBuild(build.module.href, build.export ?? 'default')
  return (ssc, ...streams) => made(ssc, args, ...streams)
}

class BatchesRun {
  readonly #options: RunBatchesOptions
  readonly #settings: Settings
  readonly #build: Build
  readonly #threads: Threads | undefined
  readonly #store = new MemoryStore()
  readonly #sink = new CollectingSink<unknown>()
  readonly #clock = new ManualClock()
  readonly #position = { batchId: 1 }
  readonly #deaths: { batch: number; at: LifePoint }[]

  constructor(
    options: RunBatchesOptions,
    settings: Settings,
    build: Build,
    threads: Threads | undefined,
  ) {
    this.#threads = threads
    this.#options = options
    this.#settings = settings
    this.#build = build
    this.#deaths = (options.restartAfter ?? []).map((death) =>
      typeof death === 'number' ? { batch: death, at: 'sinks' } : { ...death },
    )
  }

  async run(): Promise<(unknown[] | undefined)[]> {
    try {
      while (!(await this.#live())) this.#store.crash()
    } catch (error) {
      throw withOutputs(error, this.#outputs(this.#position.batchId - 1))
    }
    return this.#outputs(this.#options.batches)
  }

  /** One life of the process: true if it ran all batches, false if it died. */
  async #live(): Promise<boolean> {
    let engine: Engine | undefined
    try {
      engine = await this.#open()
      while (engine.lastBatchId < this.#options.batches) {
        this.#position.batchId = engine.lastBatchId + 1
        this.#clock.advance(engine.timeOf(engine.lastBatchId + 1) - this.#clock.wallMs())
        await engine.runNext()
      }
      await engine.close()
      return true
    } catch (error) {
      if (error instanceof DeathOfProcess) return false
      throw error
    }
  }

  #open(): Promise<Engine> {
    const graph = new StreamGraph(this.#settings.batchIntervalMs)
    const ssc = new StreamingContext(graph)
    const { inputs, partitions = 2, blockSeed } = this.#options
    const blocks = blockSeed === undefined ? {} : { blockSeed }
    const streams = inputs.map((script, i) =>
      ssc.receive(scriptedSource(`input-${i}`, script, partitions, this.#position, blocks)),
    )
    this.#build(ssc, ...streams).writeTo(this.#sink)
    graph.start()
    const events = new EventBus(quietLogger)
    return Engine.open({
      pipeline: 'runBatches',
      graph,
      settings: this.#settings,
      store: this.#store,
      clock: this.#clock,
      logger: quietLogger,
      events,
      sinks,
      takeover: 'force',
      signal: new AbortController().signal,
      fail: () => undefined,
      zeroTime: () => 0,
      threads: this.#threads,
      probe: (point, batchId) => this.#probe(point, batchId),
    })
  }

  #probe(at: LifePoint, batch: number): Promise<void> {
    const index = this.#deaths.findIndex((death) => death.batch === batch && death.at === at)
    if (index < 0) return Promise.resolve()
    this.#deaths.splice(index, 1)
    return Promise.reject(new DeathOfProcess())
  }

  #outputs(batches: number): (unknown[] | undefined)[] {
    return Array.from({ length: batches }, (_, i) => this.#sink.batches.get(i + 1)?.flat(1))
  }
}

function withOutputs(error: unknown, outputs: (unknown[] | undefined)[]): unknown {
  const carrier = error instanceof Error ? error : new Error(codeOf(error) ?? String(error))
  return Object.assign(carrier, { outputs })
}
