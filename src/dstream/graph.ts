// The lazy graph of a pipeline: which streams there are and what each is made of. Pure data;
// nothing here runs, reads a clock or does I/O.

import { assert } from '../assert.ts'
import type { Batch } from '../batch/batch.ts'
import type { Recipe } from '../batch/node.ts'
import type { Naming } from '../batch/recipes.ts'
import { ConfigError } from '../errors.ts'
import type { Source } from '../receivers/receiver.ts'
import type { Sink } from '../sinks/sink.ts'
import { Accumulator } from './accumulator.ts'
import { Broadcast } from './broadcast.ts'
import type { PersistLevel } from './persist-level.ts'

type Closure = (...values: never[]) => unknown

interface NodeBase {
  /** Ordinal in the order of declaration. */
  readonly id: number
  /** What errors call the operator, for example `map-3`. */
  readonly name: string
  readonly parents: readonly StreamNode[]
  /** The stream has a batch at each multiple of this. */
  readonly slideMs: number
  readonly options: MutableOptions
}

/** What may still be set after the stream was made, until the pipeline starts. */
export interface MutableOptions {
  /** Given by `.named()`. */
  givenId: string | undefined
  persisted: boolean
  /** What `persist` was asked for; undefined: it was not. */
  persistLevel: PersistLevel | undefined
  checkpointMs: number | undefined
}

/** Settings of updateStateByKey. */
export interface UpdateStateOptions {
  readonly f: Closure
  readonly partitions: number
  readonly initialState: Iterable<readonly [unknown, unknown]>
  readonly onlyActiveKeys: boolean
}

/** Settings of mapWithState. */
export interface MapWithStateOptions {
  readonly f: Closure
  readonly partitions: number
  readonly initialState: Iterable<readonly [unknown, unknown]>
  readonly timeoutMs: number | undefined
}

/** Settings of a window that is reduced by key. */
export interface ReducedWindowOptions {
  readonly lengthMs: number
  readonly f: Closure
  /** Undefined: what leaves is not subtracted, the panes are kept reduced. */
  readonly inverse: Closure | undefined
  readonly filter: Closure | undefined
  readonly partitions: number
}

/** One stream. */
export type StreamNode =
  | (NodeBase & {
      readonly kind: 'source'
      readonly sourceId: number
      readonly source: Source<unknown>
    })
  | (NodeBase & {
      readonly kind: 'lifted'
      readonly recipe: Recipe
      readonly strict: boolean
      /** The stateful node of the same operator: the name that the stream is given is its. */
      readonly stateful: StreamNode | undefined
    })
  | (NodeBase & {
      readonly kind: 'transform'
      readonly f: (batches: Batch<never>[], time: number) => Batch<unknown>
    })
  | (NodeBase & { readonly kind: 'window'; readonly lengthMs: number })
  | (NodeBase & { readonly kind: 'reducedWindow' } & ReducedWindowOptions)
  | (NodeBase & { readonly kind: 'updateStateByKey' } & UpdateStateOptions)
  | (NodeBase & { readonly kind: 'mapWithState' } & MapWithStateOptions)
  | (NodeBase & { readonly kind: 'stateSnapshots' })

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never

/** A node before the graph gave it its place. */
export type NodeSpec = DistributiveOmit<StreamNode, 'id' | 'name' | 'options'>

/** What `foreachBatch` gets beside the batch. */
export interface BatchContext {
  /** Batch time, epoch milliseconds. */
  readonly time: number
  /** Counts from 1; the same each time the batch is written. */
  readonly batchId: number
  /** Grows with each start on the checkpoint; 0 without one. */
  readonly epoch: number
}

/** How the records of a saved batch stand in its files. */
export type SaveFormat = 'text' | 'json'

/** What `saveAsTextFiles` and `saveAsJsonFiles` ask for. */
export interface Save {
  readonly format: SaveFormat
  /** Path of the folders, up to `-TIME`. */
  readonly prefix: string
  readonly suffix: string | undefined
}

/** Where a stream's batches go. */
export type Output =
  | { readonly kind: 'sink'; readonly node: StreamNode; readonly sink: Sink<unknown> }
  | { readonly kind: 'print'; readonly node: StreamNode; readonly count: number }
  | { readonly kind: 'save'; readonly node: StreamNode; readonly save: Save }
  | {
      readonly kind: 'foreachBatch'
      readonly node: StreamNode
      readonly f: (batch: Batch<never>, context: BatchContext) => void | Promise<void>
    }

/** Gives the kept batches of a stream with from ≤ time ≤ to. */
export type Slices = (node: StreamNode, from: number, to: number) => Promise<Batch<unknown>[]>

/** The streams and outputs of one pipeline. */
export class StreamGraph {
  readonly batchIntervalMs: number
  readonly nodes: StreamNode[] = []
  readonly outputs: Output[] = []
  readonly sources: Extract<StreamNode, { kind: 'source' }>[] = []
  readonly broadcasts: Broadcast<unknown>[] = []
  readonly accumulators: Accumulator[] = []
  #rememberMs: number | undefined
  #phase: 'building' | 'started' | 'stopped' = 'building'
  #slices: Slices | undefined

  constructor(batchIntervalMs: number) {
    this.batchIntervalMs = batchIntervalMs
  }

  /** The name that the next node of this kind will have. */
  naming(operator: string): Naming {
    return { name: `${operator}-${this.nodes.length}`, fixed: true }
  }

  add<S extends NodeSpec>(spec: S, operator: string): StreamNode {
    this.#refuseUnlessBuilding(`add operator "${operator}"`)
    const options: MutableOptions = {
      givenId: undefined,
      persisted: false,
      persistLevel: undefined,
      checkpointMs: undefined,
    }
    const { name } = this.naming(operator)
    const node = { ...spec, id: this.nodes.length, name, options } as StreamNode
    this.nodes.push(node)
    return node
  }

  addSource(source: Source<unknown>): StreamNode {
    const sourceId = this.sources.length
    const node = this.add(
      { kind: 'source', sourceId, source, parents: [], slideMs: this.batchIntervalMs },
      source.name,
    )
    assert(node.kind === 'source', 'a source node is a source node')
    this.sources.push(node)
    return node
  }

  addOutput(output: Output): void {
    this.#refuseUnlessBuilding('add an output operation')
    this.outputs.push(output)
  }

  /** A value that is loaded at each start. */
  broadcast<T>(load: () => T | Promise<T>): Broadcast<T> {
    this.#refuseUnlessBuilding('add a broadcast')
    const broadcast = new Broadcast(load)
    this.broadcasts.push(broadcast)
    return broadcast
  }

  /** A sum over committed batches. */
  accumulator(name: string): Accumulator {
    this.#refuseUnlessBuilding(`add accumulator "${name}"`)
    if (this.accumulators.some((other) => other.name === name)) {
      throw new ConfigError(
        `Cannot add accumulator "${name}": the pipeline has one of that name; use that one, or ` +
          `another name`,
      )
    }
    const accumulator = new Accumulator(name, this)
    this.accumulators.push(accumulator)
    return accumulator
  }

  /** How long streams keep their batches; undefined where only bytes bound them. */
  get rememberMs(): number | undefined {
    return this.#rememberMs
  }

  /** Sets how long streams keep their batches; once. */
  remember(ms: number): void {
    this.#refuseUnlessBuilding('set how long batches are remembered')
    if (this.#rememberMs !== undefined) {
      throw new ConfigError(
        `Cannot remember batches for ${ms} ms: it has been set to ${this.#rememberMs} ms; call ` +
          `remember once`,
      )
    }
    this.#rememberMs = ms
  }

  /** Sets the stable identity of a node. */
  nameNode(stream: StreamNode, id: string): void {
    this.#refuseUnlessBuilding(`name a stream "${id}"`)
    const node = (stream.kind === 'lifted' ? stream.stateful : undefined) ?? stream
    const taken = this.nodes.find((other) => other !== node && other.options.givenId === id)
    if (taken !== undefined) {
      throw new ConfigError(
        `Cannot name stream "${node.name}" "${id}": "${taken.name}" has that name; choose another`,
      )
    }
    node.options.givenId = id
  }

  change(node: StreamNode, change: Partial<MutableOptions>, what: string): void {
    this.#refuseUnlessBuilding(what)
    Object.assign(node.options, change)
  }

  /** Tells where the batches of a running pipeline are. */
  serveSlices(slices: Slices): void {
    this.#slices = slices
  }

  /** The kept batches of a stream; throws before the pipeline runs, and for streams that keep
   * none. */
  slice(node: StreamNode, from: number, to: number): Promise<Batch<unknown>[]> {
    const action = `slice stream "${node.name}"`
    if (this.#slices === undefined) {
      throw new ConfigError(
        `Cannot ${action}: it has not been initialized; start the pipeline first`,
      )
    }
    if (!node.options.persisted) {
      throw new ConfigError(`Cannot ${action}: its batches are not kept; call cache() on it`)
    }
    if (!reachable(this).includes(node)) {
      throw new ConfigError(
        `Cannot ${action}: no output operation needs it, so it has no batches; give it one`,
      )
    }
    return this.#slices(node, from, to)
  }

  /** Ends the building: called once build() has returned. */
  start(): void {
    this.#phase = 'started'
  }

  stop(): void {
    this.#phase = 'stopped'
  }

  #refuseUnlessBuilding(action: string): void {
    if (this.#phase === 'building') return
    const state =
      this.#phase === 'started' ? 'the context has been started' : 'the context has been stopped'
    throw new ConfigError(
      `Cannot ${action}: ${state}; build the whole graph inside the build function of pipeline()`,
      { code: 'CONTEXT_CLOSED' },
    )
  }
}

/** The nodes that the outputs need, parents first. */
export function reachable(graph: StreamGraph): StreamNode[] {
  const needed = new Set<StreamNode>()
  const visit = (node: StreamNode): void => {
    if (needed.has(node)) return
    for (const parent of node.parents) visit(parent)
    needed.add(node)
  }
  for (const output of graph.outputs) visit(output.node)
  return [...needed].sort((a, b) => a.id - b.id)
}
