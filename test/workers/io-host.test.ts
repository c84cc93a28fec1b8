// The I/O thread as the driver sees it, where it ends.

import { ManualClock, quietLogger } from 'millrace/testing'
import { describe, expect, test } from 'vitest'
import { IoHost, type IoHostOptions } from '../../src/workers/io-host.ts'

const module = new URL('./ending-graph.ts', import.meta.url).href

function optionsOf(failures: unknown[]): IoHostOptions {
  const { signal } = new AbortController()
  return {
    recipe: { module, input: undefined },
    pipeline: 'p',
    workers: 1,
    bufferBytesMax: 1_000,
    logger: quietLogger,
    contextOf: (sourceId) => ({
      pipeline: 'p',
      sourceId,
      clock: new ManualClock(0),
      logger: quietLogger,
      signal,
      bufferBytesMax: 1_000,
      fail: (error) => failures.push(error),
      reportError: () => undefined,
      tell: () => undefined,
      count: () => undefined,
    }),
    beat: undefined,
    signal,
    fail: (error) => failures.push(error),
  }
}

// Threads start slowly on a machine that has other work.
describe('the I/O thread', { timeout: 60_000 }, () => {
  test('that has ended fails the run where a new worker asks for its line', async () => {
    const failures: unknown[] = []
    const host = await IoHost.start(optionsOf(failures))
    host.open(0)
    await expect(host.start(0, [])).rejects.toMatchObject({ code: 'WORKER_DIED' })
    host.open(0)
    await new Promise(setImmediate)
    expect(failures).toMatchObject([{ code: 'WORKER_DIED' }, { code: 'WORKER_DIED' }])
    await host.close()
  })
})
