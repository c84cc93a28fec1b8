// The counters of a run, folded from its events: those of Spark's StreamingJobProgressListener.
// What is received counts when a batch begins, what is processed when it is completed.

import type { BatchInfo, EventBus, EventOf } from '../events.ts'

/** A batch as it was when it was completed. */
export type CompletedBatch = EventOf<'batch-completed'>

const BATCHES_RETAINED_MAX = 1_000
const UNKNOWN = -1

/** Counts what happens to batches. */
export class Progress {
  readonly #waiting = new Set<number>()
  readonly #running = new Set<number>()
  readonly #retained: CompletedBatch[] = []
  #lastReceived: BatchInfo | undefined
  #totalCompletedBatches = 0
  #totalFailedBatches = 0
  #totalReceivedRecords = 0
  #totalProcessedRecords = 0
  #totalTaskRetries = 0
  #totalCallRetries = 0
  #totalLogFlushes = 0
  #lastLogFlushMs = UNKNOWN
  #maxLogFlushMs = UNKNOWN
  #totalSinkRetries = 0
  readonly #counts = new Map<string, number>()

  /** Follows the events of a run. */
  constructor(events: EventBus) {
    events.on('batch-submitted', ({ batchId }) => this.#waiting.add(batchId))
    events.on('batch-started', (batch) => this.#started(batch))
    events.on('batch-completed', (batch) => this.#completed(batch))
    events.on('batch-failed', (batch) => this.#failed(batch))
    events.on('task-retried', () => {
      this.#totalTaskRetries += 1
    })
    events.on('log-flushed', ({ latencyMs }) => {
      this.#totalLogFlushes += 1
      this.#lastLogFlushMs = latencyMs
      this.#maxLogFlushMs = Math.max(this.#maxLogFlushMs, latencyMs)
    })
    events.on('calls-retried', ({ calls }) => {
      this.#totalCallRetries += calls
    })
    events.on('sink-retried', ({ retries }) => {
      this.#totalSinkRetries += retries
    })
    events.on('source-counted', ({ name, by }) => {
      this.#counts.set(name, (this.#counts.get(name) ?? 0) + by)
    })
  }

  /** What sources have counted, by name, summed up over all of them. */
  get sourceCounts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts)
  }

  /** Batches that were submitted and have not ended. */
  get submittedBatches(): number {
    return this.#waiting.size + this.#running.size
  }

  /** The newest completed batches, oldest first. */
  get completedBatches(): readonly CompletedBatch[] {
    return [...this.#retained]
  }

  /** `dueBatches`: how many more wait without having been submitted. */
  metrics(dueBatches: number) {
    const runningBatches = this.#running.size
    const waitingBatches = this.#waiting.size + dueBatches
    return {
      waitingBatches,
      runningBatches,
      unprocessedBatches: waitingBatches + runningBatches,
      retainedCompletedBatches: this.#retained.length,
      totalCompletedBatches: this.#totalCompletedBatches,
      totalFailedBatches: this.#totalFailedBatches,
      totalReceivedRecords: this.#totalReceivedRecords,
      totalProcessedRecords: this.#totalProcessedRecords,
      totalTaskRetries: this.#totalTaskRetries,
      totalCallRetries: this.#totalCallRetries,
      totalLogFlushes: this.#totalLogFlushes,
      lastLogFlushMs: this.#lastLogFlushMs,
      maxLogFlushMs: this.#maxLogFlushMs,
      totalSinkRetries: this.#totalSinkRetries,
      lastReceivedBatchRecords: this.#lastReceived?.records ?? 0,
      lastReceivedBatchSubmissionTime: this.#lastReceived?.submissionTime ?? UNKNOWN,
      ...lastCompleted(this.#retained.at(-1)),
    }
  }

  #started(batch: EventOf<'batch-started'>): void {
    this.#waiting.delete(batch.batchId)
    this.#running.add(batch.batchId)
    this.#lastReceived = batch
    this.#totalReceivedRecords += batch.records
  }

  #completed(batch: CompletedBatch): void {
    this.#running.delete(batch.batchId)
    this.#totalCompletedBatches += 1
    this.#totalProcessedRecords += batch.records
    this.#retained.push(batch)
    if (this.#retained.length > BATCHES_RETAINED_MAX) this.#retained.shift()
  }

  #failed({ batchId }: BatchInfo): void {
    this.#waiting.delete(batchId)
    this.#running.delete(batchId)
    this.#totalFailedBatches += 1
  }
}

function lastCompleted(batch: CompletedBatch | undefined) {
  return {
    lastCompletedBatchSubmissionTime: batch?.submissionTime ?? UNKNOWN,
    lastCompletedBatchProcessingStartTime: batch?.processingStartTime ?? UNKNOWN,
    lastCompletedBatchProcessingEndTime: batch?.processingEndTime ?? UNKNOWN,
    lastCompletedBatchSchedulingDelayMs: batch?.schedulingDelayMs ?? UNKNOWN,
    lastCompletedBatchProcessingDelayMs: batch?.processingDelayMs ?? UNKNOWN,
    lastCompletedBatchTotalDelayMs: batch?.totalDelayMs ?? UNKNOWN,
  }
}
