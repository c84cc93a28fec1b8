// Runs the lineage of one batch on one worker: narrow chains as loops over each partition that the
// worker owns, shuffles in between. Every worker of a run evaluates the same nodes in the same
// order; a shuffle is where they meet.
//
// Order is defined: a shuffle combines each source partition in offset order and merges the partial
// results in the order of the source partitions, so keys stand in first-seen order of (source
// partition, offset), on any number of workers.

import { isPrimitive } from '../batch/codec.ts'
import type {
  AsyncOp,
  BatchNode,
  BatchOp,
  CogroupOp,
  CombineOp,
  CountOp,
  ExchangeOp,
  LeafOp,
  NarrowOp,
  RouteOp,
} from '../batch/node.ts'
import { isNarrow } from '../batch/node.ts'
import { isPromise, refusePromise } from '../batch/promise.ts'
import type { Partition, Records } from '../batch/records.ts'
import { openRecords, type SealedRecords, sealRecords } from '../batch/sealed.ts'
import { mapSpread, ownersOf, type Spread, spreadBy } from '../batch/spread.ts'
import type { Clock } from '../clock.ts'
import { codeOf, type StreamingError, TaskError } from '../errors.ts'
import { callAsync } from './async-call.ts'
import { callEach } from './call-each.ts'
import { cogroupChunks } from './cogroup.ts'
import { KeyTable, mergeChunks, routeTable } from './combiner.ts'
import { runExchange } from './exchange.ts'
import { LoopFailure } from './failure.ts'
import { chainName, interpret, type Trace } from './interpreter.ts'
import { Counter, type EndOp, type LoopTarget } from './loop.ts'
import { loopInputs, positionOf } from './loop-input.ts'
import { alone, type Peers } from './peers.ts'
import { asRouted, deliver, type Routed, Router } from './routing.ts'
import type { StageCache } from './stage-cache.ts'

/** A partition that has not been read yet, and the operators to run over it. */
interface LazyPartition {
  readonly pieces: Partition<unknown>
  readonly ops: readonly NarrowOp[]
}

type Lazy = Spread<LazyPartition>

/** What one attempt at one batch needs. */
export interface EvaluatorOptions {
  /** Batch time, for errors. */
  readonly time: number
  /** Interpret everything, so that an error names its operator: used for retries. */
  readonly traced: boolean
  readonly stages: StageCache
  readonly clock: Clock
  /** The other workers. @default none: one thread owns all */
  readonly peers?: Peers
  /** Told of each call of mapAsync that is made again. */
  readonly onCallRetried?: () => void
}

/** Evaluates nodes of one batch, in one attempt. */
export class Evaluator {
  readonly #options: EvaluatorOptions
  readonly #peers: Peers
  readonly #kept = new Map<BatchNode, Spread<SealedRecords>>()
  readonly #shared = new Map<BatchNode, Lazy>()

  constructor(options: EvaluatorOptions) {
    this.#options = options
    this.#peers = options.peers ?? alone
  }

  /** The partitions of a node; those of other workers are only counted. */
  async run(node: BatchNode): Promise<Spread<Partition<unknown>>> {
    const lazy = await this.#resolve(node)
    return mapSpread(lazy, (part, index) =>
      part.ops.length === 0 ? part.pieces : [this.#collect(part, index)],
    )
  }

  /** The records of each partition of a node, where one thread owns all. */
  async records(node: BatchNode): Promise<unknown[][]> {
    const lazy = await this.#resolve(node)
    return lazy.parts.map((part, index) => (part === undefined ? [] : this.#collect(part, index)))
  }

  async #resolve(node: BatchNode): Promise<Lazy> {
    const kept = this.#kept.get(node)
    if (kept !== undefined) return mapSpread(kept, (sealed) => whole(openRecords(sealed)))
    const shared = this.#shared.get(node)
    if (shared !== undefined) return shared
    const { op } = node
    if (!isNarrow(op)) return this.#keepIfRead(node, await this.#wide(node, op))
    const parent = await this.#resolve(node.parents[0] as BatchNode)
    const lazy = mapSpread(parent, ({ pieces, ops }) => ({ pieces, ops: [...ops, op] }))
    return this.#keepIfRead(node, lazy)
  }

  /** Keeps what has several readers, and what may run only once; the rest streams through. */
  #keepIfRead(node: BatchNode, lazy: Lazy): Lazy {
    const { op, readers } = node
    const once = op.kind === 'local' && op.once
    if (op.kind === 'leaf' || (readers <= 1 && op.kind !== 'cache' && !once)) return lazy
    if (once && readers <= 1) return this.#share(node, lazy)
    const parts = mapSpread(lazy, (part, index) => this.#collect(part, index))
    if (op.kind === 'cache') op.keep?.(parts)
    if (parts.parts.every((part) => part === undefined || isPlain(part))) {
      return this.#share(node, mapSpread(parts, whole))
    }
    return this.#seal(node, parts, once)
  }

  /** Seals records, so that no reader sees what another's closure changed in place. What cannot be
   * sealed is made anew for each reader, or shared as it is where it may run only once. */
  #seal(node: BatchNode, parts: Spread<unknown[]>, once: boolean): Lazy {
    try {
      const sealed = mapSpread(parts, (part) => sealRecords(part, resultOf(node)))
      this.#kept.set(node, sealed)
      return mapSpread(sealed, (records) => whole(openRecords(records)))
    } catch (error) {
      if (codeOf(error) !== 'VALUE_NOT_STORABLE') throw error
      const lazy = mapSpread(parts, whole)
      return once ? this.#share(node, lazy) : lazy
    }
  }

  #share(node: BatchNode, lazy: Lazy): Lazy {
    this.#shared.set(node, lazy)
    return lazy
  }

  async #wide(node: BatchNode, op: Exclude<BatchOp, NarrowOp>): Promise<Lazy> {
    switch (op.kind) {
      case 'leaf':
        return this.#leaf(op)
      case 'union':
        return concat(await this.#parents(node))
      case 'cache':
        return this.#first(node)
      case 'combineByKey':
        return this.#combine(await this.#first(node), op)
      case 'route': {
        const routed = await this.#route(await this.#first(node), op)
        return mapSpread(routed, (pieces) => ({ pieces, ops: [] }))
      }
      case 'cogroup':
        return this.#cogroup(node.parents, await this.#parents(node), op)
      case 'count':
        return this.#count(await this.#first(node), op)
      case 'exchange':
        return this.#exchange(await this.#parents(node), op)
      case 'mapAsync':
        return this.#mapAsync(await this.#first(node), op)
      case 'mapPartitions':
        return mapSpread(await this.#first(node), (part, index) => {
          const records = this.#collect(part, index)
          return this.#guard(op.name, index, () => {
            // The closure may change its array in place; a window may still hold this one.
            const result = op.f(records.slice() as never[], index)
            if (isPromise(result)) refusePromise(result)
            return whole(Array.from(result))
          })
        })
      case 'local': {
        const parents = (await this.#parents(node)).map((parent) => this.#pieces(parent))
        const result = this.#guard(op.name, 0, () => op.f(parents))
        return mapSpread(result, (pieces) => ({ pieces, ops: [] }))
      }
    }
  }

  async #parents(node: BatchNode): Promise<Lazy[]> {
    const parents: Lazy[] = []
    for (const parent of node.parents) parents.push(await this.#resolve(parent))
    return parents
  }

  #first(node: BatchNode): Promise<Lazy> {
    return this.#resolve(node.parents[0] as BatchNode)
  }

  #leaf(op: LeafOp): Lazy {
    const { self, workers } = this.#peers
    const owners = op.owners ?? ownersOf(op.partitions.length, workers)
    const parts = op.partitions.map((pieces, i) =>
      owners[i] === self ? { pieces, ops: [] } : undefined,
    )
    return { owners, parts }
  }

  #pieces(lazy: Lazy): Spread<Partition<unknown>> {
    return mapSpread(lazy, (part, index) =>
      part.ops.length === 0 ? part.pieces : [this.#collect(part, index)],
    )
  }

  async #combine(lazy: Lazy, op: CombineOp): Promise<Lazy> {
    const routers = mapSpread(lazy, (part, index) => {
      const partial = new KeyTable()
      this.#runChain(part, index, op, partial)
      return this.#guard(op.name, index, () => routeTable(partial, op.partitions))
    })
    const routed = await deliver(routers, op.partitions, this.#peers, resultNamed(op.name))
    return mapSpread(routed, (chunks) => {
      const at = { source: 0 }
      try {
        return whole(mergeChunks(chunks, op, at))
      } catch (cause) {
        throw this.#taskError(op.name, at.source, undefined, cause)
      }
    })
  }

  #route(lazy: Lazy, op: RouteOp | CogroupOp): Promise<Routed> {
    const routers = mapSpread(lazy, (part, index) => {
      const router = new Router(op.partitions)
      this.#runChain(part, index, op, router)
      return router
    })
    return deliver(routers, op.partitions, this.#peers, resultNamed(op.name))
  }

  async #cogroup(nodes: readonly BatchNode[], parents: Lazy[], op: CogroupOp): Promise<Lazy> {
    const routed: Routed[] = []
    for (const [i, parent] of parents.entries()) {
      const isThere = hashPartitionsOf(nodes[i]) === op.partitions
      routed.push(
        isThere
          ? asRouted(this.#pieces(parent), op.partitions, this.#peers)
          : await this.#route(parent, op),
      )
    }
    const { workers, self } = this.#peers
    return spreadBy(ownersOf(op.partitions, workers), self, (target) =>
      this.#guard(op.name, target, () =>
        whole(cogroupChunks(routed.map(({ parts }) => parts[target] ?? []))),
      ),
    )
  }

  async #count(lazy: Lazy, op: CountOp): Promise<Lazy> {
    const counts = mapSpread(lazy, (part, index) => {
      const counter = new Counter()
      if (part.ops.length === 0) return [partitionCount(part.pieces)]
      this.#runChain(part, index, op, counter)
      return [counter.n]
    })
    const sum = ([partials = []]: readonly (readonly Records<unknown>[])[]) => [
      [partials.reduce((n, part) => n + (part.at(0) as number), 0)],
    ]
    const parts = await runExchange([counts], { f: sum, counts: () => 1 }, this.#peers, op.name)
    return mapSpread(parts, whole)
  }

  async #exchange(parents: Lazy[], op: ExchangeOp): Promise<Lazy> {
    const partials = parents.map((parent) =>
      mapSpread(parent, (part, index) => {
        const records = this.#collect(part, index)
        const { partial } = op
        if (partial === undefined) return records
        return this.#guard(op.name, index, () => partial(records))
      }),
    )
    const f: typeof op.f = (all) => this.#guard(op.name, 0, () => op.f(all))
    const { counts } = op
    return mapSpread(await runExchange(partials, { f, counts }, this.#peers, op.name), whole)
  }

  /** Each worker has an even share of the concurrency. */
  async #mapAsync(lazy: Lazy, op: AsyncOp): Promise<Lazy> {
    const parts = mapSpread(lazy, (part, index) => this.#collect(part, index))
    const calls = parts.parts.flatMap((records, partition) =>
      (records ?? []).map((record, index) => ({ record, partition, index })),
    )
    const { clock, onCallRetried = () => undefined } = this.#options
    const share = Math.max(1, Math.floor(op.concurrency / this.#peers.workers))
    const results = await callEach(calls, share, async ({ record, partition, index }) => {
      this.#peers.throwIfGivenUp()
      try {
        return await callAsync(op, record, clock, onCallRetried)
      } catch (cause) {
        throw this.#taskError(op.name, partition, { index, position: undefined }, cause)
      }
    })
    let next = 0
    return mapSpread(parts, (records) => {
      const first = next
      next += records.length
      return whole(results.slice(first, next))
    })
  }

  #collect(part: LazyPartition, index: number): unknown[] {
    const [piece] = part.pieces
    if (part.ops.length === 0 && part.pieces.length === 1 && Array.isArray(piece)) return piece
    const out: unknown[] = []
    this.#runChain(part, index, undefined, out)
    return out
  }

  #runChain(
    part: LazyPartition,
    partition: number,
    end: EndOp | undefined,
    target: LoopTarget,
  ): void {
    let before = 0
    for (const piece of part.pieces) {
      this.#runPiece(piece, part.ops, end, target, { partition, before })
      before += piece.length
    }
  }

  #runPiece(
    piece: Records<unknown>,
    ops: readonly NarrowOp[],
    end: EndOp | undefined,
    target: LoopTarget,
    at: { readonly partition: number; readonly before: number },
  ): void {
    const { stages, traced } = this.#options
    const { kind, inputs } = loopInputs(piece)
    const loop = traced ? undefined : stages.loopOf(ops, end, kind)
    const trace: Trace = { operator: chainName(ops, end), record: 0 }
    try {
      if (loop === undefined) interpret(ops, end, piece, target, trace)
      else {
        for (const input of inputs) {
          loop(input, target)
          trace.record += input.length
        }
      }
    } catch (thrown) {
      const index = trace.record + (thrown instanceof LoopFailure ? thrown.index : 0)
      const cause = thrown instanceof LoopFailure ? thrown.cause : thrown
      const record = { index: at.before + index, position: positionOf(piece, index) }
      throw this.#taskError(trace.operator, at.partition, record, cause)
    }
  }

  #guard<R>(operator: string, partition: number, run: () => R): R {
    try {
      return run()
    } catch (cause) {
      throw this.#taskError(operator, partition, undefined, cause)
    }
  }

  #taskError(
    operator: string,
    partition: number,
    record: { readonly index: number; readonly position: string | undefined } | undefined,
    cause: unknown,
  ): StreamingError {
    if (cause instanceof TaskError) return cause
    const { index, position } = record ?? { index: undefined, position: undefined }
    return new TaskError(
      { time: this.#options.time, operator, partition, record: index, position },
      cause,
    )
  }
}

function whole(records: Records<unknown>): LazyPartition {
  return { pieces: [records], ops: [] }
}

/** The partitions of all, one after the other. */
function concat(spreads: readonly Lazy[]): Lazy {
  return {
    owners: spreads.flatMap(({ owners }) => owners),
    parts: spreads.flatMap(({ parts }) => parts),
  }
}

function isPlain(records: readonly unknown[]): boolean {
  return records.every((record) => isPrimitive(record))
}

function partitionCount(pieces: Partition<unknown>): number {
  return pieces.reduce((n, piece) => n + piece.length, 0)
}

/** See `LocalOp`. */
function hashPartitionsOf(node: BatchNode | undefined): number | undefined {
  return node?.op.kind === 'local' ? node.op.hashPartitions : undefined
}

function resultOf(node: BatchNode): string {
  return resultNamed(node.op.name)
}

function resultNamed(operator: string): string {
  return `the result of "${operator}"`
}
