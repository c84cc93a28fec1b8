// A stop at once of a run on workers ends its threads, whatever they do.

import { setImmediate } from 'node:timers/promises'
import { start } from 'millrace'
import { ManualClock, quietLogger } from 'millrace/testing'
import { describe, expect, test } from 'vitest'

const pipelines = new URL('./hanging-pipelines.ts', import.meta.url)
const LINES = {
  closure: [/^Cannot wait for batch 1: the run ends at once/],
  task: [/^Cannot wait for batch 1/, /leaves what its tasks write to behind$/],
  receiver: [/leaves a receiver that does not stop behind$/],
}

// Threads start slowly on a machine that has other work.
describe('a stop at once ends the threads of a run', { timeout: 120_000 }, () => {
  test.each([
    { hangs: 'closure', ioThread: true },
    { hangs: 'task', ioThread: true },
    { hangs: 'receiver', ioThread: true },
    { hangs: 'receiver', ioThread: false },
  ] as const)('of which a $hangs does not end (I/O thread: $ioThread)', async (how) => {
    const { hangs, ioThread } = how
    const clock = new ManualClock(0)
    const lines: string[] = []
    const warn = (_fields: object, line: string): void => void lines.push(line)
    const logger = { ...quietLogger, warn }
    const run = await start(pipelines, { export: hangs, workers: 1, ioThread, clock, logger })
    const sign = hangs === 'task' ? 'output-operation-started' : 'batch-started'
    const begins = new Promise((resolve) => run.on(sign, resolve))
    clock.advance(20)
    await begins
    const graceful = run.stop()
    const stopped = run.stop({ graceful: false })
    await Promise.race([stopped, goOn(clock)])
    await Promise.all([graceful, stopped, run.done])
    for (const line of LINES[hangs]) expect(lines).toContainEqual(expect.stringMatching(line))
  })
})

/** Lets time pass for as long as the run may take. */
async function goOn(clock: ManualClock): Promise<void> {
  for (let ms = 0; ms < 60_000; ms += 10) {
    clock.advance(10)
    await setImmediate()
  }
}
