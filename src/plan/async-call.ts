import type { AsyncOp } from '../batch/node.ts'
import { FreshRecords } from '../batch/sealed.ts'
import type { Clock } from '../clock.ts'
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
  const { timeoutMs } = op
  if (timeoutMs === undefined) return call(record)
  const { promise, resolve, reject } = Promise.withResolvers<unknown>()
  const cancel = clock.after(timeoutMs, () =>
    reject(new Error(`no answer within ${timeoutMs} ms; raise timeout or lower concurrency`)),
  )
  try {
    Promise.resolve(call(record)).then(resolve, reject)
    return await promise
  } finally {
    cancel()
  }
}
