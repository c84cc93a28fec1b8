// What every family of operations builds on: the lineage of a batch, and who runs it.

import { ConfigError, StreamingError } from '../errors.ts'
import type { Batch } from './batch.ts'
import { type BatchNode, leaf, type Recipe } from './node.ts'
import { cutEvenly, type Naming } from './recipes.ts'
import { FreshRecords } from './sealed.ts'

/** Runs lineages. The engine gives one to each batch; an action without one is refused. */
export interface BatchRuntime {
  /** Gives the records of each partition; `time` is the batch time that errors name. */
  run(node: BatchNode, time?: number): Promise<unknown[][]>
}

/** The runtime of a batch that belongs to no running pipeline. */
export const noRuntime: BatchRuntime = {
  run: () =>
    Promise.reject(
      new StreamingError(
        'ACTION_NOT_ALLOWED',
        'Cannot run an action on a batch outside of a running pipeline: only lazy operations ' +
          'work here; call the action in foreachBatch',
      ),
    ),
}

/** Anything with a lineage. */
export interface Lineage {
  readonly node: BatchNode
}

/** A batch's lineage and its runtime. `T` is the type of the records. */
export abstract class BatchBase<T> {
  /** The lineage; for the engine. */
  readonly node: BatchNode
  /** Only carries the type of the records. */
  declare readonly records?: T
  protected readonly runtime: BatchRuntime

  constructor(node: BatchNode, runtime: BatchRuntime = noRuntime) {
    this.node = node
    this.runtime = runtime
  }

  /** Makes the batch of a node, with this batch's runtime. */
  protected abstract derive<U>(node: BatchNode): Batch<U>

  /** The batch that a recipe makes of this one and others. */
  protected lift<U>(recipe: Recipe, ...others: readonly Lineage[]): Batch<U> {
    return this.derive(recipe([this.node, ...others.map((other) => other.node)]))
  }
}

/** How an operation is called in errors. It is made anew for each batch. */
export function dynamic(name: string): Naming {
  return { name, fixed: false }
}

/** A node of records that are read now; each batch that reads the node gets them as they are. */
export function tableOf(records: Iterable<unknown>, partitions: number): BatchNode {
  return leaf(cutEvenly([...records], partitions).map((part) => [new FreshRecords(part)]))
}

/** The lineage of the other side of an operator on pairs: a batch, or a table that is read now. */
export function lineageOf(other: unknown, operator: string): Lineage {
  if (other instanceof BatchBase) return other
  if (typeof other === 'object' && other !== null && Symbol.iterator in other) {
    return { node: tableOf(other as Iterable<unknown>, 1) }
  }
  throw new ConfigError(
    `Cannot use ${String(other)} in ${operator}: give pairs as a batch, a Map or another iterable`,
  )
}
