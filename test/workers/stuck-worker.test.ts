// A worker that does not come back, and whose call stack cannot be read.

import { ManualClock } from 'millrace/testing'
import { expect, test } from 'vitest'
import { PoolExecutor } from '../../src/workers/pool-executor.ts'
import type { RanColumns } from '../../src/workers/protocol.ts'
import type { WorkerPool } from '../../src/workers/worker-pool.ts'

test('is reported with the reason, and is not ended', async () => {
  const answer = Promise.withResolvers<RanColumns>()
  const refusal = new Error('the inspector is not available')
  const ended: number[] = []
  const pool = {
    size: 1,
    endOf: () => new Promise(() => undefined),
    call: () => answer.promise,
    stackOf: () => Promise.reject(refusal),
    terminate: (worker: number) => ended.push(worker),
    tellAll: () => undefined,
  } as unknown as WorkerPool
  const clock = new ManualClock(0)
  const reports: unknown[][] = []
  const executor = new PoolExecutor({
    pool,
    operators: [],
    logged: false,
    shared: true,
    committed: () => Promise.resolve(undefined),
    resend: () => Promise.resolve(),
    replaced: () => undefined,
    stuck: { afterMs: 1_000, cancel: true, report: (...report) => reports.push(report) },
    resultBytesMax: 1_000,
    clock,
  })
  const ran = executor.run({ batchId: 1, time: 1_000, sources: [] }, false)
  await new Promise(setImmediate)
  clock.advance(1_000)
  await new Promise(setImmediate)
  expect(reports).toEqual([[0, undefined, refusal]])
  expect(ended).toEqual([])
  answer.resolve({ outputs: [], changes: undefined, added: [], retriedCalls: 0, bytes: 0 })
  await ran
})
