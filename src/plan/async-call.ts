import type { AsyncOp } from '../batch/node.ts'
import type { Clock } from '../clock.ts'

/** Calls the closure of mapAsync for one record, within its time limit, as often as it may be
 * retried. */
export async function callAsync(op: AsyncOp, record: unknown, clock: Clock): Promise<unknown> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await withinLimit(op, record, clock)
    } catch (error) {
      if (attempt >= op.retries) throw error
    }
  }
}

function withinLimit(op: AsyncOp, record: unknown, clock: Clock): Promise<unknown> {
  const call = op.f as (record: unknown) => Promise<unknown>
  const { timeoutMs } = op
  if (timeoutMs === undefined) return call(record)
  return new Promise((resolve, reject) => {
    const cancel = clock.after(timeoutMs, () =>
      reject(new Error(`no answer within ${timeoutMs} ms; raise timeout or lower concurrency`)),
    )
    call(record).then(resolve, reject).finally(cancel)
  })
}
