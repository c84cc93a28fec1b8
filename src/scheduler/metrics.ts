// The figures of a run, by name.

import { ConfigError } from '../errors.ts'
import type { EventBus } from '../events.ts'
import type { Engine } from './engine.ts'
import type { Progress } from './progress.ts'
import type { Scheduler } from './scheduler.ts'

/** Figures of a run so far, by name. Names that end in Ms are milliseconds, those that end in Time
 * epoch milliseconds; both are -1 until they are known. Each accumulator stands among them, under
 * its own name, and what sources have counted, such as `kinesis.throttled`, once there is any.
 * `bufferedBytes` and `lagMs` are those of this moment; where the receivers have a thread of their
 * own, those of the newest cut: as old as a batch that runs. */
export interface Metrics {
  readonly [name: string]: number
}

const METRIC_NAMES = [
  'waitingBatches',
  'runningBatches',
  'unprocessedBatches',
  'retainedCompletedBatches',
  'totalCompletedBatches',
  'totalFailedBatches',
  'totalReceivedRecords',
  'totalProcessedRecords',
  'totalTaskRetries',
  'totalCallRetries',
  'totalLogFlushes',
  'lastLogFlushMs',
  'maxLogFlushMs',
  'totalStoreRetries',
  'totalSinkRetries',
  'lastReceivedBatchRecords',
  'lastReceivedBatchSubmissionTime',
  'lastCompletedBatchSubmissionTime',
  'lastCompletedBatchProcessingStartTime',
  'lastCompletedBatchProcessingEndTime',
  'lastCompletedBatchSchedulingDelayMs',
  'lastCompletedBatchProcessingDelayMs',
  'lastCompletedBatchTotalDelayMs',
  'lastBatchId',
  'bufferedBytes',
  'lagMs',
  'droppedEvents',
] as const

/** Names of the figures that every run has. */
export type MetricName = (typeof METRIC_NAMES)[number]

/** What the figures are taken from. */
export interface MetricsParts {
  readonly engine: Engine
  readonly scheduler: Scheduler
  readonly progress: Progress
  readonly events: EventBus
}

/** Takes the figures of a run. */
export function metricsOf({ engine, scheduler, progress, events }: MetricsParts): Metrics {
  const dueBatches = Math.max(0, scheduler.dueBatches - progress.submittedBatches)
  const figures: Record<MetricName, number> = {
    ...progress.metrics(dueBatches),
    totalStoreRetries: engine.storeRetries,
    lastBatchId: engine.lastBatchId,
    bufferedBytes: engine.bufferedBytes,
    lagMs: engine.lagMs ?? -1,
    droppedEvents: events.dropped,
  }
  return { ...progress.sourceCounts, ...engine.accumulators, ...figures }
}

/** Refuses a name for an accumulator that a figure of every run has. */
export function checkAccumulatorName(name: string): void {
  if (typeof name !== 'string' || name === '') {
    throw new ConfigError(`Cannot add accumulator ${JSON.stringify(name)}: give it a name`)
  }
  if (!METRIC_NAMES.some((metric) => metric === name)) return
  throw new ConfigError(
    `Cannot add accumulator "${name}": metrics() has a figure of that name; choose another`,
  )
}
