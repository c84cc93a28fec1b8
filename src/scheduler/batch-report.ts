// Tells the life of one batch to the listeners, with its times.

import type { BatchInfo, EndedBatchInfo, EventBus, EventOf, StartedBatchInfo } from '../events.ts'

/** What a report needs of its run. */
export interface ReportParts {
  readonly events: EventBus
  /** Epoch milliseconds that never go back. */
  readonly now: () => number
}

type Outcome = Pick<EventOf<'batch-completed'>, 'logged' | 'lagMs' | 'accumulators'>

/** One batch, from its submission to its end. */
export class BatchReport {
  readonly info: BatchInfo
  readonly #parts: ReportParts
  #started: StartedBatchInfo | undefined

  /** Tells that the batch was cut. */
  constructor(parts: ReportParts, info: BatchInfo) {
    this.#parts = parts
    this.info = info
    parts.events.emit({ kind: 'batch-submitted', ...info })
  }

  started(): void {
    const processingStartTime = this.#parts.now()
    const schedulingDelayMs = processingStartTime - this.info.submissionTime
    this.#started = { ...this.info, processingStartTime, schedulingDelayMs }
    this.#parts.events.emit({ kind: 'batch-started', ...this.#started })
  }

  /** Gives the figures of the batch that was committed. */
  completed(outcome: Outcome): EndedBatchInfo {
    const ended = this.#ended()
    this.#parts.events.emit({ kind: 'batch-completed', ...ended, ...outcome })
    return ended
  }

  failed(error: unknown): void {
    this.#parts.events.emit({ kind: 'batch-failed', ...this.#ended(), error })
  }

  #ended(): EndedBatchInfo {
    const processingEndTime = this.#parts.now()
    const { processingStartTime = processingEndTime, schedulingDelayMs = 0 } = this.#started ?? {}
    return {
      ...this.info,
      processingStartTime,
      processingEndTime,
      schedulingDelayMs,
      processingDelayMs: processingEndTime - processingStartTime,
      totalDelayMs: processingEndTime - this.info.submissionTime,
    }
  }
}
