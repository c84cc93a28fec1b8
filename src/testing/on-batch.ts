import { Batch } from '../batch/batch.ts'
import { tableOf } from '../batch/batch-base.ts'
import { checkPartitions } from '../batch/partition-count.ts'
import { StageCache } from '../plan/stage-cache.ts'
import { actionRuntime } from '../scheduler/batch-runner.ts'
import { ManualClock } from './manual-clock.ts'

/** How `onBatch` cuts its records. */
export interface OnBatchOptions {
  /** Partitions of the batch: n records over p are cut at floor(i·n/p). @default 2 */
  readonly partitions?: number
}

/** Hands a batch of `records` to `f`, as foreachBatch does, and gives what `f` gives: the lazy
 * operations and the actions of `Batch` work on it without a pipeline. Rejects with what the batch
 * or `f` rejects with.
 *
 * @example
 * ```ts
 * const longest = (words: Batch<string>) => words.sortBy((word) => word.length, false).first()
 * assert.equal(await onBatch(['to', 'be', 'question'], longest), 'question')
 * ```
 */
export async function onBatch<T, R>(
  records: Iterable<T>,
  f: (batch: Batch<T>) => R | Promise<R>,
  options: OnBatchOptions = {},
): Promise<R> {
  const { partitions = 2 } = options
  checkPartitions(partitions, 'onBatch')
  const runtime = actionRuntime(new StageCache(), new ManualClock())
  return f(new Batch<T>(tableOf(records, partitions), runtime))
}
