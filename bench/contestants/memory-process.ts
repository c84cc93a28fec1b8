// How much memory a pipeline holds after so many batches, in a process of its own.

import { takeReported } from '../pipelines/results.ts'
import { type Driver, serve } from './child.ts'
import { type PipelineTask, runPipeline } from './running-pipeline.ts'

/** Batches that are due at once. */
const STEP = 10

async function open(task: PipelineTask): Promise<Driver> {
  const pipeline = await runPipeline(task)
  return {
    async leg(batches) {
      let ms = 0
      for (let done = 0; done < batches; done += STEP) {
        ms += await pipeline.run(Math.min(STEP, batches - done))
      }
      takeReported()
      const { rss } = process.memoryUsage()
      // After it: what is held, and not what waits to be collected.
      globalThis.gc?.()
      const { heapUsed, arrayBuffers } = process.memoryUsage()
      return { ms, checks: [], figures: { rss, heapUsed, arrayBuffers, maxRss: maxRss() } }
    },
    finish: () => Promise.resolve({}),
  }
}

function maxRss(): number {
  return process.resourceUsage().maxRSS * 1_024
}

await serve(open)
