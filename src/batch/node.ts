// The lineage of a batch: what it is made of, as data. Nothing here runs anything.

import type { Partition, Records } from './records.ts'
import type { Spread } from './spread.ts'

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

/** Brings each pair, in order of arrival, to the partition of its key. */
export type RouteOp = OpBase & { readonly kind: 'route'; readonly partitions: number }

/** Groups the pairs of all parents by key. */
export type CogroupOp = OpBase & { readonly kind: 'cogroup'; readonly partitions: number }

/** Counts the records: one partition with one number. */
export type CountOp = OpBase & { readonly kind: 'count' }

/** Sees all partitions of all parents at once, on one worker, and gives new partitions. */
export type ExchangeOp = OpBase & {
  readonly kind: 'exchange'
  /** What stands for one partition, made where the partition is. Default: its records. */
  readonly partial?: (records: Records<unknown>) => unknown[]
  readonly f: (parents: readonly (readonly Records<unknown>[])[]) => unknown[][]
  /** How many partitions `f` gives, by the number of each parent's. */
  readonly counts: (parents: readonly number[]) => number
}

/** Runs over its parents' partitions where they are: state, windows. */
export type LocalOp = OpBase & {
  readonly kind: 'local'
  /** Runs at most once in an attempt, since running changes state: its result is kept for all who
   * read it, directly or not. */
  readonly once: boolean
  readonly f: (parents: readonly Spread<Partition<unknown>>[]) => Spread<Partition<unknown>>
  /** The records are pairs, each where a shuffle into so many partitions would bring it: partition
   * i has the keys of partition i modulo that number. */
  readonly hashPartitions?: number | undefined
}

/** Awaits a promise for each record, a bounded number at a time; order is kept. */
export type AsyncOp = OpBase & {
  readonly kind: 'mapAsync'
  readonly f: (record: never) => Promise<unknown>
  readonly concurrency: number
  readonly timeoutMs: number | undefined
  readonly retries: number
}

/** Holds records. */
export type LeafOp = OpBase & {
  readonly kind: 'leaf'
  readonly partitions: readonly Partition<unknown>[]
  /** The worker that owns each partition; its records need not be on the others. Default: every
   * worker has them all, and each takes its share. */
  readonly owners?: readonly number[]
}

/** What a node does with its parents' records. */
export type BatchOp =
  | NarrowOp
  | CombineOp
  | RouteOp
  | CountOp
  | ExchangeOp
  | LocalOp
  | AsyncOp
  | LeafOp
  | (OpBase & {
      readonly kind: 'mapPartitions'
      readonly f: (records: Iterable<never>, partition: number) => Iterable<unknown>
    })
  | (OpBase & { readonly kind: 'union' })
  | CogroupOp
  | (OpBase & {
      readonly kind: 'cache'
      /** Told the partitions once they are made. */
      readonly keep?: (partitions: Spread<readonly unknown[]>) => void
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

/** A node that holds records that every worker has. */
export function leaf(partitions: readonly Partition<unknown>[], name = 'leaf'): BatchNode {
  return new BatchNode({ kind: 'leaf', name, fixed: true, partitions }, [])
}

/** A node that holds the records of a source, each partition on the worker that owns it. */
export function sourceLeaf(spread: Spread<Partition<unknown>>, name: string): BatchNode {
  const partitions = spread.parts.map((part) => part ?? [])
  const { owners } = spread
  return new BatchNode({ kind: 'leaf', name, fixed: true, partitions, owners }, [])
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
