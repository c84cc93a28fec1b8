import { afterEach, describe, expect, test } from 'vitest'
import { byKey, newStream, OpenedKinesis, textsOf } from './opened-kinesis.ts'

const STREAM = { stream: 's' }

let opened: OpenedKinesis | undefined

afterEach(async () => {
  await opened?.stop()
  opened = undefined
})

describe('failures', () => {
  test('an iterator that expired is made again after the last record', async () => {
    const kinesis = newStream(1, { limits: 'off' })
    kinesis.put('s', ['a1', 'a2'])
    opened = await OpenedKinesis.start(kinesis, STREAM)
    await opened.pass(1_000)
    expect(opened.texts()).toEqual(['a1', 'a2'])
    kinesis.clock.advance(400_000)
    kinesis.put('s', ['a3'])
    await opened.pass(5_000)
    expect(opened.texts()).toEqual(['a3'])
    expect(opened.counts.get('kinesis.expired-iterators')).toBe(1)
  })

  test('calls that are never answered are given up and made again', async () => {
    const faults = [{ kind: 'slow', operation: 'GetRecords', delayMs: 1e9, times: 2 }] as const
    const kinesis = newStream(1, { faults })
    kinesis.put('s', ['a1'])
    opened = await OpenedKinesis.start(kinesis, STREAM)
    await opened.pass(90_000, 500)
    expect(opened.texts()).toEqual(['a1'])
    expect(opened.counts.get('kinesis.retries')).toBe(2)
  })

  test('lost answers and cut connections lose and double nothing', async () => {
    const faults = [
      { kind: 'cut-after', rate: 0.2 },
      { kind: 'cut-before', rate: 0.2 },
      { kind: 'empty', rate: 0.2 },
      { kind: 'throttle', rate: 0.1 },
    ] as const
    const kinesis = newStream(2, { faults, seed: 3 })
    opened = await OpenedKinesis.start(kinesis, STREAM)
    const sent: string[] = []
    const got: string[] = []
    for (let i = 0; i < 100; i++) {
      const texts = [...'abcd'].map((key) => `${key}:${i}`)
      kinesis.put('s', texts)
      sent.push(...texts)
      await opened.pass(1_000)
      got.push(...opened.texts())
    }
    await opened.pass(60_000, 500)
    got.push(...opened.texts())
    expect(byKey(got)).toEqual(byKey(sent))
  })
})

test('what was cut is read again by its ranges', async () => {
  const kinesis = newStream(2)
  kinesis.put('s', [...'abcdefghijkl'])
  opened = await OpenedKinesis.start(kinesis, STREAM)
  await opened.pass(2_000)
  const cut = opened.cut({ recordsMax: 5 })
  const again = opened.receiver.replay(cut.map(({ range }) => range))
  await opened.pass(2_000)
  expect(textsOf(await again)).toEqual(textsOf(cut))
})

test('what was cut is read again though the service gives nothing for a while', async () => {
  const startMs = 1_700_000_000_000
  const fromMs = startMs + 2_000
  const faults = [{ kind: 'empty', fromMs, untilMs: fromMs + 60_000 }] as const
  const kinesis = newStream(1, { faults })
  kinesis.put('s', [...'abcdef'])
  opened = await OpenedKinesis.start(kinesis, STREAM)
  await opened.pass(2_000)
  const cut = opened.cut()
  const again = opened.receiver.replay(cut.map(({ range }) => range))
  await opened.pass(90_000)
  expect(textsOf(await again)).toEqual([...'abcdef'])
})

test('a stream is not caught up while the service gives nothing before a record', async () => {
  const faults = [{ kind: 'empty', operation: 'GetRecords', times: 10 }] as const
  const kinesis = newStream(1, { faults })
  kinesis.put('s', ['a'])
  kinesis.clock.advance(1_000)
  opened = await OpenedKinesis.start(kinesis, STREAM)
  await opened.pass(1_500)
  expect(opened.receiver.caughtUp()).toBe(false)
  await opened.pass(5_000)
  expect(opened.receiver.caughtUp()).toBe(true)
  expect(opened.texts()).toEqual(['a'])
})

test('a stream that is written all the time is caught up once what was there is read', async () => {
  const kinesis = newStream(1)
  for (let i = 0; i < 25; i++) kinesis.put('s', [`a${i}`])
  kinesis.clock.advance(1_000)
  opened = await OpenedKinesis.start(kinesis, { ...STREAM, recordsPerCallMax: 10 })
  const caughtUp: boolean[] = []
  for (let i = 0; i < 10; i++) {
    kinesis.put('s', ['b', 'c'])
    await opened.pass(200)
    caughtUp.push(opened.receiver.caughtUp())
  }
  expect(caughtUp[0]).toBe(false)
  expect(caughtUp.at(-1)).toBe(true)
  const whenCaughtUp = caughtUp.indexOf(true)
  expect(opened.texts().slice(0, 25)).toEqual(Array.from({ length: 25 }, (_, i) => `a${i}`))
  expect(whenCaughtUp).toBeGreaterThanOrEqual(2)
})
