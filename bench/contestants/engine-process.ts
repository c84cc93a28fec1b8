// A pipeline of millrace, in a process of its own.

import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { takeReported } from '../pipelines/results.ts'
import { type Driver, serve } from './child.ts'
import { type PipelineTask, runPipeline } from './running-pipeline.ts'

async function open(task: PipelineTask): Promise<Driver> {
  const { store } = task
  const pipeline = await runPipeline(task)
  return {
    async leg(batches) {
      const before = store === undefined ? 0 : bytesUnder(store)
      const ms = await pipeline.run(batches)
      const leg = { ms, checks: takeReported() }
      if (store === undefined) return leg
      return { ...leg, figures: { logBytes: (bytesUnder(store) - before) / batches } }
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
