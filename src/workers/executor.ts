// What the scheduler asks of whoever runs batches: one thread, or a pool of workers.

import type { Block } from '../batch/block.ts'
import type { Records } from '../batch/records.ts'
import type { SourceRange } from '../receivers/receiver.ts'
import type { WrittenPartition } from '../sinks/sink.ts'
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
  /** What the attempt changed: an entry for the log; undefined if nothing. */
  readonly changes: Uint8Array | undefined
  /** What its closures added to accumulators. */
  readonly added: readonly (readonly [accumulator: string, n: number])[]
  /** Calls of mapAsync that were made again. */
  readonly retriedCalls: number
}

/** Runs batches, and keeps the state of the pipeline.
 *
 * Callers owe: `restore` before the first `run`; one `run` at a time; `merge` once the attempt that
 * counts has succeeded, before the next batch; `write` between the two. A `run` that rejects, with
 * AttemptFailure, has changed nothing. */
export interface Executor {
  /** True if a batch can run while the one before is written and committed. */
  readonly overlaps: boolean
  /** Takes over what is committed: a snapshot and the changes after it, entries of the log. */
  restore(snapshot: Uint8Array | undefined, changes: readonly Uint8Array[]): Promise<void>
  /** One attempt; `traced` interprets closures, so that an error names its operator and record. */
  run(input: BatchInput, traced: boolean): Promise<Ran>
  /** Lets tasks write what the last attempt gave for an output. Settles when all of them have
   * ended. Rejects with WORKER_DIED (retryable) where records are gone: then the batch has to be
   * run again. */
  write(write: SinkWrite): Promise<WrittenPartition[]>
  /** Makes what the last attempt did part of what is committed. */
  merge(): void
  /** All that is committed, as an entry of the log. */
  snapshot(): Promise<Uint8Array>
  /** The kept batches of a persisted stream with from ≤ time ≤ to, partition by partition. */
  slice(nodeId: number, from: number, to: number): Promise<readonly OutputPartitions[]>
  close(): Promise<void>
}
