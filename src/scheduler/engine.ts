// One run of one pipeline: opens the log, the state, the sinks and the receivers in the order that
// makes a restart safe, redoes what was planned and not committed, and then runs batches as it is
// told.

import { Batch } from '../batch/batch.ts'
import { leaf } from '../batch/node.ts'
import { BatchLog, type OwnerProbe, type Recovered } from '../checkpoint/log.ts'
import type { CheckpointStore } from '../checkpoint/store.ts'
import { steadyTime } from '../clock.ts'
import { loadAll } from '../dstream/broadcast.ts'
import { checkGraph } from '../dstream/check-graph.ts'
import type { StreamGraph } from '../dstream/graph.ts'
import { reachable } from '../dstream/graph.ts'
import { statefulOperators } from '../dstream/operator-ids.ts'
import { checkpointEvery } from '../dstream/retention.ts'
import { StageCache } from '../plan/stage-cache.ts'
import type { SinkWriter } from '../sinks/sink.ts'
import { BatchGraph } from '../state/batch-graph.ts'
import { Tally } from '../task-scope.ts'
import { BatchReport } from './batch-report.ts'
import {
  actionRuntime,
  type BatchRequest,
  BatchRunner,
  checkReplay,
  hashText,
  type LifeProbe,
} from './batch-runner.ts'
import { OutputOperations } from './output-operations.ts'
import { type OwnSinks, openOutput } from './outputs.ts'
import { Receivers, type ReceiversParts, type SourceCuts } from './receivers.ts'

/** What a run is made of. */
export interface EngineParts extends ReceiversParts {
  readonly store: CheckpointStore | undefined
  readonly sinks: OwnSinks
  readonly takeover: 'wait' | 'force' | 'refuse'
  /** Zero time of a fresh pipeline, epoch milliseconds. */
  readonly zeroTime: () => number
  readonly probe?: LifeProbe
  readonly owner?: OwnerProbe
}

interface Opened {
  readonly log: BatchLog | undefined
  readonly recovered: Recovered
  readonly graph: BatchGraph
  readonly receivers: Receivers
  readonly writers: readonly SinkWriter<unknown>[]
  readonly runner: BatchRunner
  readonly now: () => number
}

/** A run that is open: it has redone what the log asked for, and runs batches as it is told. */
export class Engine {
  readonly zeroTime: number
  readonly epoch: number
  /** Epoch milliseconds that never go back. */
  readonly now: () => number
  #lastBatchId: number
  #openedAt: number
  #unsynced = false
  readonly #accumulators = new Tally()
  readonly #parts: EngineParts
  readonly #log: BatchLog | undefined
  readonly #graph: BatchGraph
  readonly #receivers: Receivers
  readonly #writers: readonly SinkWriter<unknown>[]
  readonly #runner: BatchRunner

  private constructor(parts: EngineParts, opened: Opened) {
    this.#parts = parts
    this.#log = opened.log
    this.#graph = opened.graph
    this.#receivers = opened.receivers
    this.#writers = opened.writers
    this.#runner = opened.runner
    this.zeroTime = opened.recovered.zeroTime
    this.epoch = opened.log?.epoch ?? 0
    this.#lastBatchId = opened.recovered.lastBatchId
    this.now = opened.now
    this.#openedAt = opened.now()
    for (const { name } of parts.graph.accumulators) {
      this.#accumulators.add(name, opened.recovered.accumulators.get(name) ?? 0)
    }
  }

  /** Opens everything and redoes what the log asks for; reading begins when it returns. */
  static async open(parts: EngineParts): Promise<Engine> {
    const undo: (() => Promise<void>)[] = []
    try {
      return await openEngine(parts, undo, (opened) => new Engine(parts, opened))
    } catch (error) {
      for (const close of undo.reverse()) {
        await close().catch((err: unknown) => {
          parts.logger.warn({ err }, 'Cannot close what a failed start had opened')
        })
      }
      throw error
    }
  }

  /** The id of the newest batch that was run or skipped. */
  get lastBatchId(): number {
    return this.#lastBatchId
  }

  /** The time of a batch. */
  timeOf(batchId: number): number {
    return this.zeroTime + batchId * this.#parts.settings.batchIntervalMs
  }

  /** True if every receiver has what had arrived before the start, and nothing waits. */
  get caughtUp(): boolean {
    return this.#receivers.caughtUp
  }

  /** Bytes that wait in the receivers. */
  get bufferedBytes(): number {
    return this.#receivers.bufferedBytes
  }

  /** The largest lag of the receivers that know theirs. */
  get lagMs(): number | undefined {
    return this.#receivers.lagMs
  }

  /** The total of each accumulator. */
  get accumulators(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#accumulators.entries())
  }

  /** Cuts and runs the next batch; `unhurried` where none follows that it could make late. */
  async runNext(unhurried = false): Promise<void> {
    const batchId = this.#lastBatchId + 1
    const late = this.now() >= this.timeOf(batchId + 1)
    const arrived = late ? { arrivedBy: this.#wallTimeOf(batchId) } : {}
    await this.#run(batchId, await this.#receivers.cut({ unhurried, ...arrived }), false)
  }

  /** A batch's time as the wall clock shows it now; it may have been set since the start. */
  #wallTimeOf(batchId: number): number {
    return this.timeOf(batchId) + (this.#parts.clock.wallMs() - this.now())
  }

  /** Runs again what an earlier run planned and did not commit. */
  async redo(plans: Recovered['redo']): Promise<void> {
    for (const plan of plans) {
      await this.#run(plan.batchId, await this.#receivers.replay(plan, checkReplay), true)
    }
  }

  /** Begins to read. */
  begin(): void {
    this.#receivers.run()
    this.#openedAt = this.now()
  }

  /** Skips to the batch before `batchId`: windows and timeouts advance, nothing runs. */
  async skipTo(batchId: number): Promise<void> {
    const from = this.#lastBatchId + 1
    if (batchId <= from) return
    await this.#log?.skip(from, batchId - 1)
    this.#parts.events.emit({ kind: 'batches-skipped', from, to: batchId - 1 })
    this.#lastBatchId = batchId - 1
  }

  /** Makes the last commit durable; called when no batch is due. */
  async settle(): Promise<void> {
    if (!this.#unsynced) return
    this.#unsynced = false
    await this.#log?.sync()
  }

  /** Stops reading; what was received waits in the buffers. */
  stopReceivers(): Promise<void> {
    return this.#receivers.stop()
  }

  /** Closes everything, and releases the checkpoint: the next start does not wait for this run. */
  async close(): Promise<void> {
    await this.stopReceivers()
    for (const writer of this.#writers) await writer.close()
    await this.#log?.close()
  }

  async #run(batchId: number, cuts: SourceCuts, redo: boolean): Promise<void> {
    const request = { batchId, time: this.timeOf(batchId), cuts, redo }
    const report = this.#report(request)
    report.started()
    const { logged, tally } = await this.#runner.run(request, report.info).catch((error) => {
      report.failed(error)
      throw error
    })
    this.#lastBatchId = batchId
    this.#unsynced ||= logged
    this.#accumulators.merge(tally)
    const accumulators = Object.fromEntries(tally.entries())
    const ended = report.completed({ logged, lagMs: this.lagMs, accumulators })
    this.#receivers.batchCompleted(ended)
    await this.#snapshotIfDue()
  }

  #report({ batchId, time, cuts, redo }: BatchRequest): BatchReport {
    const { events } = this.#parts
    const sources = this.#receivers.infoOf(cuts)
    const records = sources.reduce((n, source) => n + source.records, 0)
    const bytes = sources.reduce((n, source) => n + source.bytes, 0)
    const submissionTime = Math.min(this.now(), Math.max(time, this.#openedAt))
    const { now, epoch } = this
    const figures = { records, bytes, sources, redo, submissionTime }
    return new BatchReport({ events, now }, { batchId, time, epoch, ...figures })
  }

  async #snapshotIfDue(): Promise<void> {
    if (this.#log?.snapshotDue() !== true) return
    const batchId = this.#lastBatchId
    const bytes = this.#graph.snapshot()
    await this.#log.snapshot(batchId, bytes)
    this.#parts.events.emit({ kind: 'snapshot-written', batchId, bytes: bytes.length })
  }
}

async function openEngine(
  parts: EngineParts,
  undo: (() => Promise<void>)[],
  make: (opened: Opened) => Engine,
): Promise<Engine> {
  const { graph, settings, events, clock } = parts
  checkGraph(graph, parts.store !== undefined)
  await loadAll(graph.broadcasts)
  const stages = new StageCache()
  const planHash = planHashOf(graph)
  const { log, recovered } = await openLog(parts, planHash)
  if (log !== undefined) undo.push(() => log.close())
  const epoch = log?.epoch ?? 0
  const batchGraph = new BatchGraph(graph, recovered.zeroTime, settings.cacheBytesMax)
  restore(batchGraph, recovered)
  const runtime = actionRuntime(stages, clock)
  graph.serveSlices((node, from, to) =>
    batchGraph
      .slice(node, from, to)
      .map((parts) => new Batch(leaf(parts.map((part) => [part])), runtime)),
  )
  const writers: SinkWriter<unknown>[] = []
  for (const [outputId, output] of graph.outputs.entries()) {
    const context = { pipeline: parts.pipeline, outputId, epoch, logger: parts.logger }
    const writer = await openOutput(output, context, parts.sinks, runtime)
    undo.push(() => writer.close())
    await writer.recover(recovered.redo.map((plan) => plan.batchId))
    writers.push(writer)
  }
  const receivers = new Receivers(parts)
  undo.push(() => receivers.stop())
  await receivers.start(log, recovered)
  const now = steadyTime(clock)
  const runner = new BatchRunner({
    pipeline: parts.pipeline,
    planHash,
    epoch,
    graph: batchGraph,
    log,
    outputs: new OutputOperations({ outputs: graph.outputs, writers, events, now }),
    events,
    clock,
    stages,
    attemptsMax: settings.batchAttemptsMax,
    probe: parts.probe,
  })
  const engine = make({ log, recovered, graph: batchGraph, receivers, writers, runner, now })
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

async function openLog(
  parts: EngineParts,
  planHash: string,
): Promise<{ log: BatchLog | undefined; recovered: Recovered }> {
  const { store, settings, graph } = parts
  if (store === undefined) return { log: undefined, recovered: nothing(parts.zeroTime()) }
  const { log, recovered } = await BatchLog.open({
    store,
    pipeline: parts.pipeline,
    batchIntervalMs: settings.batchIntervalMs,
    planHash,
    stateful: statefulOperators(graph).map((operator) => operator.description),
    zeroTime: parts.zeroTime,
    takeover: parts.takeover,
    clock: parts.clock,
    logger: parts.logger,
    snapshotEvery: Math.min(settings.snapshotEvery, checkpointEvery(graph) ?? Infinity),
    ...(parts.owner === undefined ? {} : { host: parts.owner }),
  })
  return { log, recovered }
}

function nothing(zeroTime: number): Recovered {
  return {
    fresh: true,
    zeroTime,
    epoch: 0,
    previousPlanHash: undefined,
    stateful: [],
    lastBatchId: 0,
    snapshot: undefined,
    changes: [],
    redo: [],
    positions: new Map(),
    accumulators: new Map(),
    cutBytes: 0,
    warnings: [],
  }
}

function restore(graph: BatchGraph, recovered: Recovered): void {
  if (recovered.snapshot !== undefined) graph.restore(recovered.snapshot.bytes)
  for (const { changes } of recovered.changes) graph.apply(changes)
}

/** Shape, names and options of the graph in one hash: the same for the same code. */
function planHashOf(graph: StreamGraph): string {
  const nodes = reachable(graph).map(({ id, kind, name, slideMs, parents }) => [
    id,
    kind,
    name,
    slideMs,
    parents.map((parent) => parent.id),
  ])
  const outputs = graph.outputs.map((output) => [output.kind, output.node.id])
  return hashText(JSON.stringify([nodes, outputs]))
}
