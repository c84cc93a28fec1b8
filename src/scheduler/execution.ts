// Who runs the batches of a run and who keeps its receivers: this thread, or workers and an I/O
// thread.

import type { Lease } from '../checkpoint/lease.ts'
import type { BatchLog, Recovered } from '../checkpoint/log.ts'
import { graphShape } from '../dstream/graph-shape.ts'
import { statefulOperators } from '../dstream/operator-ids.ts'
import { StreamingError } from '../errors.ts'
import type { StageCache } from '../plan/stage-cache.ts'
import { BatchGraph } from '../state/batch-graph.ts'
import { entryOperators } from '../state/graph-changes.ts'
import type { Committed, Executor } from '../workers/executor.ts'
import { InlineExecutor } from '../workers/inline-executor.ts'
import { IoHost } from '../workers/io-host.ts'
import { PoolExecutor, type StuckPolicy } from '../workers/pool-executor.ts'
import type { GraphRecipe } from '../workers/protocol.ts'
import { type ContextOf, InlineReceiverHost, type ReceiverHost } from '../workers/receiver-host.ts'
import { ShippingHost } from '../workers/shipping-host.ts'
import { SinkTasks } from '../workers/sink-tasks.ts'
import { VerifyingExecutor } from '../workers/verifying-executor.ts'
import type { WorkerPool } from '../workers/worker-pool.ts'
import type { EngineParts } from './engine.ts'

/** The threads that a run uses. */
export interface Threads {
  readonly pool: WorkerPool
  /** How each thread makes the graph. */
  readonly recipe: GraphRecipe
  /** Where the receivers are: in a thread of their own, or in the driver's. */
  readonly receivers: 'io-thread' | 'driver'
  /** Megabytes of a semi-space of the I/O thread; the pool's threads have their own. */
  readonly semiSpaceMb?: number | undefined
  /** The pool serves other runs after this one. */
  readonly shared: boolean
}

/** What runs the batches of a run, and what feeds it. */
export interface Execution {
  readonly executor: Executor
  readonly receivers: ReceiverHost
}

/** What an execution is opened with, beside the parts of the engine. */
export interface ExecutionStart {
  readonly log: BatchLog | undefined
  /** Handed over to the I/O thread, where there is one. */
  readonly lease: Lease | undefined
  readonly zeroTime: number
  readonly stages: StageCache
  readonly contextOf: ContextOf
  /** Resolves when every batch that ran is committed. */
  readonly settled: () => Promise<void>
}

/** Opens the execution that the parts ask for. It holds nothing yet. */
export async function openExecution(parts: EngineParts, start: ExecutionStart): Promise<Execution> {
  const { threads, verify } = parts
  const opened =
    threads === undefined ? inline(parts, start) : await threaded(parts, threads, start)
  return verify ? { ...opened, executor: new VerifyingExecutor(opened.executor) } : opened
}

function inline(
  { graph, settings, clock, sinks, verify = false }: EngineParts,
  { log, zeroTime, stages, contextOf }: ExecutionStart,
): Execution {
  const batchGraph = new BatchGraph(graph, zeroTime, settings.cacheBytesMax)
  const sources = graph.sources.map(({ source }) => source)
  return {
    executor: new InlineExecutor({
      graph: batchGraph,
      stages,
      clock,
      tasks: new SinkTasks(graph.outputs, sinks),
      logged: log !== undefined || verify,
    }),
    receivers: new InlineReceiverHost(sources, contextOf),
  }
}

async function threaded(
  parts: EngineParts,
  threads: Threads,
  { log, lease, zeroTime, contextOf, settled }: ExecutionStart,
): Promise<Execution> {
  const { pool, recipe, shared } = threads
  const receivers = await receiversOf(parts, threads, contextOf, lease)
  try {
    const cacheBytesMax = Math.ceil(parts.settings.cacheBytesMax / pool.size)
    const { resultBytesMax } = parts.settings
    const fetchAll = parts.verify ?? false
    const shapes = await pool.begin(
      { recipe, zeroTime, cacheBytesMax, resultBytesMax, fetchAll },
      (worker) => receivers.open(worker),
    )
    for (const { shape } of shapes) refuseOther(graphShape(parts.graph), shape, 'the driver')
    for (const { code } of shapes) refuseOther(shapes[0]?.code ?? [], code, 'another worker')
    const executor = new PoolExecutor({
      pool,
      shared,
      operators: entryOperators(parts.graph),
      logged: log !== undefined || parts.verify === true,
      committed: async () => {
        await settled()
        return committed(parts, log)
      },
      resend: (batchId, worker) => receivers.resend(batchId, worker),
      replaced: (worker, error) => parts.events.emit({ kind: 'worker-replaced', worker, error }),
      stuck: stuckPolicy(parts),
      resultBytesMax,
      clock: parts.clock,
    })
    return { executor, receivers }
  } catch (error) {
    await receivers.close()
    throw error
  }
}

async function receiversOf(
  parts: EngineParts,
  { pool, recipe, receivers, semiSpaceMb }: Threads,
  contextOf: ContextOf,
  lease: Lease | undefined,
): Promise<ShippingHost | IoHost> {
  const { graph, pipeline, settings } = parts
  if (receivers === 'driver') {
    const sources = graph.sources.map(({ source }) => source)
    return new ShippingHost(sources, pool.size, contextOf)
  }
  const { logger, fail, signal } = parts
  const { bufferBytesMax } = settings
  const about = {
    recipe,
    pipeline,
    workers: pool.size,
    bufferBytesMax,
    logger,
    fail,
    signal,
    contextOf,
  }
  const beat = lease?.elsewhere
  const host = await IoHost.start({ ...about, beat, semiSpaceMb })
  try {
    if (beat !== undefined) await lease?.handOver()
    return host
  } catch (error) {
    await host.close()
    throw error
  }
}

function stuckPolicy({ settings, events, logger }: EngineParts): StuckPolicy {
  return {
    afterMs: settings.stuckAfterMs,
    cancel: settings.onStuckWorker === 'end',
    report(worker, stack, error) {
      events.emit({ kind: 'worker-stuck', worker, stack })
      const without = error === undefined ? 'it waits for something' : 'its stack cannot be read'
      const where = stack === undefined ? without : `it is at\n${stack}`
      logger.warn({ worker, err: error }, `Worker ${worker} has run one batch for long: ${where}`)
    },
  }
}

/** What a worker that begins anew takes over; undefined where its state is lost. */
async function committed(
  { graph }: EngineParts,
  log: BatchLog | undefined,
): Promise<Committed | undefined> {
  if (log === undefined) {
    const stateless = statefulOperators(graph).length === 0
    return stateless ? { snapshot: [], changes: [] } : undefined
  }
  return committedOf(await log.committed())
}

/** What an executor takes over of what a log has. */
export function committedOf({
  snapshot,
  changes,
}: Pick<Recovered, 'snapshot' | 'changes'>): Committed {
  return { snapshot: snapshot?.files ?? [], changes: changes.map((commit) => commit.changes) }
}

/** Refuses a worker that built another graph. The text of closures is compared between workers
 * only: a test runner may have changed it in the driver, which calls none of them. */
function refuseOther(own: readonly string[], other: readonly string[], whose: string): void {
  const length = Math.max(own.length, other.length)
  for (let i = 0; i < length; i++) {
    if (own[i] === other[i]) continue
    throw new StreamingError(
      'WORKER_DIFFERS',
      `Cannot run on workers: a worker built another graph than ${whose}; its line ${i + 1} is ` +
        `${JSON.stringify(other[i] ?? 'missing')}, and not ` +
        `${JSON.stringify(own[i] ?? 'missing')}; let the build function depend on its args alone`,
    )
  }
}
