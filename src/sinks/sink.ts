// The contract between the engine and a place where results go. docs/sinks.md tells it in order.
//
// A sink is one of two kinds. A DriverSink gets each batch whole, in the driver. A TaskSink has two
// sides: tasks, in the threads that have the records, put partitions where nobody looks yet, and
// the driver then makes all of them visible in one step.

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
  /** Which attempt of this epoch at the batch the records are of, from 0. It grows where a closure
   * threw or a worker died, so it may begin above 0. */
  readonly attempt: number
}

/** One partition of one attempt at a batch: what a task writes. */
export interface SinkTask extends SinkBatch {
  /** From 0; the same records on every attempt under the same plan. */
  readonly partition: number
  /** What `prepare` gave for this attempt. */
  readonly ticket: unknown
}

/** What a sink gets when it is opened in the driver. */
export interface SinkContext {
  /** Name of the pipeline. */
  readonly pipeline: string
  /** Ordinal of the output operation within the pipeline, from 0. Where a batch is to be run again,
   * it is the one under which it was written, or the start is refused: unless the sink has a
   * `place`. */
  readonly outputId: number
  /** Grows with each start on the checkpoint; 0 without one. */
  readonly epoch: number
  /** The newest batch that the checkpoint knows of, planned, committed or skipped; 0 if it is
   * fresh, or there is none. What the place holds of a later one is of another checkpoint. The
   * engine always gives it. @default not known */
  readonly newestBatchId?: number
  /** Takes what an operator of the service should know. */
  readonly logger: Logger
  /** Counts a call to the place that failed and is made again. */
  readonly retried: (error: unknown) => void
}

/** What a sink gets when it is opened for the tasks of a thread. */
export type SinkTaskContext = Pick<SinkContext, 'pipeline' | 'outputId' | 'epoch'>

/** What a sink has to say about a written batch; goes into the log as it is. */
export interface SinkReceipt {
  /** Records written. */
  readonly records: number
  /** Bytes written; 0 where the sink does not know. */
  readonly bytes: number
}

/** What a task has to say about a partition that it wrote. */
export interface TaskReceipt extends SinkReceipt {
  /** Calls to the place that failed and were made again. @default 0 */
  readonly retries?: number
  /** What `commit` needs to know of the partition: small, and structured-cloneable. */
  readonly detail?: unknown
}

/** The receipt of a partition, as `commit` gets it. */
export interface WrittenPartition extends TaskReceipt {
  /** From 0. */
  readonly partition: number
}

/** A driver sink as used by one run.
 *
 * The engine owes: `recover` before the first `write`, with the ids of batches that were planned
 * and not committed; `write` in order of batch ids, never two at once, for batches without records
 * too; a batch is written only after its plan is durable, and again with the same records if the
 * process died before the commit. Implementers of an exactly-once sink owe: `write` makes all of
 * the batch visible or nothing, and writing a batch that is already there changes nothing. */
export interface SinkWriter<T> {
  /** Tells which batches may already be there in whole or in part. Runs in the driver. */
  recover(batchIds: readonly number[]): Promise<void>
  /** Writes the partitions of a batch and gives a receipt that goes into the commit record. Runs
   * in the driver. */
  write(batch: SinkBatch, partitions: readonly (readonly T[])[]): Promise<SinkReceipt>
  /** Ends the work in flight and lets go of the place. There may be some where the run ends at
   * once: then this has a second. */
  close(): Promise<void>
}

/** The driver's side of a task sink, as used by one run.
 *
 * The engine owes: `recover` before all else; for each batch with records `prepare`, then the
 * writes of its tasks, then `commit`, and no call for another batch meanwhile. Where a worker died,
 * `prepare` comes again for the same batch with a higher attempt, and what the attempt before wrote
 * is never committed. `prepare` comes only after the plan of the batch is durable. Whatever was
 * prepared or committed and is not in the log comes again after a restart, with a higher epoch.
 *
 * Implementers owe: nothing of a batch is visible before `commit`, and all of it after; a `commit`
 * of a batch that is there changes nothing. Where the sink can, `commit` makes sure, in the same
 * step that makes the batch visible, that no higher epoch has opened the place, and otherwise
 * rejects with the code FENCED. */
export interface SinkCommitter {
  /** Tells which batches may already be there in whole or in part. */
  recover(batchIds: readonly number[]): Promise<void>
  /** Makes the place ready for the tasks of one attempt. What it gives reaches them as `ticket`:
   * small, and structured-cloneable. */
  prepare(batch: SinkBatch): Promise<unknown>
  /** Makes the written partitions visible, all in one step. `written` is in order of partitions;
   * those without records are not among them. */
  commit(batch: SinkBatch, written: readonly WrittenPartition[]): Promise<SinkReceipt>
  /** Ends the work in flight and lets go of the place. There may be some where the run ends at
   * once: then this has a second. */
  close(): Promise<void>
}

/** The tasks' side of a task sink, as used by one thread of one run.
 *
 * The engine owes: at most four writes of a thread at once, each with the records of one partition,
 * at least one. Implementers owe: what is written is invisible until it is committed, and found
 * again by (batch, partition, attempt, epoch) alone: the driver may have died since. */
export interface SinkTaskWriter<T> {
  /** Puts the records of one partition where `commit` finds them. */
  write(task: SinkTask, records: readonly T[]): Promise<TaskReceipt>
  /** Lets go of the place. Not called where the thread dies. */
  close(): Promise<void>
}

/** Describes where results go: a DriverSink or a TaskSink. `writeTo()` takes it; nothing is opened
 * before `start()`. */
export interface Sink<T> {
  /** Short name for logs, errors and the checkpoint, for example `files:./out`. The same at each
   * start. */
  readonly name: string
  /** `exactly-once`: a batch written twice is there once. `at-least-once`: it may be seen again,
   * under the same id. */
  readonly guarantee: 'exactly-once' | 'at-least-once'
  /** Checks the place and rejects with an error that says what to check. From then on a lower epoch
   * must not commit, where the sink can help it. */
  open(context: SinkContext): Promise<SinkWriter<T> | SinkCommitter>
  /** Where it writes, if no other output of a pipeline may write there too. A sink that has one
   * finds its batches there, and does not need `outputId` for it: then outputs may change their
   * order at any time. */
  readonly place?: string
  /** Only carries the type of the records. */
  readonly accepts?: (record: T) => void
}

/** A sink whose driver gets each batch whole. */
export interface DriverSink<T> extends Sink<T> {
  /** Opens the one side that it has. */
  open(context: SinkContext): Promise<SinkWriter<T>>
}

/** A sink whose tasks write the partitions, in the threads that have them. */
export interface TaskSink<T> extends Sink<T> {
  /** Opens the driver's side. */
  open(context: SinkContext): Promise<SinkCommitter>
  /** Opens the side of one thread, before its first write. */
  openTask(context: SinkTaskContext): Promise<SinkTaskWriter<T>>
}

/** True for a sink whose tasks write. */
export function isTaskSink<T>(sink: Sink<T>): sink is TaskSink<T> {
  return 'openTask' in sink
}
