// Opens what a run is made of, in the order that makes a restart safe.

import { Batch } from '../batch/batch.ts'
import type { BatchRuntime } from '../batch/batch-base.ts'
import { leaf } from '../batch/node.ts'
import type { Lease } from '../checkpoint/lease.ts'
import type { BatchLog, Recovered } from '../checkpoint/log.ts'
import { steadyTime, unlessAborted } from '../clock.ts'
import { loadAll } from '../dstream/broadcast.ts'
import { checkGraph } from '../dstream/check-graph.ts'
import { StageCache } from '../plan/stage-cache.ts'
import type { Executor } from '../workers/executor.ts'
import { refuseSharedPlaces } from '../workers/output-sinks.ts'
import { actionRuntime, BatchRunner } from './batch-runner.ts'
import type { Engine, EngineParts } from './engine.ts'
import { committedOf, openExecution } from './execution.ts'
import { commitIntervalOf, openLog, planHashOf } from './open-log.ts'
import { nameOf, OutputOperations } from './output-operations.ts'
import { type OpenOutput, openOutput } from './outputs.ts'
import { ReceiverEvents } from './receiver-events.ts'
import { Receivers } from './receivers.ts'
import { Snapshots } from './snapshots.ts'
import { UnderWay } from './under-way.ts'

/** What the engine of a run is made from. */
export interface Opened {
  readonly log: BatchLog | undefined
  readonly lease: Lease | undefined
  readonly recovered: Recovered
  readonly executor: Executor
  /** Undefined without a log. */
  readonly snapshots: Snapshots | undefined
  readonly receivers: Receivers
  readonly outputs: readonly OpenOutput[]
  readonly runner: BatchRunner
  readonly now: () => number
  /** Aborts when the batches under way are given up. */
  readonly givenUp: AbortController
}

/** Where tasks write to a sink, it has one batch at a time: none can wait for another. */
export function underWayOf(parts: EngineParts, { log, outputs }: Opened): UnderWay {
  const isAlone = log === undefined || outputs.some(({ kind }) => kind === 'tasks')
  return new UnderWay(parts.settings, isAlone ? undefined : commitIntervalOf(parts))
}

/** The newest batch that runs before this one planned, committed or skipped; 0: none. */
function newestBatchOf({ lastBatchId, redo }: Pick<Recovered, 'lastBatchId' | 'redo'>): number {
  return Math.max(lastBatchId, redo.at(-1)?.batchId ?? 0)
}

/** The time of the newest batch that a run before this one planned. A wall clock that is behind it
 * was set back: batch times go on all the same, and the next batch is due in one interval. */
function lastTimeOf(
  { settings, clock, logger }: EngineParts,
  { zeroTime, lastBatchId, redo }: Recovered,
): number {
  const lastTime = zeroTime + newestBatchOf({ lastBatchId, redo }) * settings.batchIntervalMs
  const behindMs = lastTime - clock.wallMs()
  if (behindMs > 0) logger.warn({ behindMs }, 'The wall clock is behind the last batch: check it')
  return lastTime
}

/** Says that the code is not that of the run before, and what it runs in its place. */
function tellChange({ logger }: EngineParts, { previousPlanHash, redo }: Recovered, now: string) {
  if (previousPlanHash === undefined || previousPlanHash === now) return
  const redoBatchIds = redo.map(({ batchId }) => batchId)
  logger.info({ redoBatchIds }, 'The pipeline has changed since the checkpoint was written')
}

/** Opens everything, and redoes what the log asks for; `undo` closes again what is open. */
export async function openEngine(
  parts: EngineParts,
  undo: (() => Promise<void>)[],
  make: (opened: Opened) => Engine,
): Promise<Engine> {
  const { graph, settings, events, clock, signal } = parts
  checkGraph(graph, parts.store !== undefined)
  refuseSharedPlaces(graph.outputs, parts.sinks)
  await unlessAborted(loadAll(graph.broadcasts), signal)
  const stages = new StageCache()
  const planHash = planHashOf(graph)
  const { log, lease, recovered } = await openLog(parts, planHash)
  if (log !== undefined) undo.push(() => log.close())
  if (lease !== undefined) undo.push(() => lease.stop())
  tellChange(parts, recovered, planHash)
  signal.throwIfAborted()
  const epoch = log?.epoch ?? 0
  const { zeroTime } = recovered
  const told = new ReceiverEvents(parts)
  const { contextOf } = told
  let engine: Engine | undefined
  const settled = async () => engine?.settle()
  const execution = await openExecution(parts, { log, lease, zeroTime, stages, contextOf, settled })
  const { executor } = execution
  undo.push(() => executor.close())
  undo.push(() => execution.receivers.close())
  signal.throwIfAborted()
  await executor.restore(committedOf(recovered))
  signal.throwIfAborted()
  const runtime = actionRuntime(stages, clock)
  graph.serveSlices(async (node, from, to) => {
    const batches = await executor.slice(node.id, from, to)
    return batches.map((parts) => new Batch(leaf(parts.map((part) => [part])), runtime))
  })
  const outputs = await openOutputs(parts, { log, recovered, runtime, undo })
  const receivers = new Receivers(parts, execution.receivers, told)
  undo.push(() => receivers.stop())
  await receivers.start(log, recovered)
  const givenUp = new AbortController()
  const now = steadyTime(clock, lastTimeOf(parts, recovered))
  const runner = new BatchRunner({
    pipeline: parts.pipeline,
    planHash,
    epoch,
    graph,
    executor,
    log,
    outputs: new OutputOperations({
      outputs: graph.outputs,
      opened: outputs,
      inTasks: (write) => executor.write(write),
      events,
      now,
      givenUp: givenUp.signal,
    }),
    events,
    attemptsMax: settings.batchAttemptsMax,
    probe: parts.probe,
    givenUp: givenUp.signal,
  })
  const snapshots = snapshotsOf(parts, log, executor)
  if (snapshots !== undefined) undo.push(() => snapshots.close())
  const held = { log, lease, executor, snapshots, receivers, outputs }
  engine = make({ ...held, recovered, runner, now, givenUp })
  events.emit({ kind: 'pipeline-started', epoch, zeroTime: recovered.zeroTime })
  if (!recovered.fresh) {
    events.emit({
      kind: 'checkpoint-recovered',
      epoch,
      lastBatchId: recovered.lastBatchId,
      redoBatchIds: recovered.redo.map((plan) => plan.batchId),
      cutBytes: recovered.cutBytes,
    })
  }
  await engine.redo(recovered.redo)
  engine.begin()
  return engine
}

function snapshotsOf(
  { events, clock, fail, settings }: EngineParts,
  log: BatchLog | undefined,
  executor: Executor,
): Snapshots | undefined {
  if (log === undefined) return undefined
  const rate = settings.snapshotBytesPerSecond
  return new Snapshots({ log, executor, events, clock, fail, rate })
}

interface OutputsStart {
  readonly log: BatchLog | undefined
  readonly recovered: Recovered
  readonly runtime: BatchRuntime
  readonly undo: (() => Promise<void>)[]
}

/** Opens the driver's side of each output, and tells it what is to be redone. */
async function openOutputs(
  parts: EngineParts,
  { log, recovered, runtime, undo }: OutputsStart,
): Promise<OpenOutput[]> {
  const { graph, events, pipeline, logger, sinks, signal } = parts
  const epoch = log?.epoch ?? 0
  const newestBatchId = newestBatchOf(recovered)
  const outputs: OpenOutput[] = []
  for (const [outputId, output] of graph.outputs.entries()) {
    const name = nameOf(output)
    const retried = (error: unknown) =>
      events.emit({ kind: 'sink-retried', outputId, name, retries: 1, error })
    const context = { pipeline, outputId, epoch, newestBatchId, logger, retried }
    const opened = await openOutput(output, context, sinks, runtime).catch(
      async (error: unknown) => {
        // What is in the way may be the successor's: then this start was taken over.
        await log?.sync()
        throw error
      },
    )
    undo.push(() => opened.writer.close())
    await opened.writer.recover(recovered.redo.map((plan) => plan.batchId))
    outputs.push(opened)
    signal.throwIfAborted()
  }
  return outputs
}
