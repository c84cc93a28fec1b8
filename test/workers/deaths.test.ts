// Workers that die while they run a batch: others take their place, and the results are those of a
// run in which nobody died. WORKER_DEATHS raises the number, WORKER_DEATHS_SEED changes them.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { start } from 'millrace'
import { ManualClock, MemoryStore, quietLogger, runBatches } from 'millrace/testing'
import { afterAll, expect, test } from 'vitest'
import { type LateArgs, takeSeen } from './deaths-pipeline.ts'

const DEATHS = Number(process.env['WORKER_DEATHS'] ?? 50)
const DEATHS_A_RUN = 5
const BATCHES = 8
const SEED = Number(process.env['WORKER_DEATHS_SEED'] ?? 20_261_124)
const home = mkdtempSync(join(tmpdir(), 'millrace-deaths-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

const keys = ['a', 'b', 'c', 'd', 'e', 'f']
const pair = fc.tuple(fc.constantFrom(...keys), fc.double({ noNaN: true }))
const input = fc.array(fc.array(pair, { minLength: 3, maxLength: 20 }), {
  minLength: BATCHES,
  maxLength: BATCHES,
})
const death = fc.record({ batch: fc.integer({ min: 1, max: BATCHES }), pick: fc.nat(100) })

const url = new URL('./deaths-pipeline.ts', import.meta.url)
const module = { module: url }

/** What a run gives whose batches are all due when it begins: each is cut ahead of its run. */
async function lateRun(args: LateArgs, workers: number, ioThread: boolean): Promise<unknown[][]> {
  const clock = new ManualClock(0)
  const overrides = { checkpoint: new MemoryStore(), snapshotEvery: 3 }
  const how = { export: 'late', until: 'caught-up', logger: quietLogger } as const
  const run = await start(url, { ...how, args, workers, ioThread, clock, overrides })
  clock.advance(BATCHES * 1_000)
  await run.done
  return takeSeen().slice(0, BATCHES)
}

test(`${DEATHS} workers that die at random tasks leave the results as they were`, {
  timeout: 600_000,
}, async () => {
  let died = 0
  const property = fc.asyncProperty(
    input,
    fc.array(death, { minLength: DEATHS_A_RUN, maxLength: DEATHS_A_RUN }),
    fc.integer({ min: 1, max: 3 }),
    fc.constantFrom('on time', 'late', 'late, with an I/O thread'),
    async (batches, chosen, workers, pace) => {
      const folder = mkdtempSync(join(home, 'run-'))
      const deaths = chosen.map(({ batch, pick }) => {
        const records = batches[batch - 1] as [string, number][]
        return { batchTime: batch * 1_000, key: records[pick % records.length]?.[0] ?? '' }
      })
      const options = { inputs: [batches], batches: BATCHES, partitions: 3 }
      const calm = await runBatches({ ...options, args: { folder, deaths: [] } }, module)
      const args = { folder, deaths }
      const stormy =
        pace === 'on time'
          ? await runBatches({ ...options, args, workers }, module)
          : await lateRun({ ...args, batches }, workers, pace !== 'late')
      died += new Set(deaths.map((one) => `${one.batchTime}-${one.key}`)).size
      expect(stormy).toEqual(calm)
    },
  )
  await fc.assert(property, { numRuns: Math.ceil(DEATHS / DEATHS_A_RUN), seed: SEED })
  expect(died).toBeGreaterThan(DEATHS / 2)
})
