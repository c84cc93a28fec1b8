// The engine of the latency question, on the real clock, in a process of its own.

import { start } from 'millrace'
import { quietLogger } from 'millrace/testing'
import { type Driver, serve } from '../contestants/child.ts'
import { quantile } from '../harness.ts'
import type { LatencyArgs } from '../pipelines/latency.ts'
import { arrivedCount, latencies } from './arrivals.ts'

/** What this process runs. */
export interface LatencyTask extends LatencyArgs {
  readonly workers: number
  readonly intervalMs: number
  /** The folder of a LocalStore; without one, there is no checkpoint. */
  readonly store: string | undefined
  /** What was due in the first seconds does not count. */
  readonly warmSeconds: number
}

const LOOK_MS = 20
const STILL_MS_MAX = 10_000

async function open(task: LatencyTask): Promise<Driver> {
  const { workers, intervalMs, store, warmSeconds, port } = task
  const run = await start(new URL('../pipelines/latency.ts', import.meta.url), {
    workers,
    args: { port },
    overrides: { batchInterval: intervalMs, checkpoint: store ?? false },
    logger: quietLogger,
  })
  let failed: unknown
  run.done.catch((error: unknown) => {
    failed = error
  })
  return {
    /** A leg is so many lines. */
    async leg(lines) {
      const startedAt = performance.now()
      for (let still = 0; arrivedCount() < lines && failed === undefined; still += LOOK_MS) {
        const before = arrivedCount()
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
        if (arrivedCount() > before) still = 0
        if (still > STILL_MS_MAX) throw new Error(`Only ${before} of ${lines} lines arrived`)
      }
      if (failed !== undefined) throw failed
      const all = latencies(warmSeconds)
      const figures = {
        lines: all.length,
        p50: quantile(all, 0.5),
        p99: quantile(all, 0.99),
        p999: quantile(all, 0.999),
        worst: quantile(all, 1),
      }
      return { ms: performance.now() - startedAt, checks: [], figures }
    },
    finish: () => Promise.resolve({}),
  }
}

await serve(open)
