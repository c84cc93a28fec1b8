// A receiver of one's own is started, stopped and restarted as Spark's is.

import { customReceiver } from 'millrace/sources'
import { ManualClock } from 'millrace/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openCustom, settled } from './opened-custom-receiver.ts'
import { OpenedSource } from './opened-source.ts'

let clock: ManualClock
beforeEach(() => {
  clock = new ManualClock(1_000)
})
afterEach(() => OpenedSource.stopAll())

describe('the life of a receiver', () => {
  test('begins with onStart and ends with onStop', async () => {
    const { source, supervisor, calls } = await openCustom(clock)
    expect(calls).toEqual(['onStart'])
    expect([supervisor.isStarted(), supervisor.isStopped()]).toEqual([true, false])
    await source.receiver.stop()
    await source.receiver.stop()
    expect(calls).toEqual(['onStart', 'onStop'])
    expect([supervisor.isStarted(), supervisor.isStopped()]).toEqual([false, true])
  })

  test('goes on after a restart, which comes later and waits for its delay', async () => {
    const { source, supervisor, calls } = await openCustom(clock)
    const lost = new Error('lost')
    supervisor.restart('connection', lost, 100)
    expect(calls).toEqual(['onStart'])
    expect(supervisor.isStopped()).toBe(true)
    await settled()
    expect(calls).toEqual(['onStart', 'onStop'])
    clock.advance(99)
    await settled()
    expect(calls).toHaveLength(2)
    clock.advance(1)
    await settled()
    expect(calls).toEqual(['onStart', 'onStop', 'onStart'])
    expect(supervisor.isStarted()).toBe(true)
    expect(source.news).toEqual([
      { kind: 'receiver-restarted', message: 'connection', error: lost, delayMs: 100 },
      { kind: 'receiver-stopped' },
      { kind: 'receiver-started' },
    ])
    expect(source.counts.get('receiver-restarts')).toBe(1)
  })

  test('restarts after two seconds where nothing is said, and once for many calls', async () => {
    const { supervisor, calls } = await openCustom(clock)
    for (const message of ['a', 'b', 'c']) supervisor.restart(message)
    await settled()
    supervisor.restart('while it waits')
    clock.advance(1_999)
    await settled()
    expect(calls).toEqual(['onStart', 'onStop'])
    clock.advance(1)
    await settled()
    expect(calls).toEqual(['onStart', 'onStop', 'onStart'])
  })

  test('goes on after the receiver stopped itself', async () => {
    const { source, supervisor, calls } = await openCustom(clock, { restartDelay: '500ms' })
    supervisor.stop('enough')
    await settled()
    expect(calls).toEqual(['onStart', 'onStop'])
    await expect(supervisor.store(1)).rejects.toThrow(/it is stopped/)
    clock.advance(500)
    await settled()
    expect(calls).toEqual(['onStart', 'onStop', 'onStart'])
    await supervisor.store(2)
    expect(await source.records()).toEqual([2])
  })

  test.each<[how: string, fail: () => Promise<void>]>([
    [
      'throws',
      () => {
        throw new Error('no route')
      },
    ],
    ['gives a promise that rejects', () => Promise.reject(new Error('no route'))],
  ])('goes on after an onStart that %s', async (_how, fail) => {
    let attempts = 0
    const onStart = (): Promise<void> => {
      attempts += 1
      return attempts < 3 ? fail() : Promise.resolve()
    }
    const { source, supervisor } = await openCustom(clock, { restartDelay: '1s' }, { onStart })
    for (let i = 0; i < 2; i++) {
      await settled()
      clock.advance(1_000)
    }
    await settled()
    expect(supervisor.isStarted()).toBe(true)
    expect(attempts).toBe(3)
    expect(source.errors).toEqual(Array(2).fill('onStart of the receiver failed'))
    expect(source.counts.get('receiver-restarts')).toBe(2)
  })

  test('ends where it is stopped while it waits to start again', async () => {
    const { source, supervisor, calls } = await openCustom(clock)
    supervisor.restart('again')
    await source.receiver.stop()
    clock.advance(10_000)
    await settled()
    expect(calls).toEqual(['onStart', 'onStop'])
  })

  test('never begins where it is stopped before', async () => {
    const calls: string[] = []
    const description = customReceiver('custom', () => ({
      onStart: () => void calls.push('onStart'),
    }))
    const source = new OpenedSource(description, clock)
    await source.receiver.start([])
    await source.receiver.stop()
    source.receiver.run()
    expect(calls).toEqual([])
  })

  test('survives an onStop that throws, which is reported', async () => {
    const onStop = (): never => {
      throw new Error('no')
    }
    const { source } = await openCustom(clock, {}, { onStop })
    await source.receiver.stop()
    expect(source.errors).toEqual(['onStop of the receiver failed'])
  })
})
