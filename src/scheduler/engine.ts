// One run of one pipeline: opens the log, the state, the sinks and the receivers in the order that
// makes a restart safe, redoes what was planned and not committed, and then runs batches as it is
// told.

import { assert } from '../assert.ts'
import { Batch } from '../batch/batch.ts'
import { leaf } from '../batch/node.ts'
import { BatchLog, type OwnerProbe, type Recovered } from '../checkpoint/log.ts'
import type { CheckpointStore } from '../checkpoint/store.ts'
import type { Clock } from '../clock.ts'
import type { StreamGraph } from '../dstream/graph.ts'
import { reachable } from '../dstream/graph.ts'
import { statefulOperators } from '../dstream/operator-ids.ts'
import { ConfigError } from '../errors.ts'
import type { EventBus, Logger } from '../events.ts'
import { StageCache } from '../plan/stage-cache.ts'
import { advance } from '../receivers/positions.ts'
import type { PartitionPositions, Receiver, SourceRange } from '../receivers/receiver.ts'
import type { SinkWriter } from '../sinks/sink.ts'
import { BatchGraph } from '../state/batch-graph.ts'
import {
  actionRuntime,
  BatchRunner,
  checkReplay,
  hashText,
  type LifeProbe,
  type SourceCuts,
} from './batch-runner.ts'
import type { Settings } from './options.ts'
import { openOutput, type PrintSink } from './outputs.ts'

/** What a run is made of. */
export interface EngineParts {
  readonly pipeline: string
  readonly graph: StreamGraph
  readonly settings: Settings
  readonly store: CheckpointStore | undefined
  readonly clock: Clock
  readonly logger: Logger
  readonly events: EventBus
  readonly print: PrintSink
  readonly takeover: 'wait' | 'force' | 'refuse'
  /** Aborts when the run ends. */
  readonly signal: AbortSignal
  /** Called when a receiver cannot go on. */
  readonly fail: (error: unknown) => void
  /** Zero time of a fresh pipeline, epoch milliseconds. */
  readonly zeroTime: () => number
  readonly probe?: LifeProbe
  readonly owner?: OwnerProbe
}

interface Opened {
  readonly log: BatchLog | undefined
  readonly recovered: Recovered
  readonly graph: BatchGraph
  readonly receivers: readonly Receiver[]
  readonly writers: readonly SinkWriter<unknown>[]
  readonly runner: BatchRunner
}

/** A run that is open: it has redone what the log asked for, and runs batches as it is told. */
export class Engine {
  readonly zeroTime: number
  readonly epoch: number
  #lastBatchId: number
  #unsynced = false
  readonly #parts: EngineParts
  readonly #log: BatchLog | undefined
  readonly #graph: BatchGraph
  readonly #receivers: readonly Receiver[]
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
  }

  /** Opens everything and redoes what the log asks for; reading begins when it returns. */
  static async open(parts: EngineParts): Promise<Engine> {
    const undo: (() => Promise<void>)[] = []
    try {
      return await openEngine(parts, undo, (opened) => new Engine(parts, opened))
    } catch (error) {
      for (const close of undo.reverse()) await close().catch(() => undefined)
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
    return this.#receivers.every(
      (receiver) => receiver.caughtUp() && receiver.bufferedBytes() === 0,
    )
  }

  /** Bytes that wait in the receivers. */
  get bufferedBytes(): number {
    return this.#receivers.reduce((n, receiver) => n + receiver.bufferedBytes(), 0)
  }

  /** The largest lag of the receivers that know theirs. */
  get lagMs(): number | undefined {
    const lags = this.#receivers.flatMap((receiver) => receiver.lagMs() ?? [])
    return lags.length === 0 ? undefined : Math.max(...lags)
  }

  /** Cuts and runs the next batch; gives whether it is in the log. */
  async runNext(): Promise<boolean> {
    const batchId = this.#lastBatchId + 1
    const { batchBytesMax } = this.#parts.settings
    const limits = { bytesMax: batchBytesMax, recordsMax: Number.POSITIVE_INFINITY }
    const cuts = this.#receivers.map((receiver) => receiver.cut(limits))
    return this.#run(batchId, cuts, false)
  }

  /** Runs again what an earlier run planned and did not commit. */
  async redo(plans: Recovered['redo']): Promise<void> {
    for (const plan of plans) {
      const cuts: (SourceCuts[number] | undefined)[] = this.#receivers.map(() => undefined)
      for (const { sourceId, ranges } of plan.sources) {
        const receiver = this.#receivers[sourceId]
        assert(receiver !== undefined, 'the plan agrees on the sources')
        const data = await receiver.replay(ranges)
        checkReplay(this.#parts.graph.sources[sourceId]?.source.name ?? '', ranges, data)
        cuts[sourceId] = data
      }
      await this.#run(plan.batchId, cuts, true)
    }
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
  async stopReceivers(): Promise<void> {
    await Promise.all(this.#receivers.map((receiver) => receiver.stop()))
  }

  /** Closes everything, and releases the checkpoint: the next start does not wait for this run. */
  async close(): Promise<void> {
    await this.stopReceivers()
    for (const writer of this.#writers) await writer.close()
    await this.#log?.close()
  }

  async #run(batchId: number, cuts: SourceCuts, redo: boolean): Promise<boolean> {
    const logged = await this.#runner.run({ batchId, time: this.timeOf(batchId), cuts, redo })
    this.#lastBatchId = batchId
    this.#unsynced ||= logged
    if (logged && this.#log?.snapshotDue() === true) {
      const bytes = this.#graph.snapshot()
      await this.#log.snapshot(batchId, bytes)
      this.#parts.events.emit({ kind: 'snapshot-written', batchId, bytes: bytes.length })
    }
    return logged
  }
}

async function openEngine(
  parts: EngineParts,
  undo: (() => Promise<void>)[],
  make: (opened: Opened) => Engine,
): Promise<Engine> {
  const { graph, settings, events, clock } = parts
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
    const writer = await openOutput(output, context, parts.print, runtime)
    undo.push(() => writer.close())
    await writer.recover(recovered.redo.map((plan) => plan.batchId))
    writers.push(writer)
  }
  const receivers = await openReceivers(parts, log, recovered, undo)
  const runner = new BatchRunner({
    pipeline: parts.pipeline,
    planHash,
    epoch,
    graph: batchGraph,
    log,
    writers,
    events,
    clock,
    stages,
    attemptsMax: settings.batchAttemptsMax,
    probe: parts.probe,
  })
  const opened = { log, recovered, graph: batchGraph, receivers, writers, runner }
  const engine = make(opened)
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
  for (const receiver of receivers) receiver.run()
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
    snapshotEvery: settings.snapshotEvery,
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
    cutBytes: 0,
    warnings: [],
  }
}

function restore(graph: BatchGraph, recovered: Recovered): void {
  if (recovered.snapshot !== undefined) graph.restore(recovered.snapshot.bytes)
  for (const { changes } of recovered.changes) graph.apply(changes)
}

async function openReceivers(
  parts: EngineParts,
  log: BatchLog | undefined,
  recovered: Recovered,
  undo: (() => Promise<void>)[],
): Promise<Receiver[]> {
  const receivers: Receiver[] = []
  for (const { source, sourceId } of parts.graph.sources) {
    const receiver = source.open({
      pipeline: parts.pipeline,
      sourceId,
      clock: parts.clock,
      logger: parts.logger,
      signal: parts.signal,
      bufferBytesMax: parts.settings.bufferBytesMax,
      fail: parts.fail,
      reportError: (message, error) => {
        parts.logger.warn({ err: error, source: source.name }, message)
        parts.events.emit({ kind: 'receiver-error', sourceId, name: source.name, message, error })
      },
      count: (name, by = 1) => parts.events.emit({ kind: 'source-counted', name, by }),
    })
    undo.push(() => receiver.stop())
    const known = recovered.positions.get(sourceId) ?? []
    const from = advance(known, redoRanges(recovered, sourceId))
    const positions = await receiver.start(from)
    if (log !== undefined && isNew(positions, from)) await log.resolved(sourceId, positions)
    receivers.push(receiver)
  }
  return receivers
}

function redoRanges(recovered: Recovered, sourceId: number): SourceRange[] {
  return recovered.redo.flatMap((plan) =>
    plan.sources.flatMap((source) => (source.sourceId === sourceId ? source.ranges : [])),
  )
}

function isNew(positions: PartitionPositions, from: PartitionPositions): boolean {
  const known = new Set(from.map(({ partition }) => partition))
  return positions.some(({ partition }) => !known.has(partition))
}

/** Shape, names and options of the graph in one hash: the same for the same code. */
function planHashOf(graph: StreamGraph): string {
  if (graph.outputs.length === 0) {
    throw new ConfigError(
      'Cannot start a pipeline without an output operation: nothing would run; add writeTo, ' +
        'foreachBatch or print to a stream',
    )
  }
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
