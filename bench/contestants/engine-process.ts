// A pipeline of millrace, in a process of its own. The batches of a leg are all due at once, so that
// they run back to back.

import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { start } from 'millrace'
import { ManualClock, quietLogger } from 'millrace/testing'
import type { WorkloadName } from '../hand/hands.ts'
import type { BatchFiles } from '../pipelines/batch-files.ts'
import { takeReported, type WorkloadArgs, workloadOptions } from '../pipelines/results.ts'
import { type Driver, serve } from './child.ts'

/** What this process runs. */
export interface EngineTask {
  readonly workload: WorkloadName
  readonly inputs: readonly BatchFiles[]
  /** 0: inline, in the main thread. */
  readonly workers: number
  /** The folder of a LocalStore; without one, there is no checkpoint. */
  readonly store: string | undefined
}

async function open({ workload, inputs, workers, store }: EngineTask): Promise<Driver> {
  const clock = new ManualClock()
  const module = new URL(`../pipelines/${workload}.ts`, import.meta.url)
  const args: WorkloadArgs = { inputs }
  const overrides = { checkpoint: store ?? (false as const) }
  const run = await start(module, { workers, args, overrides, clock, logger: quietLogger })
  return {
    async leg(batches) {
      const before = store === undefined ? 0 : bytesUnder(store)
      const completed = new Promise<void>((resolve, reject) => {
        let left = batches
        const off = run.on('batch-completed', () => {
          left -= 1
          if (left > 0) return
          off()
          resolve()
        })
        run.done.catch(reject)
      })
      const startedAt = performance.now()
      clock.advance(batches * workloadOptions.batchInterval)
      await completed
      const ms = performance.now() - startedAt
      const leg = { ms, checks: takeReported() }
      if (store === undefined) return leg
      return { ...leg, checkpointBytes: (bytesUnder(store) - before) / batches }
    },
    finish: () => Promise.resolve({}),
  }
}

function bytesUnder(folder: string): number {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true })
  return entries
    .filter((entry) => entry.isFile())
    .reduce((bytes, entry) => bytes + statSync(join(entry.parentPath, entry.name)).size, 0)
}

await serve(open)
