// The end of a run whose receivers wait for batches that no longer come, in either thread.

import { type Run, start } from 'millrace'
import { ManualClock, quietLogger } from 'millrace/testing'
import { describe, expect, test } from 'vitest'
import type { Ending } from './ending-pipelines.ts'

const pipelines = new URL('./ending-pipelines.ts', import.meta.url)

/** A run with its clock, once a batch has taken a record: the next ones wait for room by then. */
async function running(args: Ending, ioThread: boolean): Promise<Run> {
  const clock = new ManualClock(0)
  const how = { export: 'endless', workers: 1, args, ioThread, clock, logger: quietLogger }
  const run = await start(pipelines, how)
  const taken = new Promise<void>((resolve) => {
    run.on('batch-started', ({ records }) => {
      if (records > 0) resolve()
    })
    run.on('batch-completed', () => clock.advance(1_000))
  })
  clock.advance(1_000)
  await taken
  return run
}

// Threads start slowly on a machine that has other work.
describe('a run whose receiver waits for room', { timeout: 60_000 }, () => {
  test.each([false, true])('ends when its sink fails; with an I/O thread: %s', async (ioThread) => {
    const run = await running('a failing sink', ioThread)
    await expect(run.done).rejects.toThrow('the sink is gone')
  })

  test.each([false, true])('stops at once; with an I/O thread: %s', async (ioThread) => {
    const run = await running('a stop', ioThread)
    await run.stop({ graceful: false })
  })
})
