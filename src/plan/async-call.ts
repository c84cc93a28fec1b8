import type { AsyncOp } from '../batch/node.ts'
import { FreshRecords } from '../batch/sealed.ts'
import type { Clock } from '../clock.ts'
import { answerWithin, NoAnswer } from '../service-calls.ts'
import { runPart } from '../task-scope.ts'

/** Calls the closure of mapAsync for one record, within its time limit, as often as it may be
 * retried. Each attempt gets the record as it was: one that failed or was late may have changed
 * its own. What a failed one added to accumulators is dropped. */
export async function callAsync(
  op: AsyncOp,
  record: unknown,
  clock: Clock,
  onRetry: () => void,
): Promise<unknown> {
  if (op.retries === 0) return withinLimit(op, record, clock)
  const records = new FreshRecords([record])
  for (let attempt = 0; ; attempt++) {
    try {
      return await runPart(() => withinLimit(op, records.at(0), clock))
    } catch (error) {
      if (attempt >= op.retries) throw error
      onRetry()
    }
  }
}

/** What comes too late is dropped: a result, and a rejection too. */
async function withinLimit(op: AsyncOp, record: unknown, clock: Clock): Promise<unknown> {
  const call = op.f as (record: unknown) => Promise<unknown>
  if (op.timeoutMs === undefined) return call(record)
  try {
    return await answerWithin(clock, op.timeoutMs, async () => call(record))
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error
    const message = `${error.message}; raise timeout or lower concurrency`
    throw new Error(message, { cause: error })
  }
}
