// The option `ioThread`: where the receivers of a run on workers live, and what comes of it.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { threadId } from 'node:worker_threads'
import { type StartModuleOptions, start } from 'millrace'
import { ManualClock } from 'millrace/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Busy, notice, takeSeen, type Whereabouts } from './receiver-threads.ts'

const pipelines = new URL('./receiver-threads.ts', import.meta.url)
const folder = mkdtempSync(join(tmpdir(), 'millrace-receivers-'))

beforeAll(() => {
  writeFileSync(join(folder, 'a.txt'), 'b c a\na\n')
  writeFileSync(join(folder, 'b.txt'), 'c\nd a d\n')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Runs a pipeline until it has given all that it received. */
async function seenBy<A>(name: string, options: StartModuleOptions<A>): Promise<unknown[]> {
  const run = await start(pipelines, { export: name, workers: 2, ...options })
  if (options.until === undefined) await run.stop()
  await run.done
  return takeSeen()
}

/** Gives whether a busy thread was noticed by another, which takes turns of its event loop. */
async function noticed(name: string, ioThread: boolean): Promise<unknown[]> {
  // Within one thread nobody can ever notice, however long the busy one looks.
  const looksMax = ioThread ? 5e9 : 1e6
  const args: Busy = { cells: new Int32Array(new SharedArrayBuffer(8)), looksMax }
  if (name === 'busyReceiver') notice(args)
  return seenBy(name, { args, ioThread })
}

// Threads start slowly on a machine that has other work.
describe('the receivers of a run on workers', { timeout: 120_000 }, () => {
  test.each([{}, { ioThread: true }])('have a thread of their own: %o', async (options) => {
    const [where] = (await seenBy('whereabouts', options)) as Whereabouts[]
    expect(where?.received).not.toBe(threadId)
    expect(where?.mapped).not.toBe(threadId)
    expect(where?.received).not.toBe(where?.mapped)
  })

  test('share the thread that called start() if asked, and closures do not', async () => {
    const [where] = (await seenBy('whereabouts', { ioThread: false })) as Whereabouts[]
    expect(where?.received).toBe(threadId)
    expect(where?.mapped).not.toBe(threadId)
  })

  test('share that thread, and its clock, where one is given', async () => {
    const clock = new ManualClock(5_000)
    const [where] = (await seenBy('whereabouts', { clock })) as Whereabouts[]
    expect(where).toMatchObject({ received: threadId, at: 5_000 })
  })

  test('have all that they received processed by a graceful stop that is late', async () => {
    const clock = new ManualClock(0)
    const run = await start(pipelines, { export: 'ten', workers: 1, clock })
    clock.advance(1_000)
    await run.stop()
    expect(takeSeen()).toEqual(Array.from({ length: 10 }, (_, n) => `record ${n}`))
  })

  test('give the same results in either thread, and inline', async () => {
    const how = { args: folder, until: 'caught-up' } as const
    const inline = await seenBy('countedLines', { ...how, workers: 0 })
    expect(inline).toHaveLength(4)
    expect(await seenBy('countedLines', { ...how, ioThread: true })).toEqual(inline)
    expect(await seenBy('countedLines', { ...how, ioThread: false })).toEqual(inline)
  })

  test('go on while the driver is busy, in a thread of their own only', async () => {
    expect(await noticed('busyDriver', true)).toEqual([true])
    expect(await noticed('busyDriver', false)).toEqual([false])
  })

  test('do not hold the driver up while they are busy, in a thread of their own only', async () => {
    expect(await noticed('busyReceiver', true)).toEqual([true])
    expect(await noticed('busyReceiver', false)).toEqual([false])
  })
})
