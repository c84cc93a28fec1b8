// Broadcast values are loaded at each start, before the first batch.

import { type Broadcast, type DStream, pipeline, start } from 'millrace'
import { CollectingSink, ManualClock, MemoryStore, quietLogger, runBatches } from 'millrace/testing'
import { describe, expect, test } from 'vitest'
import { PushSource, tick } from './push-source.ts'

const options = { batchInterval: 1_000, checkpoint: false } as const
const quiet = () => ({ logger: quietLogger, clock: new ManualClock(0) })

describe('a broadcast value', () => {
  test('is there in the first batch, and in closures and output operations alike', async () => {
    const seen: string[] = []
    const described = pipeline('p', options, (ssc) => {
      const names = ssc.broadcast(async () => ['zero', 'one'])
      ssc
        .queue([[0, 1]])
        .map((n) => names.value[n])
        .foreachBatch(async (batch) => {
          seen.push(...((await batch.collect()) as string[]), ...names.value)
        })
    })
    const settings = quiet()
    const run = await start(described, settings)
    await tick(run, settings.clock)
    expect(seen).toEqual(['zero', 'one', 'zero', 'one'])
    await run.stop()
  })

  test('is loaded again after a restart, before a batch is redone', async () => {
    let loads = 0
    const outputs = await runBatches(
      { inputs: [[[1], [2], [3]]], batches: 3, restartAfter: [{ batch: 2, at: 'sinks' }] },
      (ssc, stream: DStream<number>) => {
        const factor = ssc.broadcast(() => {
          loads += 1
          return 10
        })
        return stream.map((n) => n * factor.value)
      },
    )
    expect(outputs).toEqual([[10], [20], [30]])
    expect(loads).toBe(2)
  })

  test('cannot be read before the start, and says so', async () => {
    let kept: Broadcast<number> | undefined
    const described = pipeline('p', options, (ssc) => {
      kept = ssc.broadcast(() => 5)
      ssc.queue([[1]]).foreachBatch(() => undefined)
      expect(() => kept?.value).toThrow(expect.objectContaining({ code: 'BROADCAST_NOT_LOADED' }))
    })
    const run = await start(described, quiet())
    expect(kept?.value).toBe(5)
    await run.stop()
  })

  test('may be undefined', async () => {
    const described = pipeline('p', options, (ssc) => {
      const nothing = ssc.broadcast(() => undefined)
      ssc.queue([[1]]).foreachBatch(() => expect(nothing.value).toBeUndefined())
    })
    const settings = quiet()
    const run = await start(described, settings)
    await tick(run, settings.clock)
    await run.stop()
  })

  test.each([
    ['rejects', () => Promise.reject(new Error('no such file'))],
    [
      'throws',
      () => {
        throw new Error('no such file')
      },
    ],
  ] as const)('whose load %s fails the start before anything is opened', async (_how, load) => {
    const store = new MemoryStore()
    const source = new PushSource()
    const described = pipeline('p', { ...options, checkpoint: store }, (ssc) => {
      ssc.broadcast<number>(load)
      ssc.receive(source).writeTo(new CollectingSink())
    })
    const error = await start(described, quiet()).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'BROADCAST_FAILED', retryable: true })
    expect((error as Error).message).toContain('no such file')
    expect((error as Error).cause).toEqual(new Error('no such file'))
    expect(() => source.context).toThrow(/not open/)
    expect(await store.list('')).toEqual([])
  })
})
