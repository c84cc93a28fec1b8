// The lineage of a batch: what it is made of, as data. Nothing here runs anything.

import type { Partition, Records } from './records.ts'

// Closures of a pipeline have any types; the types are kept by DStream and Batch.
type Closure = (...values: never[]) => unknown

interface OpBase {
  /** What errors and stack traces call the operator. */
  readonly name: string
  /** Made once for the whole run, so that generated code pays; false for those made inside a
   * closure. */
  readonly fixed: boolean
}

/** An operator that looks at one record at a time. Chains of them run as one loop. */
export type NarrowOp = OpBase & {
  readonly kind: 'map' | 'filter' | 'flatMap' | 'mapValues' | 'flatMapValues'
  readonly f: Closure
}

/** Merges the values of each key; the partial results of each source partition are made first. */
export type CombineOp = OpBase & {
  readonly kind: 'combineByKey'
  /** Undefined: the first value is the combiner. */
  readonly create: Closure | undefined
  readonly mergeValue: Closure
  readonly mergeCombiners: Closure
  readonly partitions: number
}

/** Sees all partitions of all parents at once and gives new partitions. */
export type ExchangeOp = OpBase & {
  readonly kind: 'exchange'
  /** Runs at most once in an attempt, since running changes state: its result is kept for all who
   * read it, directly or not. */
  readonly once?: boolean
  readonly f: (parents: readonly (readonly Records<unknown>[])[]) => unknown[][]
}

/** Awaits a promise for each record, a bounded number at a time; order is kept. */
export type AsyncOp = OpBase & {
  readonly kind: 'mapAsync'
  readonly f: (record: never) => Promise<unknown>
  readonly concurrency: number
  readonly timeoutMs: number | undefined
  readonly retries: number
}

/** What a node does with its parents' records. */
export type BatchOp =
  | NarrowOp
  | CombineOp
  | ExchangeOp
  | AsyncOp
  | (OpBase & { readonly kind: 'leaf'; readonly partitions: readonly Partition<unknown>[] })
  | (OpBase & {
      readonly kind: 'mapPartitions'
      readonly f: (records: Iterable<never>, partition: number) => Iterable<unknown>
    })
  | (OpBase & { readonly kind: 'union' })
  | (OpBase & { readonly kind: 'cogroup'; readonly partitions: number })
  | (OpBase & {
      readonly kind: 'cache'
      /** Told the partitions once they are made. */
      readonly keep?: (partitions: readonly (readonly unknown[])[]) => void
    })

/** A step of a batch's lineage. Immutable but for the count of those who read it. */
export class BatchNode {
  readonly op: BatchOp
  readonly parents: readonly BatchNode[]
  /** How many nodes and outputs read this one; more than one makes its result worth keeping. */
  readers = 0
  constructor(op: BatchOp, parents: readonly BatchNode[]) {
    this.op = op
    this.parents = parents
    for (const parent of parents) parent.addReader()
  }

  /** Counts one more node or output that reads this one. */
  addReader(): void {
    this.readers += 1
  }
}

/** Makes a node of its parents' nodes: the same recipe serves every batch of a stream. */
export type Recipe = (parents: readonly BatchNode[]) => BatchNode

/** A node that holds records. */
export function leaf(partitions: readonly Partition<unknown>[], name = 'leaf'): BatchNode {
  return new BatchNode({ kind: 'leaf', name, fixed: true, partitions }, [])
}

/** True for operators that look at one record at a time. */
export function isNarrow(op: BatchOp): op is NarrowOp {
  switch (op.kind) {
    case 'map':
    case 'filter':
    case 'flatMap':
    case 'mapValues':
    case 'flatMapValues':
      return true
    default:
      return false
  }
}
