// The graph of one pipeline as it runs: for each batch time it makes the lineage of every stream
// that has a batch then, and keeps the stateful operators with their overlays.

import { assert } from '../assert.ts'
import { Batch } from '../batch/batch.ts'
import type { BatchRuntime } from '../batch/batch-base.ts'
import { BatchNode, type RouteOp } from '../batch/node.ts'
import type { Partition } from '../batch/records.ts'
import { ALONE, type Seat, type Spread } from '../batch/spread.ts'
import { reachable, type StreamGraph, type StreamNode } from '../dstream/graph.ts'
import { hashedWindows } from '../dstream/hashed-windows.ts'
import { isStateful, type StatefulOperator, statefulOperators } from '../dstream/operator-ids.ts'
import { rememberDurations } from '../dstream/retention.ts'
import { StreamingError, TaskError } from '../errors.ts'
import { BatchCache } from './batch-cache.ts'
import { FrozenGraph } from './frozen-graph.ts'
import {
  type Change,
  type EntryOperator,
  entryOperators,
  fromEntry,
  toEntry,
} from './graph-changes.ts'
import { KeyedOperator } from './keyed-operator.ts'
import { MapWithStateOperator } from './map-with-state-operator.ts'
import { ReducedWindowOperator, type WindowSeat } from './reduced-window-operator.ts'
import { snapshotEntries } from './snapshot-entries.ts'
import type { OperatorChange, StatefulRuntime } from './stateful-operator.ts'
import { UpdateStateOperator } from './update-state-operator.ts'
import { WindowOperator } from './window-operator.ts'

/** The lineages of one batch time, made for one attempt. */
export interface BatchPlan {
  /** The node of each output, in order of declaration; undefined where its stream has no batch
   * now. */
  readonly outputs: readonly (BatchNode | undefined)[]
  /** Nodes of stateful operators: each must run, whether an output reads it or not. */
  readonly stateful: readonly { readonly node: BatchNode; readonly ran: () => boolean }[]
}

/** Gives the records of a source at the batch time; undefined if it produced no batch. */
export type SourceNodes = (sourceId: number) => BatchNode | undefined

/** A batch of a persisted stream that is kept. */
export interface KeptBatch {
  readonly time: number
  readonly spread: Spread<readonly unknown[]>
}

/** A running graph, as one worker sees it. */
export class BatchGraph {
  readonly graph: StreamGraph
  readonly operators: readonly StatefulOperator[]
  readonly #entryOperators: readonly EntryOperator[]
  readonly #nodes: readonly StreamNode[]
  readonly #runtimes: ReadonlyMap<StreamNode, StatefulRuntime>
  readonly #zeroTime: number
  readonly #seat: Seat
  /** The shuffles of windows that are read by key. */
  readonly #routes: ReadonlyMap<StreamNode, RouteOp>
  readonly #ranAt = new Map<StatefulRuntime, number>()
  readonly #cache: BatchCache
  #time = Number.NEGATIVE_INFINITY

  constructor(graph: StreamGraph, zeroTime: number, cacheBytesMax: number, seat: Seat = ALONE) {
    this.graph = graph
    this.#seat = seat
    this.#cache = new BatchCache(cacheBytesMax, rememberDurations(graph))
    this.#zeroTime = zeroTime
    this.#nodes = reachable(graph)
    this.operators = statefulOperators(graph)
    this.#entryOperators = entryOperators(graph)
    const hashed = hashedWindows(graph)
    this.#runtimes = new Map(
      this.operators.map(({ node, id }) => {
        const hashPartitions = hashed.get(node)
        return [node, makeRuntime(node, id, { ...seat, zeroTime, hashPartitions })]
      }),
    )
    this.#routes = new Map(
      Array.from(hashed, ([node, partitions]) => {
        return [node, { kind: 'route', name: node.name, fixed: true, partitions }]
      }),
    )
  }

  /** Makes the lineages of a batch time for a new attempt: what an earlier one left is dropped. */
  plan(time: number, sources: SourceNodes, runtime: BatchRuntime): BatchPlan {
    for (const operator of this.#runtimes.values()) operator.begin()
    this.#cache.discard()
    this.#ranAt.clear()
    this.#time = time
    const made = new Map<StreamNode, BatchNode | undefined>()
    const stateful: { node: BatchNode; ran: () => boolean }[] = []
    for (const node of this.#nodes) {
      const batchNode = this.#nodeAt(node, time, made, sources, runtime)
      made.set(node, batchNode)
      const operator = this.#runtimes.get(node)
      if (operator !== undefined && batchNode !== undefined) {
        stateful.push({ node: batchNode, ran: () => this.#ranAt.has(operator) })
        if (!this.#isDue(node, time)) made.set(node, undefined)
      }
    }
    const outputs = this.graph.outputs.map(({ node }) => {
      const batchNode = made.get(node)
      batchNode?.addReader()
      return batchNode
    })
    return { outputs, stateful }
  }

  /** What the attempt changed in this worker's partitions, as an entry of the log; undefined if
   * nothing. */
  changes(): Uint8Array | undefined {
    const changes = [...this.#runtimes.values()].flatMap((operator): Change[] => {
      const change = operator.changes()
      return change === undefined ? [] : [[operator.id, change]]
    })
    return changes.length === 0 ? undefined : toEntry(changes)
  }

  /** Makes what the last attempt did part of what is committed. */
  merge(): void {
    for (const operator of this.#runtimes.values()) operator.merge()
    this.#cache.merge(this.#time)
  }

  /** The committed batches of a persisted stream with from ≤ time ≤ to that are still kept. As in
   * Spark, a `from` between two batch times is taken as the earlier one. */
  slice(nodeId: number, from: number, to: number): KeptBatch[] {
    const { slideMs } = this.graph.nodes[nodeId] as StreamNode
    const first = Math.max(1, Math.floor((from - this.#zeroTime) / slideMs))
    const batches: KeptBatch[] = []
    for (let time = this.#zeroTime + first * slideMs; time <= to; time += slideMs) {
      const kept = this.#cache.get(nodeId, time)
      if (kept !== undefined) batches.push({ time, spread: kept })
    }
    return batches
  }

  /** Holds all that is committed in this worker's partitions; called after `merge`, before the
   * next attempt. One at a time. */
  freeze(): FrozenGraph {
    return new FrozenGraph([...this.#runtimes.values()])
  }

  /** Takes over an object of a snapshot; they come in their order. */
  restore(file: Uint8Array): void {
    for (const entry of snapshotEntries(file)) {
      this.#each(entry, (operator, piece) => operator.restore(piece))
    }
  }

  /** Applies the changes of a committed batch, an entry of the log. */
  apply(changes: Uint8Array): void {
    if (changes.length > 0) this.#each(changes, (operator, change) => operator.apply(change))
  }

  #each(
    entry: Uint8Array,
    take: (operator: StatefulRuntime, change: OperatorChange) => void,
  ): void {
    const operators = new Map([...this.#runtimes.values()].map((one) => [one.id, one]))
    for (const [id, change] of fromEntry(entry, this.#seat, this.#entryOperators)) {
      const operator = operators.get(id)
      assert(operator !== undefined, () => `state "${id}" belongs to no operator`)
      take(operator, change)
    }
  }

  #isDue(node: StreamNode, time: number): boolean {
    return (time - this.#zeroTime) % node.slideMs === 0
  }

  #nodeAt(
    node: StreamNode,
    time: number,
    made: ReadonlyMap<StreamNode, BatchNode | undefined>,
    sources: SourceNodes,
    runtime: BatchRuntime,
  ): BatchNode | undefined {
    const parents = node.parents.map((parent) => made.get(parent))
    const due = this.#isDue(node, time)
    if (!due && !isStateful(node)) return undefined
    const result = isStateful(node)
      ? this.#statefulNode(node, time, parents[0], due)
      : this.#statelessNode(node, time, parents, sources, runtime)
    if (result === undefined || !due || !node.options.persisted) return result
    const keep = (parts: Spread<readonly unknown[]>) => this.#cache.add(node.id, time, parts)
    return new BatchNode({ kind: 'cache', name: node.name, fixed: true, keep }, [result])
  }

  #statelessNode(
    node: Exclude<StreamNode, StatefulOperator['node']>,
    time: number,
    parents: readonly (BatchNode | undefined)[],
    sources: SourceNodes,
    runtime: BatchRuntime,
  ): BatchNode | undefined {
    switch (node.kind) {
      case 'source':
        return sources(node.sourceId)
      case 'lifted':
        if (!node.strict && parents[0] === undefined) return undefined
        return node.recipe(requireAll(node, parents, time))
      case 'transform': {
        const batches = requireAll(node, parents, time).map((parent) => new Batch(parent, runtime))
        return batchOf(node, callTransform(node, batches as Batch<never>[], time), time)
      }
      case 'stateSnapshots': {
        const operator = this.#runtimes.get(node.parents[0] as StreamNode)
        assert(operator instanceof KeyedOperator, 'snapshots are of keyed state')
        const op = { kind: 'local', name: node.name, fixed: true, once: false } as const
        return new BatchNode(
          { ...op, f: () => operator.current() },
          requireAll(node, parents, time),
        )
      }
    }
  }

  /** A stateful operator runs at each batch of its parent, to take it in, due or not. */
  #statefulNode(
    node: StatefulOperator['node'],
    time: number,
    parent: BatchNode | undefined,
    due: boolean,
  ): BatchNode | undefined {
    const operator = this.#runtimes.get(node)
    assert(operator !== undefined, 'each stateful operator has a runtime')
    if (parent === undefined && !due) return undefined
    const run = ([batch]: readonly Spread<Partition<unknown>>[]): Spread<Partition<unknown>> => {
      assert(!this.#ranAt.has(operator), () => `"${node.name}" ran twice in one attempt`)
      this.#ranAt.set(operator, time)
      return operator.run(time, batch, due)
    }
    const route = this.#routes.get(node)
    const hashPartitions = route?.partitions
    const op = { kind: 'local', ...OPERATOR, name: node.name, f: run, hashPartitions } as const
    if (parent === undefined) return new BatchNode(op, [])
    return new BatchNode(op, [route === undefined ? parent : new BatchNode(route, [parent])])
  }
}

/** Where an operator runs, and what its readers ask of it. */
interface OperatorSeat extends WindowSeat {
  readonly hashPartitions: number | undefined
}

const OPERATOR = { fixed: true, once: true } as const

function makeRuntime(
  node: StatefulOperator['node'],
  id: string,
  seat: OperatorSeat,
): StatefulRuntime {
  switch (node.kind) {
    case 'window':
      return new WindowOperator(id, node.lengthMs, seat, seat.hashPartitions)
    case 'reducedWindow':
      return new ReducedWindowOperator(id, node, seat)
    case 'updateStateByKey':
      return new UpdateStateOperator(id, node, seat)
    case 'mapWithState':
      return new MapWithStateOperator(id, node, seat)
  }
}

function requireAll(
  node: StreamNode,
  parents: readonly (BatchNode | undefined)[],
  time: number,
): BatchNode[] {
  return parents.map((parent, i) => {
    if (parent !== undefined) return parent
    throw new StreamingError(
      'BATCH_MISSING',
      `Cannot run "${node.name}" at ${time} ms: its parent "${node.parents[i]?.name}" ` +
        `produced no ` +
        `batch at that time; let the source give an empty batch instead of none`,
    )
  })
}

function callTransform(
  node: Extract<StreamNode, { kind: 'transform' }>,
  batches: Batch<never>[],
  time: number,
): unknown {
  try {
    return node.f(batches, time)
  } catch (thrown) {
    throw wholeBatchError(node, time, thrown)
  }
}

function wholeBatchError({ name: operator }: StreamNode, time: number, cause: unknown): TaskError {
  const place = { time, operator, partition: undefined, record: undefined, position: undefined }
  return new TaskError(place, cause)
}

function batchOf(node: StreamNode, result: unknown, time: number): BatchNode {
  if (result instanceof Batch) return result.node
  throw new StreamingError(
    'BATCH_MISSING',
    `Cannot run "${node.name}" at ${time} ms: its function gave ${String(result)} and not a ` +
      `Batch; return a batch, synchronously`,
  )
}
