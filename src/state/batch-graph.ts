// The graph of one pipeline as it runs: for each batch time it makes the lineage of every stream
// that has a batch then, and keeps the stateful operators with their overlays.

import { assert } from '../assert.ts'
import { Batch } from '../batch/batch.ts'
import type { BatchRuntime } from '../batch/batch-base.ts'
import { decode, encode } from '../batch/codec.ts'
import { BatchNode } from '../batch/node.ts'
import type { Records } from '../batch/records.ts'
import { reachable, type StreamGraph, type StreamNode } from '../dstream/graph.ts'
import { isStateful, type StatefulOperator, statefulOperators } from '../dstream/operator-ids.ts'
import { rememberDurations } from '../dstream/retention.ts'
import { StreamingError, TaskError } from '../errors.ts'
import { BatchCache } from './batch-cache.ts'
import { KeyedOperator } from './keyed-operator.ts'
import { MapWithStateOperator } from './map-with-state-operator.ts'
import { ReducedWindowOperator } from './reduced-window-operator.ts'
import type { StatefulRuntime } from './stateful-operator.ts'
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

/** A running graph. */
export class BatchGraph {
  readonly graph: StreamGraph
  readonly operators: readonly StatefulOperator[]
  readonly #nodes: readonly StreamNode[]
  readonly #runtimes: ReadonlyMap<StreamNode, StatefulRuntime>
  readonly #zeroTime: number
  readonly #ranAt = new Map<StatefulRuntime, number>()
  readonly #cache: BatchCache
  #time = Number.NEGATIVE_INFINITY

  constructor(graph: StreamGraph, zeroTime: number, cacheBytesMax: number) {
    this.graph = graph
    this.#cache = new BatchCache(cacheBytesMax, rememberDurations(graph))
    this.#zeroTime = zeroTime
    this.#nodes = reachable(graph)
    this.operators = statefulOperators(graph)
    this.#runtimes = new Map(this.operators.map(({ node, id }) => [node, makeRuntime(node, id)]))
  }

  /** True if a batch without records could still emit or change something. */
  get active(): boolean {
    return [...this.#runtimes.values()].some((runtime) => runtime.active())
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

  /** The overlays of all operators as one changelog entry; undefined if nothing changed. */
  changes(): Uint8Array | undefined {
    const changes = [...this.#runtimes.values()]
      .map((operator) => [operator.id, operator.changes()] as const)
      .filter(([, change]) => change !== undefined)
    return changes.length === 0 ? undefined : encode(changes, 'the changes of a batch')
  }

  /** Makes the overlays of the last attempt the committed state. */
  merge(): void {
    for (const operator of this.#runtimes.values()) operator.merge()
    this.#cache.merge(this.#time)
  }

  /** The committed batches of a persisted stream with from ≤ time ≤ to that are still kept. As in
   * Spark, a `from` between two batch times is taken as the earlier one. */
  slice(node: StreamNode, from: number, to: number): unknown[][][] {
    const first = Math.max(1, Math.floor((from - this.#zeroTime) / node.slideMs))
    const batches: unknown[][][] = []
    for (let time = this.#zeroTime + first * node.slideMs; time <= to; time += node.slideMs) {
      const kept = this.#cache.get(node.id, time)
      if (kept !== undefined) batches.push(kept)
    }
    return batches
  }

  snapshot(): Uint8Array {
    const state = [...this.#runtimes.values()].map((op) => [op.id, op.snapshot()] as const)
    return encode(state, 'the snapshot of a pipeline')
  }

  restore(snapshot: Uint8Array): void {
    for (const [id, state] of decode(snapshot) as [string, unknown][]) this.#byId(id).restore(state)
  }

  /** Applies the changelog entry of a committed batch. */
  apply(changes: Uint8Array): void {
    if (changes.length === 0) return
    for (const [id, change] of decode(changes) as [string, unknown][]) this.#byId(id).apply(change)
  }

  #byId(id: string): StatefulRuntime {
    const found = [...this.#runtimes.values()].find((operator) => operator.id === id)
    assert(
      found !== undefined,
      () => `state "${id}" belongs to no operator, though the plan agrees`,
    )
    return found
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
    const keep = (parts: readonly (readonly unknown[])[]) => this.#cache.add(node.id, time, parts)
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
        const op = { kind: 'exchange', name: node.name, fixed: true } as const
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
    const run = (parents: readonly (readonly Records<unknown>[])[]): unknown[][] => {
      assert(!this.#ranAt.has(operator), () => `"${node.name}" ran twice in one attempt`)
      this.#ranAt.set(operator, time)
      return operator.run(time, (parents[0] ?? []) as unknown[][], due)
    }
    const op = { kind: 'exchange', name: node.name, fixed: true, once: true, f: run } as const
    return new BatchNode(op, parent === undefined ? [] : [parent])
  }
}

function makeRuntime(node: StatefulOperator['node'], id: string): StatefulRuntime {
  switch (node.kind) {
    case 'window':
      return new WindowOperator(id, node.lengthMs)
    case 'reducedWindow':
      return new ReducedWindowOperator(id, node)
    case 'updateStateByKey':
      return new UpdateStateOperator(id, node)
    case 'mapWithState':
      return new MapWithStateOperator(id, node)
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
