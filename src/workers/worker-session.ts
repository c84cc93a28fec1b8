// One worker's part in one run: it builds the graph, keeps the state of its partitions, and runs
// its share of each batch.

import type { Transferable } from 'node:worker_threads'
import {
  type RecordColumns,
  recordBuffers,
  recordsOf,
  toRecordColumns,
} from '../batch/record-columns.ts'
import { type Partition, partitionLength } from '../batch/records.ts'
import type { Spread } from '../batch/spread.ts'
import { systemClock } from '../clock.ts'
import { loadAll } from '../dstream/broadcast.ts'
import { graphCode, graphShape } from '../dstream/graph-shape.ts'
import { StreamingError } from '../errors.ts'
import { StageCache } from '../plan/stage-cache.ts'
import { BatchGraph } from '../state/batch-graph.ts'
import type { FrozenGraph } from '../state/frozen-graph.ts'
import { AttemptFailure } from './attempt-failure.ts'
import { BlockInbox } from './block-inbox.ts'
import type { Answer } from './calls.ts'
import { toWire } from './error-wire.ts'
import { buildGraph } from './graph-recipe.ts'
import { type GraphRan, type OutputSpreads, runGraph } from './graph-runner.ts'
import type {
  BuiltGraph,
  KeptColumns,
  OutputColumns,
  RanColumns,
  RunFailed,
  WorkerNotice,
  WorkerRequest,
} from './protocol.ts'
import { resultsTooLarge } from './result-bound.ts'
import { SinkTasks } from './sink-tasks.ts'
import { SwapLines } from './swap-lines.ts'

type Begin = Extract<WorkerRequest, { kind: 'begin' }>
type Run = Extract<WorkerRequest, { kind: 'run' }>

/** What every attempt that another worker's failure ends rejects with; the driver has the cause. */
export class AttemptAborted extends Error {
  override readonly name = 'AttemptAborted'
}

/** A worker that has begun. */
export class WorkerSession {
  readonly #graph: BatchGraph
  readonly #lines: SwapLines
  readonly #inbox: BlockInbox
  readonly #stages = new StageCache()
  readonly #tasks: SinkTasks
  readonly #results: Pick<Begin, 'resultBytesMax' | 'fetchAll'>
  #lastBatchId = 0
  /** What the last run gave, for tasks to write. */
  #outputs: OutputSpreads = []
  #frozen: { readonly freeze: number; readonly graph: FrozenGraph } | undefined

  private constructor(begin: Begin, graph: BatchGraph, inbox: BlockInbox, tasks: SinkTasks) {
    this.#graph = graph
    this.#lines = new SwapLines(begin.workers, begin.self, begin.lines)
    this.#inbox = inbox
    this.#tasks = tasks
    this.#results = begin
  }

  static async begin(begin: Begin): Promise<WorkerSession> {
    const { workers, self, zeroTime, cacheBytesMax } = begin
    const { graph, sinks } = await buildGraph(begin.recipe)
    await loadAll(graph.broadcasts)
    const batchGraph = new BatchGraph(graph, zeroTime, cacheBytesMax, { workers, self })
    const sources = graph.sources.map(({ source }) => source)
    const inbox = new BlockInbox(sources, begin.blocks)
    return new WorkerSession(begin, batchGraph, inbox, new SinkTasks(graph.outputs, sinks))
  }

  /** What the graph is made of, to be compared with the others'. */
  get built(): BuiltGraph {
    return { shape: graphShape(this.#graph.graph), code: graphCode(this.#graph.graph) }
  }

  async answer(request: Exclude<WorkerRequest, Begin>): Promise<Answer> {
    switch (request.kind) {
      case 'restore': {
        if (request.snapshot !== undefined) this.#graph.restore(request.snapshot)
        for (const entry of request.changes) this.#graph.apply(entry)
        return { value: undefined }
      }
      case 'run':
        return this.#run(request)
      case 'write': {
        const parts = this.#outputs[request.outputId]?.parts ?? []
        return { value: await this.#tasks.write(request, parts) }
      }
      case 'close-sinks':
        await this.#tasks.close()
        return { value: undefined }
      case 'freeze':
        this.#thaw()
        this.#frozen = { freeze: request.freeze, graph: this.#graph.freeze() }
        return { value: undefined }
      case 'frozen-slice':
        return this.#slice(request.freeze)
      case 'slice': {
        const { nodeId, from, to } = request
        const value = this.#graph.slice(nodeId, from, to).map(({ time, spread }): KeptColumns => {
          return { time, columns: this.#columnsOf(asPieces(spread), nodeId) }
        })
        return { value }
      }
    }
  }

  take(notice: Exclude<WorkerNotice, { kind: 'end' }>): void {
    switch (notice.kind) {
      case 'abort': {
        const error = new AttemptAborted('another worker failed')
        if (this.#lines.abort(notice.attempt, error)) this.#inbox.giveUp(error)
        break
      }
      case 'merge':
        this.#outputs = []
        this.#graph.merge()
        this.#inbox.forget(this.#lastBatchId)
        break
      case 'thaw':
        if (this.#frozen?.freeze === notice.freeze) this.#thaw()
        break
      case 'line':
        this.#lines.connect(notice.line)
        break
    }
  }

  async close(): Promise<void> {
    this.#lines.close()
    this.#inbox.close()
    await this.#tasks.close()
  }

  #thaw(): void {
    this.#frozen?.graph.release()
    this.#frozen = undefined
  }

  #slice(freeze: number): Answer {
    if (this.#frozen?.freeze !== freeze) throw begunAnew()
    const value = this.#frozen.graph.next()
    if (value.last) this.#frozen = undefined
    return { value, transfer: [value.entry.buffer as ArrayBuffer] }
  }

  async #run({ attempt, batchId, time, traced, logged, sources }: Run): Promise<Answer> {
    this.#lines.begin(attempt)
    this.#lastBatchId = batchId
    this.#outputs = []
    const spreads = []
    for (const [sourceId, parts] of sources.entries()) {
      spreads.push(parts && (await this.#spreadOf(batchId, sourceId, parts)))
    }
    const parts = {
      graph: this.#graph,
      stages: this.#stages,
      clock: systemClock,
      peers: this.#lines,
    }
    try {
      return this.#ran(await runGraph(parts, time, spreads, traced), logged)
    } catch (error) {
      const { outputId, cause, retriedCalls } =
        error instanceof AttemptFailure ? error : new AttemptFailure(undefined, { cause: error })
      return { value: { failed: toWire(cause), outputId, retriedCalls } satisfies RunFailed }
    }
  }

  async #spreadOf(
    batchId: number,
    sourceId: number,
    parts: readonly { readonly partition: string; readonly owner: number }[],
  ): Promise<Spread<Partition<unknown>>> {
    const made: (Partition<unknown> | undefined)[] = []
    for (const { partition, owner } of parts) {
      const mine = owner === this.#lines.self
      this.#lines.throwIfGivenUp()
      made.push(mine ? await this.#inbox.blocksOf(batchId, sourceId, partition) : undefined)
    }
    return { owners: parts.map(({ owner }) => owner), parts: made }
  }

  #ran({ outputs, tally, retriedCalls }: GraphRan, logged: boolean): Answer {
    this.#outputs = outputs
    const { fetchAll, resultBytesMax } = this.#results
    const columns = outputs.map((spread, i) => {
      if (spread === undefined) return undefined
      const nodeId = this.#graph.graph.outputs[i]?.node.id ?? 0
      const stays = this.#tasks.writes(i) && !fetchAll
      return stays ? countsOf(spread) : this.#columnsOf(spread, nodeId)
    })
    const buffers = columns.flatMap((output) =>
      (output?.parts ?? []).flatMap(([, part]) => bufferOf(part)),
    )
    const bytes = buffers.reduce((n, buffer) => n + buffer.byteLength, 0)
    if (bytes > resultBytesMax) throw resultsTooLarge(bytes, resultBytesMax)
    const changes = logged ? this.#graph.changes() : undefined
    const added = [...tally.entries()]
    const value: RanColumns = { outputs: columns, changes, added, retriedCalls, bytes }
    const transfer: Transferable[] = buffers
    if (changes !== undefined) transfer.push(changes.buffer as ArrayBuffer)
    return { value, transfer }
  }

  #columnsOf({ owners, parts }: Spread<Partition<unknown>>, nodeId: number): OutputColumns {
    const what = `the records of "${this.#graph.graph.nodes[nodeId]?.name}"`
    return {
      partitions: owners.length,
      parts: parts.flatMap((pieces, partition) =>
        pieces === undefined ? [] : [[partition, toRecordColumns(pieces, what)] as const],
      ),
    }
  }
}

/** What was frozen ended with another thread. */
export function begunAnew(): StreamingError {
  return new StreamingError(
    'WORKER_DIED',
    'Cannot give what was frozen: the worker has begun anew since; another snapshot follows',
    { retryable: true },
  )
}

function countsOf({ owners, parts }: Spread<Partition<unknown>>): OutputColumns {
  return {
    partitions: owners.length,
    parts: parts.flatMap((pieces, partition) =>
      pieces === undefined ? [] : [[partition, partitionLength(pieces)] as const],
    ),
  }
}

function bufferOf(part: RecordColumns | number): ArrayBuffer[] {
  return typeof part === 'number' ? [] : recordBuffers(part)
}

function asPieces(spread: Spread<readonly unknown[]>): Spread<Partition<unknown>> {
  return {
    owners: spread.owners,
    parts: spread.parts.map((part) => part && [recordsOf([part])]),
  }
}
