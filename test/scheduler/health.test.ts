// What probes are told, and signals of the system.

import { type PipelineOptions, pipeline, type Run, type StartOptions, start } from 'millrace'
import { CollectingSink, ManualClock, quietLogger } from 'millrace/testing'
import { describe, expect, test } from 'vitest'
import { settle } from '../checkpoint/logs.ts'
import { PushSource, tick } from './push-source.ts'

interface Running {
  readonly run: Run
  readonly clock: ManualClock
  readonly source: PushSource
  readonly sink: CollectingSink<number>
}

async function running(
  f: (n: number) => number = (n) => n,
  more: Partial<StartOptions<undefined>> & { readonly options?: Partial<PipelineOptions> } = {},
): Promise<Running> {
  const clock = new ManualClock(0)
  const source = new PushSource()
  const sink = new CollectingSink<number>()
  const options = { batchInterval: 1_000, checkpoint: false, ...more.options } as const
  const described = pipeline('p', options, (ssc) => {
    ssc.receive(source).map(f).writeTo(sink)
  })
  const run = await start(described, { clock, logger: quietLogger, ...more })
  return { run, clock, source, sink }
}

describe('ready() and healthy()', () => {
  test('are true while batches end, and ready() only until the run is to stop', async () => {
    const { run, clock } = await running()
    expect([run.ready(), run.healthy()]).toEqual([true, true])
    await tick(run, clock)
    expect([run.ready(), run.healthy()]).toEqual([true, true])
    const stopped = run.stop()
    expect([run.ready(), run.healthy()]).toEqual([false, true])
    await stopped
    expect([run.ready(), run.healthy()]).toEqual([false, true])
  })

  test('are false after an error', async () => {
    const fail = (): number => {
      throw new Error('no')
    }
    const { run, clock, source } = await running(fail)
    source.push(1)
    await tick(run, clock)
    await run.done.catch(() => undefined)
    expect([run.ready(), run.healthy()]).toEqual([false, false])
  })

  test('healthy() is false while a batch is overdue for longer than stuckAfter', async () => {
    const gate = Promise.withResolvers<void>()
    const clock = new ManualClock(0)
    const described = pipeline('p', { batchInterval: 1_000, checkpoint: false }, (ssc) => {
      ssc.queue([[1]]).foreachBatch(() => gate.promise)
    })
    const run = await start(described, { clock, logger: quietLogger })
    clock.advance(1_000)
    await settle()
    clock.advance(60_000)
    expect(run.healthy()).toBe(true)
    clock.advance(1)
    expect(run.healthy()).toBe(false)
    gate.resolve()
    await settle()
    expect(run.healthy()).toBe(true)
    await run.stop()
  })
})

describe('stopOn', () => {
  const stopOn = ['SIGUSR2'] as const
  const told = (): number => process.listenerCount('SIGUSR2')

  test('processes what was received, and listens to the signal no more', async () => {
    const before = told()
    const { run, source, sink } = await running((n) => n, { stopOn })
    expect(told()).toBe(before + 1)
    source.push(1, 2)
    process.emit('SIGUSR2')
    expect(told()).toBe(before)
    expect(run.ready()).toBe(false)
    await run.done
    expect(sink.records()).toEqual([1, 2])
  })

  test('stops at once when stopWithin has passed', async () => {
    const source = new PushSource({ onStop: () => new Promise(() => undefined) })
    const clock = new ManualClock(0)
    const described = pipeline('p', { batchInterval: 1_000, checkpoint: false }, (ssc) => {
      ssc.receive(source).writeTo(new CollectingSink<number>())
    })
    const options = { clock, logger: quietLogger, stopOn, stopWithin: '5s' } as const
    const run = await start(described, options)
    let ended = false
    const end = run.done.then(() => {
      ended = true
    })
    process.emit('SIGUSR2')
    clock.advance(4_000)
    await settle()
    expect(ended).toBe(false)
    clock.advance(1_000)
    await settle()
    expect(ended).toBe(false)
    clock.advance(1_000)
    await end
  })

  test('listens to nothing after a start that failed', async () => {
    const before = told()
    const failing = new PushSource({ onStart: () => Promise.reject(new Error('no source')) })
    const described = pipeline('p', { batchInterval: 1_000, checkpoint: false }, (ssc) => {
      ssc.receive(failing).writeTo(new CollectingSink<number>())
    })
    const starting = start(described, { logger: quietLogger, stopOn })
    await expect(starting).rejects.toThrow('no source')
    expect(told()).toBe(before)
  })
})
