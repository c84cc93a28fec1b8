import { afterEach, describe, expect, test } from 'vitest'
import { newStream, OpenedKinesis } from './opened-kinesis.ts'

const STREAM = { stream: 's' }

let opened: OpenedKinesis | undefined

afterEach(async () => {
  await opened?.stop()
  opened = undefined
})

describe('limits', () => {
  test('a shard is read five times a second at most, and faulted calls count', async () => {
    const faults = [{ kind: 'error', operation: 'GetRecords', rate: 0.3 }] as const
    const kinesis = newStream(3, { faults, seed: 7 })
    opened = await OpenedKinesis.start(kinesis, STREAM)
    for (let i = 0; i < 60; i++) {
      kinesis.put('s', ['a', 'b', 'c'])
      await opened.pass(500, 20)
      opened.cut()
    }
    for (const { readsThrottled, readsPerSecondMax } of kinesis.service.shards) {
      expect(readsThrottled).toBe(0)
      expect(readsPerSecondMax).toBeLessThanOrEqual(5)
    }
    expect(opened.counts.get('kinesis.retries')).toBeGreaterThan(10)
  })

  test('after a big page the shard rests as long as its bytes cost', async () => {
    const kinesis = newStream(1, { limits: { shardBytesInPerSecond: 1e12 } })
    const Data = new Uint8Array(1_000_000)
    for (let i = 0; i < 30; i++) {
      kinesis.call('PutRecord', { StreamName: 's', PartitionKey: 'a', Data })
    }
    opened = await OpenedKinesis.start(kinesis, STREAM)
    await opened.pass(20_000)
    expect(opened.texts()).toHaveLength(30)
    const [shard] = kinesis.service.shards
    expect(shard?.readsThrottled).toBe(0)
    expect(kinesis.service.calls.filter(({ records }) => records === 10)).not.toHaveLength(0)
  })

  test('two consumers of a shard share it: both go slower until both are served', async () => {
    const kinesis = newStream(1)
    opened = await OpenedKinesis.start(kinesis, { ...STREAM, idlePollIntervalMs: 200 })
    const other = await OpenedKinesis.start(kinesis, { ...STREAM, idlePollIntervalMs: 200 })
    await opened.pass(60_000, 20)
    const before = kinesis.service.shards[0]
    await opened.pass(60_000, 20)
    const after = kinesis.service.shards[0]
    opened.cut()
    other.cut()
    const calls = [opened, other].map((one) => one.counts.get('kinesis.calls') ?? 0)
    expect(Math.max(...calls) / Math.min(...calls)).toBeLessThan(2)
    const reads = (after?.reads ?? 0) - (before?.reads ?? 0)
    const refused = (after?.readsThrottled ?? 0) - (before?.readsThrottled ?? 0)
    expect(reads - refused).toBeGreaterThan(150)
    expect(refused / reads).toBeLessThan(0.3)
    for (const one of [opened, other]) {
      expect(one.counts.get('kinesis.throttled')).toBeGreaterThan(0)
      expect(one.counts.get('kinesis.throttled-ms')).toBeGreaterThan(0)
      expect(one.counts.get('kinesis.calls')).toBeGreaterThan(100)
    }
    await other.stop()
  })

  test('an idle shard is read once a second, and fast again when a record comes', async () => {
    const kinesis = newStream(1)
    opened = await OpenedKinesis.start(kinesis, STREAM)
    await opened.pass(10_000)
    const callsBefore = kinesis.service.callCount
    await opened.pass(20_000)
    expect(kinesis.service.callCount - callsBefore).toBeLessThan(25)
    kinesis.put('s', ['a'])
    const callsAfter = kinesis.service.callCount
    await opened.pass(3_000)
    expect(kinesis.service.callCount - callsAfter).toBeGreaterThanOrEqual(6)
  })

  test('500 shards are all read within the bound of calls in flight', async () => {
    const kinesis = newStream(500, { limits: { shardsPerAccount: 1_000 }, callsMax: 100_000 })
    opened = await OpenedKinesis.start(kinesis, STREAM)
    await opened.pass(5_000)
    const reads = kinesis.service.shards.map((shard) => shard.reads)
    expect(reads).toHaveLength(500)
    expect(Math.min(...reads)).toBeGreaterThanOrEqual(4)
    expect(Math.max(...reads) / Math.min(...reads)).toBeLessThan(2)
  })

  test('reads no further ahead than its bytes, with what is in flight', async () => {
    const kinesis = newStream(4, { limits: 'off' })
    const Data = new Uint8Array(1_000_000)
    for (let i = 0; i < 80; i++) {
      kinesis.call('PutRecord', { StreamName: 's', PartitionKey: `k${i}`, Data })
    }
    opened = await OpenedKinesis.start(kinesis, STREAM, [], 24 * 1_048_576)
    await opened.pass(30_000)
    expect(opened.receiver.bufferedBytes()).toBeLessThanOrEqual(24 * 1_048_576)
    let got = 0
    for (let i = 0; i < 60 && got < 80; i++) {
      got += opened.texts().length
      await opened.pass(10_000)
      expect(opened.receiver.bufferedBytes()).toBeLessThanOrEqual(24 * 1_048_576)
    }
    expect(got).toBe(80)
  })

  test('reads no further ahead than two cuts take under backpressure', async () => {
    const kinesis = newStream(1, { limits: 'off' })
    opened = await OpenedKinesis.start(kinesis, STREAM)
    opened.cut({ recordsMax: 10 })
    kinesis.put(
      's',
      Array.from({ length: 200 }, (_, i) => `a${i}`),
    )
    await opened.pass(10_000)
    expect(opened.texts({ recordsMax: 10 })).toHaveLength(10)
    await opened.pass(10_000)
    expect(opened.texts()).toHaveLength(20)
  })
})
