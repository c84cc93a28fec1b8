import { ManualClock, ScriptedReceiver } from 'millrace/testing'
import { afterEach, expect, test } from 'vitest'
import { settled } from './opened-custom-receiver.ts'
import { OpenedSource } from './opened-source.ts'

afterEach(() => OpenedSource.stopAll())

test('ScriptedReceiver does each step at its time from its first start', async () => {
  const clock = new ManualClock(5_000)
  const cause = new Error('broken')
  const receiver = new ScriptedReceiver<string>([
    { at: 100, store: ['a'] },
    { at: '1s', error: 'trouble', cause },
    { at: 2_000, restart: 'again', cause, delay: 500 },
    { at: 2_200, store: ['b'] },
    { at: 3_000, store: ['c'] },
  ])
  const source = await OpenedSource.start(receiver, { clock })
  clock.advance(99)
  expect(await source.records()).toEqual([])
  clock.advance(1)
  expect(await source.records()).toEqual(['a'])
  clock.advance(900)
  expect(source.errors).toEqual(['trouble'])
  clock.advance(1_000)
  await settled()
  expect([receiver.starts, receiver.stops]).toEqual([1, 1])
  clock.advance(500)
  await settled()
  expect([receiver.starts, receiver.stops]).toEqual([2, 1])
  clock.advance(500)
  expect(await source.records()).toEqual(['b', 'c'])
  expect(source.news[0]).toEqual({
    kind: 'receiver-restarted',
    message: 'again',
    error: cause,
    delayMs: 500,
  })
})

test('ScriptedReceiver keeps the errors of stores that were refused', async () => {
  const clock = new ManualClock()
  const receiver = new ScriptedReceiver<string>([
    { at: 100, stop: 'enough' },
    { at: 200, store: ['late'] },
  ])
  const source = await OpenedSource.start(receiver, { clock })
  clock.advance(100)
  await settled()
  clock.advance(100)
  await settled()
  expect(receiver.refused).toMatchObject([{ code: 'RECEIVER_STOPPED' }])
  expect(await source.records()).toEqual([])
})

test('ScriptedReceiver stops its timers with the run', async () => {
  const clock = new ManualClock()
  const receiver = new ScriptedReceiver<string>([{ at: 100, store: ['late'] }])
  const source = await OpenedSource.start(receiver, { clock })
  source.abort()
  clock.advance(100)
  expect(receiver.refused).toEqual([])
})
