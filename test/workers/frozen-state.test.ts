// What a worker has frozen for a snapshot ends with its thread: whoever takes it is told so, and
// gives that snapshot up.

import { ManualClock, quietLogger } from 'millrace/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { entryOperators } from '../../src/state/graph-changes.ts'
import type { Committed } from '../../src/workers/executor.ts'
import { PoolExecutor } from '../../src/workers/pool-executor.ts'
import { ShippingHost } from '../../src/workers/shipping-host.ts'
import { WorkerPool } from '../../src/workers/worker-pool.ts'
import { keyedGraph } from './keyed-graph.ts'

const WORKERS = 2
const clock = new ManualClock(0)
let pool: WorkerPool | undefined
afterEach(() => pool?.close())

/** Two workers, and what runs the n-th batch on them. */
async function running() {
  const graph = keyedGraph()
  const sources = graph.sources.map(({ source }) => source)
  const nothing = (): void => undefined
  const host = new ShippingHost(sources, WORKERS, (sourceId) => ({
    pipeline: 'p',
    sourceId,
    clock,
    logger: quietLogger,
    signal: new AbortController().signal,
    bufferBytesMax: 1e9,
    fail: nothing,
    reportError: nothing,
    tell: nothing,
    count: nothing,
  }))
  const threads = WorkerPool.start(WORKERS)
  pool = threads
  const recipe = { module: new URL('./keyed-graph.ts', import.meta.url).href, input: undefined }
  const begin = { recipe, zeroTime: 0, cacheBytesMax: 1e6, resultBytesMax: 1e6, fetchAll: false }
  await threads.begin(begin, (worker) => host.open(worker))
  const changes: Uint8Array[] = []
  const committed = (): Promise<Committed> => Promise.resolve({ snapshot: [], changes })
  const executor = new PoolExecutor({
    pool: threads,
    operators: entryOperators(graph),
    logged: true,
    shared: true,
    committed,
    resend: (batchId, worker) => host.resend(batchId, worker),
    replaced: nothing,
    stuck: { afterMs: 1_000, cancel: false, report: nothing },
    resultBytesMax: 1e6,
    clock,
  })
  await executor.restore(await committed())
  await host.start(0, [])
  host.run()
  const run = async (batchId: number): Promise<void> => {
    const cut = await host.cut(batchId, [{ bytesMax: 1e9, recordsMax: 1e9 }])
    const ran = await executor.run({ batchId, time: batchId * 1_000, sources: cut }, false)
    if (ran.changes !== undefined) changes.push(ran.changes)
    executor.merge()
  }
  return { threads, executor, run }
}

// Threads start slowly on a machine that has other work.
describe('what workers have frozen', { timeout: 60_000 }, () => {
  test('is gone once one of them was replaced, with the code of its end', async () => {
    const { threads, executor, run } = await running()
    await run(1)
    const frozen = executor.freeze()
    const first = await frozen.next()
    expect(first.last).toBe(false)
    await threads.terminate(1, new Error('it is ended'))
    await threads.endOf(1)
    await run(2)
    const takeAll = async (): Promise<void> => {
      for (let last = false; !last; ) last = (await frozen.next()).last
    }
    await expect(takeAll()).rejects.toMatchObject({ code: 'WORKER_DIED', retryable: true })
    frozen.release()
  })

  test('cannot be had of a thread that has not begun', async () => {
    pool = WorkerPool.start(1)
    const slice = pool.call(0, { kind: 'frozen-slice', freeze: 1 })
    await expect(slice).rejects.toMatchObject({ code: 'WORKER_DIED', retryable: true })
  })
})
