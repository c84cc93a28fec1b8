// What the scheduler asks of whoever runs batches: one thread, or a pool of workers.

import type { Block } from '../batch/block.ts'
import type { Records } from '../batch/records.ts'
import type { SourceRange } from '../receivers/receiver.ts'
import type { WrittenPartition } from '../sinks/sink.ts'
import type { FrozenSlice } from '../state/frozen-graph.ts'
import type { SinkWrite } from './sink-tasks.ts'

/** What a batch takes from one source partition. */
export interface SourcePart {
  readonly range: SourceRange
  /** Bytes of the records in memory. */
  readonly bytes: number
  /** The worker that has the records. */
  readonly owner: number
  /** The records, where one thread does it all; with workers they are at their owner. */
  readonly blocks: readonly Block<unknown>[]
}

/** What a batch takes from each source; undefined where a source has no batch. */
export type BatchSources = readonly (readonly SourcePart[] | undefined)[]

/** A batch to run. */
export interface BatchInput {
  readonly batchId: number
  readonly time: number
  readonly sources: BatchSources
}

/** The records of each partition of one output. */
export type OutputPartitions = readonly Records<unknown>[]

/** What an attempt at a batch gave. */
export interface Ran {
  /** By output, in order of declaration; undefined where its stream has no batch now. What tasks
   * write may be counted only (CountedRecords). */
  readonly outputs: readonly (OutputPartitions | undefined)[]
  /** What the attempt changed: an entry for the log; undefined if nothing, or if there is no
   * log. */
  readonly changes: Uint8Array | undefined
  /** What its closures added to accumulators. */
  readonly added: readonly (readonly [accumulator: string, n: number])[]
  /** Calls of mapAsync that were made again. */
  readonly retriedCalls: number
}

/** What is committed, as the log has it. */
export interface Committed {
  /** The objects of the newest snapshot, in their order; none: from nothing. */
  readonly snapshot: readonly Uint8Array[]
  /** The entries of the batches after it. */
  readonly changes: readonly Uint8Array[]
}

/** All that was committed at one moment, while batches go on. */
export interface FrozenState {
  /** The next slice of it. Rejects where a worker that had some of it has ended. One call at a
   * time. */
  next(): Promise<FrozenSlice>
  /** Lets go of it; nothing happens if the last slice was given. */
  release(): void
}

/** Runs batches, and keeps the state of the pipeline.
 *
 * Callers owe: `restore` before the first `run`; one `run` at a time; `merge` once the attempt that
 * counts has succeeded, before the next batch; `write` between the two. A `run` that rejects, with
 * AttemptFailure, has changed nothing. */
export interface Executor {
  /** True if a batch can run while the one before is written and committed. */
  readonly overlaps: boolean
  /** Takes over what is committed. */
  restore(committed: Committed): Promise<void>
  /** One attempt; `traced` interprets closures, so that an error names its operator and record. */
  run(input: BatchInput, traced: boolean): Promise<Ran>
  /** Lets tasks write what the last attempt gave for an output. Settles when all of them have
   * ended. Rejects with WORKER_DIED (retryable) where records are gone: then the batch has to be
   * run again. */
  write(write: SinkWrite): Promise<WrittenPartition[]>
  /** Makes what the last attempt did part of what is committed. */
  merge(): void
  /** Holds all that is committed; called right after `merge`. One at a time. */
  freeze(): FrozenState
  /** The kept batches of a persisted stream with from ≤ time ≤ to, partition by partition. */
  slice(nodeId: number, from: number, to: number): Promise<readonly OutputPartitions[]>
  close(): Promise<void>
}
