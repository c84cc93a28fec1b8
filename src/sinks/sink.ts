// The contract between the engine and a place where results go.

import type { Logger } from '../events.ts'

/** Names one attempt to write one batch. The same batch id, time and records come on every
 * attempt. */
export interface SinkBatch {
  /** Name of the pipeline. */
  readonly pipeline: string
  /** Counts from 1; the same on every attempt, in every process. */
  readonly batchId: number
  /** Batch time, epoch milliseconds. */
  readonly time: number
  /** Grows with each start on the checkpoint; 0 without one. */
  readonly epoch: number
  /** Counts from 0 and grows when a batch is written again by the same process. */
  readonly attempt: number
}

/** What a sink gets when it is opened. */
export interface SinkContext {
  /** Name of the pipeline. */
  readonly pipeline: string
  /** Ordinal of the output operation within the pipeline, from 0; stable as long as the pipeline
   * is. */
  readonly outputId: number
  /** Grows with each start on the checkpoint; 0 without one. */
  readonly epoch: number
  /** Takes what an operator of the service should know. */
  readonly logger: Logger
}

/** One sink as used by one run.
 *
 * The engine owes: `recover` before the first `write`, with the ids of batches that were planned
 * and not committed; `write` in order of batch ids, never two at once; a batch is written only
 * after its plan is durable, and again with the same records if the process died before the
 * commit. Implementers of an exactly-once sink owe: `write` makes all of the batch visible or
 * nothing, and writing a batch that is already there changes nothing. */
export interface SinkWriter<T> {
  /** Tells which batches may already be there in whole or in part. Runs in the driver. */
  recover(batchIds: readonly number[]): Promise<void>
  /** Writes the partitions of a batch and gives a receipt that goes into the commit record. Runs
   * in the driver. */
  write(batch: SinkBatch, partitions: readonly (readonly T[])[]): Promise<SinkReceipt>
  /** Ends the work in flight and lets go of the place. */
  close(): Promise<void>
}

/** What a sink has to say about a written batch; goes into the log as it is. */
export interface SinkReceipt {
  /** Records written. */
  readonly records: number
  /** Bytes written; 0 where the sink does not know. */
  readonly bytes: number
}

/** Describes where results go. `writeTo()` takes it; nothing is opened before `start()`. */
export interface Sink<T> {
  /** Short name for logs, errors and the plan, for example `files:./out`. */
  readonly name: string
  /** `exactly-once`: a batch written twice is there once. `at-least-once`: it may be seen again,
   * under the same id. */
  readonly guarantee: 'exactly-once' | 'at-least-once'
  /** Checks the place and rejects with an error that says what to check. */
  open(context: SinkContext): Promise<SinkWriter<T>>
  /** Only carries the type of the records. */
  readonly accepts?: (record: T) => void
}
