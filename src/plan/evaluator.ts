// Runs the lineage of one batch: narrow chains as loops over each partition, shuffles in between.
//
// Order is defined: a shuffle combines each source partition in offset order and merges the partial
// results in the order of the source partitions, so keys stand in first-seen order of (source
// partition, offset).

import PQueue from 'p-queue'
import { isPrimitive } from '../batch/codec.ts'
import type { AsyncOp, BatchNode, BatchOp, CombineOp, NarrowOp } from '../batch/node.ts'
import { isNarrow } from '../batch/node.ts'
import { partitionOfToken } from '../batch/partitioner.ts'
import { isPromise, refusePromise, synchronous } from '../batch/promise.ts'
import type { Partition, Records } from '../batch/records.ts'
import { openRecords, type SealedRecords, sealRecords } from '../batch/sealed.ts'
import type { Clock } from '../clock.ts'
import { codeOf, type StreamingError, TaskError } from '../errors.ts'
import { callAsync } from './async-call.ts'
import { cogroupPartitions } from './cogroup.ts'
import { KeyTable } from './combiner.ts'
import { LoopFailure } from './failure.ts'
import { interpret, type Trace } from './interpreter.ts'
import type { LoopTarget } from './loop.ts'
import type { StageCache } from './stage-cache.ts'

/** A partition that has not been read yet, and the operators to run over it. */
interface LazyPartition {
  readonly pieces: Partition<unknown>
  readonly ops: readonly NarrowOp[]
}

/** What one attempt at one batch needs. */
export interface EvaluatorOptions {
  /** Batch time, for errors. */
  readonly time: number
  /** Interpret everything, so that an error names its operator: used for retries. */
  readonly traced: boolean
  readonly stages: StageCache
  readonly clock: Clock
}

/** Evaluates nodes of one batch, in one attempt. */
export class Evaluator {
  readonly #options: EvaluatorOptions
  readonly #kept = new Map<BatchNode, readonly SealedRecords[]>()
  readonly #shared = new Map<BatchNode, readonly (readonly unknown[])[]>()

  constructor(options: EvaluatorOptions) {
    this.#options = options
  }

  /** The records of each partition of a node. */
  async run(node: BatchNode): Promise<unknown[][]> {
    const lazy = await this.#resolve(node)
    return lazy.map((part, index) => this.#collect(part, index))
  }

  async #resolve(node: BatchNode): Promise<readonly LazyPartition[]> {
    const kept = this.#kept.get(node)
    if (kept !== undefined) return kept.map((sealed) => whole(openRecords(sealed)))
    const shared = this.#shared.get(node)
    if (shared !== undefined) return shared.map(whole)
    const { op } = node
    if (!isNarrow(op)) return this.#keepIfRead(node, await this.#wide(node, op))
    const parent = await this.#resolve(node.parents[0] as BatchNode)
    const lazy = parent.map(({ pieces, ops }) => ({ pieces, ops: [...ops, op] }))
    return this.#keepIfRead(node, lazy)
  }

  /** Keeps what has several readers, and what may run only once; the rest streams through. */
  #keepIfRead(node: BatchNode, lazy: readonly LazyPartition[]): readonly LazyPartition[] {
    const { op, readers } = node
    const once = op.kind === 'exchange' && op.once === true
    if (op.kind === 'leaf' || (readers <= 1 && op.kind !== 'cache' && !once)) return lazy
    const parts = lazy.map((part, index) => this.#collect(part, index))
    if (op.kind === 'cache') op.keep?.(parts)
    if ((once && readers <= 1) || parts.every(isPlain)) {
      this.#shared.set(node, parts)
      return parts.map(whole)
    }
    return this.#seal(node, parts, once)
  }

  /** Seals records, so that no reader sees what another's closure changed in place. What cannot be
   * sealed is made anew for each reader, or shared as it is where it may run only once. */
  #seal(node: BatchNode, parts: unknown[][], once: boolean): readonly LazyPartition[] {
    try {
      const sealed = parts.map((part) => sealRecords(part, `the result of "${node.op.name}"`))
      this.#kept.set(node, sealed)
      return sealed.map((records) => whole(openRecords(records)))
    } catch (error) {
      if (codeOf(error) !== 'VALUE_NOT_STORABLE') throw error
      if (once) this.#shared.set(node, parts)
      return parts.map(whole)
    }
  }

  async #wide(node: BatchNode, op: Exclude<BatchOp, NarrowOp>): Promise<readonly LazyPartition[]> {
    switch (op.kind) {
      case 'leaf':
        return op.partitions.map((pieces) => ({ pieces, ops: [] }))
      case 'union': {
        const parents: LazyPartition[] = []
        for (const parent of node.parents) parents.push(...(await this.#resolve(parent)))
        return parents
      }
      case 'cache':
        return (await this.run(node.parents[0] as BatchNode)).map(whole)
      case 'combineByKey':
        return this.#shuffle(await this.#resolve(node.parents[0] as BatchNode), op)
      case 'mapAsync':
        return this.#mapAsync(await this.run(node.parents[0] as BatchNode), op)
      default: {
        const parents: unknown[][][] = []
        for (const parent of node.parents) parents.push(await this.run(parent))
        return this.#whole(parents, op)
      }
    }
  }

  #whole(
    parents: unknown[][][],
    op: Extract<BatchOp, { kind: 'mapPartitions' | 'exchange' | 'cogroup' }>,
  ): readonly LazyPartition[] {
    switch (op.kind) {
      case 'mapPartitions':
        return (parents[0] ?? []).map((records, index) =>
          this.#guard(op.name, index, () => {
            // The closure may change its array in place; a window may still hold this one.
            const result = op.f(records.slice() as never[], index)
            if (isPromise(result)) refusePromise(result)
            return whole(Array.from(result))
          }),
        )
      case 'exchange':
        return this.#guard(op.name, 0, () => op.f(parents)).map(whole)
      case 'cogroup':
        return this.#guard(op.name, 0, () => cogroupPartitions(parents, op.partitions)).map(whole)
    }
  }

  #shuffle(lazy: readonly LazyPartition[], op: CombineOp): readonly LazyPartition[] {
    const tables = Array.from({ length: op.partitions }, () => new KeyTable())
    lazy.forEach((part, index) => {
      const partial = new KeyTable()
      this.#runChain(part, index, op, partial)
      this.#guard(op.name, index, () => mergeInto(tables, partial, op))
    })
    return tables.map(({ keys, values }) => whole(keys.map((key, i) => [key, values[i]])))
  }

  async #mapAsync(parts: unknown[][], op: AsyncOp): Promise<readonly LazyPartition[]> {
    const queue = new PQueue({ concurrency: op.concurrency })
    const results = parts.map((records, partition) =>
      records.map((record, index) =>
        queue
          .add(() => callAsync(op, record, this.#options.clock))
          .catch((cause: unknown) => {
            queue.clear()
            throw this.#taskError(op.name, partition, { index, position: undefined }, cause)
          }),
      ),
    )
    const settled = await Promise.allSettled(results.flat())
    const failed = settled.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    return Promise.all(results.map(async (part) => whole(await Promise.all(part))))
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
    combine: CombineOp | undefined,
    target: LoopTarget,
  ): void {
    let before = 0
    for (const piece of part.pieces) {
      this.#runPiece(piece, part.ops, combine, target, { partition, before })
      before += piece.length
    }
  }

  #runPiece(
    piece: Records<unknown>,
    ops: readonly NarrowOp[],
    combine: CombineOp | undefined,
    target: LoopTarget,
    at: { readonly partition: number; readonly before: number },
  ): void {
    const input = Array.isArray(piece) ? 'array' : 'block'
    const { stages, traced } = this.#options
    const loop = traced ? undefined : stages.loopOf(ops, combine, input)
    const trace: Trace = { operator: chainName(ops, combine), record: 0 }
    try {
      if (loop === undefined) interpret(ops, combine, piece, target, trace)
      else loop(piece, target)
    } catch (thrown) {
      const index = thrown instanceof LoopFailure ? thrown.index : trace.record
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

function mergeInto(tables: readonly KeyTable[], partial: KeyTable, op: CombineOp): void {
  const merge = op.mergeCombiners as (a: unknown, b: unknown) => unknown
  let id = 0
  for (const token of partial.tokens()) {
    const table = tables[partitionOfToken(token, tables.length)] as KeyTable
    const value = synchronous(partial.values[id])
    const known = table.ids.get(token)
    if (known !== undefined) table.values[known] = synchronous(merge(table.values[known], value))
    else table.values[table.idOf(partial.keys[id])] = value
    id += 1
  }
}

function whole(records: Records<unknown>): LazyPartition {
  return { pieces: [records], ops: [] }
}

function isPlain(records: readonly unknown[]): boolean {
  return records.every((record) => isPrimitive(record))
}

function chainName(ops: readonly NarrowOp[], combine: CombineOp | undefined): string {
  return [...ops, ...(combine === undefined ? [] : [combine])].map((op) => op.name).join(' → ')
}

function positionOf(piece: Records<unknown>, index: number): string | undefined {
  const block = piece as { positionAt?: (index: number) => string }
  return block.positionAt?.(index)
}
