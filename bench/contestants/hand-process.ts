// A hand-written loop on one thread or two, in a process of its own.

import { showCheck } from '../check.ts'
import { handOf, type WorkloadName } from '../hand/hands.ts'
import { TwoThreads } from '../hand/two-threads.ts'
import { batchFile } from '../input/input-files.ts'
import { readTexts } from '../input/read-part.ts'
import type { BatchFiles } from '../pipelines/batch-files.ts'
import { type Driver, serve } from './child.ts'

/** What this process runs. */
export interface HandTask {
  readonly workload: WorkloadName
  readonly inputs: readonly BatchFiles[]
  readonly threads: 1 | 2
}

function oneThread({ workload, inputs }: HandTask): Driver {
  const loop = handOf(workload).loop(inputs.map(({ path }) => path))
  let next = 0
  return {
    leg(batches) {
      const checks: string[] = []
      let ms = 0
      for (let i = 0; i < batches; i++) {
        const startedAt = performance.now()
        const texts = inputs.map(({ path, files }) =>
          readTexts(batchFile(path, next % files), 0, 1),
        )
        checks.push(showCheck(loop.batch(texts)))
        ms += performance.now() - startedAt
        loop.addUp?.()
        next += 1
      }
      return Promise.resolve({ ms, checks })
    },
    finish() {
      const totals = loop.totals?.()
      return Promise.resolve(totals === undefined ? {} : { totals: showCheck(totals) })
    },
  }
}

function twoThreads({ workload, inputs }: HandTask): Driver {
  const threads = new TwoThreads(workload, inputs)
  let next = 0
  return {
    async leg(batches) {
      const checks: string[] = []
      const startedAt = performance.now()
      for (let i = 0; i < batches; i++) {
        checks.push(await threads.batch(next))
        next += 1
      }
      return { ms: performance.now() - startedAt, checks }
    },
    async finish() {
      await threads.stop()
      return {}
    },
  }
}

await serve((task: HandTask) =>
  Promise.resolve(task.threads === 1 ? oneThread(task) : twoThreads(task)),
)
