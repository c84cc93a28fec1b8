// Receivers of one's own in a pipeline that runs: events, rates, graceful stops, restarts.

import type { PipelineOptions, Source } from 'millrace'
import { customReceiver, type ReceiverSupervisor } from 'millrace/sources'
import { ManualClock, MemoryStore, ScriptedReceiver } from 'millrace/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DrivenRun } from './driven-run.ts'
import { settled } from './opened-custom-receiver.ts'

let clock: ManualClock
let driven: DrivenRun<number>
beforeEach(() => {
  clock = new ManualClock()
})
afterEach(() => driven.run.stop({ graceful: false }))

async function running(source: Source<number>, options: Partial<PipelineOptions> = {}) {
  driven = await DrivenRun.start<number, number>({
    sources: [source],
    build: ([stream]) => stream as NonNullable<typeof stream>,
    options: { batchInterval: 1_000, checkpoint: false, ...options },
    clock,
  })
  return driven
}

describe('events', () => {
  test('tell of a start, an error with its message and cause, and a stop, once each', async () => {
    const cause = new Error('report error')
    const step = { at: 100, error: 'report error', cause }
    const { run } = await running(new ScriptedReceiver<number>([step]))
    clock.advance(500)
    await run.stop()
    const named = { sourceId: 0, name: 'scripted-receiver' }
    expect(driven.eventsOf('receiver-started')).toEqual([{ kind: 'receiver-started', ...named }])
    expect(driven.eventsOf('receiver-error')).toEqual([
      { kind: 'receiver-error', ...named, message: 'report error', error: cause },
    ])
    expect(driven.eventsOf('receiver-stopped')).toEqual([{ kind: 'receiver-stopped', ...named }])
  })

  test('tell of each stop and start of a receiver that stops itself', async () => {
    const receiver = new ScriptedReceiver<number>([{ at: 100, stop: 'enough' }])
    const { run } = await running(receiver)
    clock.advance(100)
    await settled()
    clock.advance(2_000)
    await settled()
    await run.stop()
    const kinds = driven.events.map(({ kind }) => kind).filter((kind) => /^receiver-/.test(kind))
    expect(kinds).toEqual([
      'receiver-started',
      'receiver-restarted',
      'receiver-stopped',
      'receiver-started',
      'receiver-stopped',
    ])
    expect([receiver.starts, receiver.stops]).toEqual([2, 2])
  })

  test('tell of one stop where the pipeline stops while the receiver waits to start', async () => {
    const receiver = new ScriptedReceiver<number>([{ at: 100, restart: 'again', delay: '1h' }])
    const { run } = await running(receiver)
    clock.advance(100)
    await settled()
    await run.stop()
    expect(driven.eventsOf('receiver-stopped')).toHaveLength(1)
    expect(driven.eventsOf('receiver-restarted')).toMatchObject([
      { name: 'scripted-receiver', message: 'again', error: undefined, delayMs: 3_600_000 },
    ])
  })
})

describe('a graceful stop', () => {
  test.each([1, 2, 3, 4])('processes exactly what was stored, round %i', async () => {
    let stored = 0
    const produce = async (supervisor: ReceiverSupervisor<number>): Promise<void> => {
      while (!supervisor.isStopped()) {
        await supervisor.store(stored)
        stored += 1
        if (stored % 50 === 0) await settled()
      }
    }
    const source = customReceiver<number>('producer', (supervisor) => {
      let producing: Promise<void> = Promise.resolve()
      return {
        onStart: () => {
          producing = produce(supervisor)
        },
        onStop: () => producing,
      }
    })
    const { run, sink } = await running(source)
    for (let i = 0; i < 3; i++) {
      await settled()
      await driven.nextBatch(1_000)
    }
    await run.stop()
    expect(stored).toBeGreaterThan(100)
    expect(sink.records()).toEqual([...Array(stored).keys()])
  })

  test('right after the start ends', async () => {
    const receiver = new ScriptedReceiver<number>([{ at: 0, store: [1] }])
    const { run } = await running(receiver)
    await run.stop()
    expect([receiver.starts, receiver.stops]).toEqual([1, 1])
  })

  test('waits for a receiver that has more to give, and gives it room by batches', async () => {
    const all = Array.from({ length: 15 }, (_, i) => i + 1)
    let finish: Promise<void> | undefined
    const source = customReceiver<number>('slow', (supervisor) => ({
      onStart: () => undefined,
      onStop: () => {
        finish = (async () => {
          for (const n of all) await supervisor.store(n)
        })()
        return finish
      },
    }))
    const { run, sink } = await running(source, { bufferBytesMax: 5 })
    await driven.nextBatch(1_000)
    let ended = false
    const stopping = run.stop().then(() => {
      ended = true
    })
    while (!ended) {
      clock.advance(1_000)
      await settled()
    }
    await stopping
    await finish
    expect(sink.records()).toEqual(all)
    expect(driven.outputs().length).toBeGreaterThan(3)
  })

  test('takes what waits for the rate', async () => {
    const receiver = new ScriptedReceiver<number>([{ at: 10, store: [1, 2, 3] }], { rateMax: 1 })
    const { run, sink } = await running(receiver)
    clock.advance(10)
    await run.stop()
    expect(sink.records()).toEqual([1, 2, 3])
  })
})

test('a stop at once calls onStop too, and lets no store wait', async () => {
  const calls: string[] = []
  let waiting: Promise<unknown> | undefined
  const source = customReceiver<number>('full', (supervisor) => ({
    onStart: () => {
      waiting = Promise.all([1, 2, 3].map((n) => supervisor.store(n)))
    },
    onStop: () => {
      calls.push('onStop')
    },
  }))
  const { run } = await running(source, { bufferBytesMax: 4 })
  await run.stop({ graceful: false })
  await waiting
  expect(calls).toEqual(['onStop'])
})

test('the rate of the pipeline reaches the receiver', async () => {
  const receiver = new ScriptedReceiver<number>([{ at: 0, store: [...Array(100).keys()] }])
  await running(receiver, { rateMax: 10 })
  await driven.nextBatch(1_000)
  await driven.nextBatch(1_000)
  await driven.nextBatch(1_000)
  expect(driven.outputs().map((output) => output.length)).toEqual([11, 10, 10])
})

test('what was received and not committed is lost with the process, and that is told', async () => {
  const checkpoint = new MemoryStore()
  const script = [
    { at: 100, store: [1] },
    { at: 1_100, store: [2, 3] },
    { at: 2_100, store: [4] },
  ]
  const what = {
    build: ([stream]: Parameters<Parameters<typeof DrivenRun.start>[0]['build']>[0]) =>
      (stream as NonNullable<typeof stream>).map((n) => {
        if (n === 2 && checkpoint.location !== healed) throw new Error('killed')
        return n as number
      }),
    options: { batchInterval: 1_000, checkpoint, batchAttemptsMax: 1 },
    clock,
  }
  let healed = ''
  driven = await DrivenRun.start<unknown, number>({
    ...what,
    sources: [new ScriptedReceiver(script)],
  })
  await driven.nextBatch(1_000)
  await driven.nextBatch(1_000).catch(() => undefined)
  await expect(driven.run.done).rejects.toMatchObject({ code: 'TASK_FAILED' })
  const { sink } = driven
  healed = checkpoint.location
  const again = new ScriptedReceiver([{ at: 100, store: [5] }])
  driven = await DrivenRun.start<unknown, number>({ ...what, sink, sources: [again] })
  expect(driven.eventsOf('source-counted')).toEqual([
    { kind: 'source-counted', name: 'records-lost', by: 2, source: 'scripted-receiver' },
  ])
  await driven.nextBatch(1_000)
  expect(sink.records()).toEqual([1, 5])
})
