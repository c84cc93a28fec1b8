// A worker that dies while the run is late: the next batch is cut by then, and its records are on
// their way to the worker that died.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { start } from 'millrace'
import { ManualClock, quietLogger } from 'millrace/testing'
import { afterAll, describe, expect, test } from 'vitest'
import type { OneDeath } from './late-pipelines.ts'
import { takeSeen } from './seen.ts'

const pipelines = new URL('./late-pipelines.ts', import.meta.url)
const folder = mkdtempSync(join(tmpdir(), 'millrace-late-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const places = [
  { source: 'keptSource', ioThread: false },
  { source: 'keptSource', ioThread: true },
  { source: 'readAgain', ioThread: false },
  { source: 'readAgain', ioThread: true },
]

// Threads start slowly on a machine that has other work.
describe('a worker that dies while the run is late', { timeout: 60_000 }, () => {
  test.each(places)('has a successor with the next batch: %o', async ({ source, ioThread }) => {
    const clock = new ManualClock(0)
    const replaced: number[] = []
    const args: OneDeath = { file: join(folder, `${source}-${ioThread}`), at: 3 }
    const run = await start(pipelines, {
      export: source,
      workers: 1,
      until: 'caught-up',
      args,
      clock,
      ioThread,
      logger: quietLogger,
    })
    run.on('worker-replaced', ({ worker }) => replaced.push(worker))
    clock.advance(5_000)
    await run.done
    expect(takeSeen()).toEqual([[10, 20], [30, 40], [50, 60], [70, 80], [90]])
    expect(replaced).toEqual([0])
  })

  test('ends the run if its successor cannot have all records: nobody waits', async () => {
    const clock = new ManualClock(0)
    const args: OneDeath = { file: join(folder, 'receivers-end'), at: 3 }
    const where = { export: 'receiversEnd', workers: 1, ioThread: true }
    const run = await start(pipelines, { ...where, args, clock, logger: quietLogger })
    clock.advance(5_000)
    await expect(run.done).rejects.toMatchObject({
      code: 'WORKER_DIED',
      message: expect.stringContaining('the I/O thread'),
    })
    expect(takeSeen()).toEqual([[10, 20]])
  })
})
