import { describe, expect, test } from 'vitest'
import { codeOf, Streams } from './streams.ts'

const THROTTLED = 'ProvisionedThroughputExceededException'
const MIB = 1024 * 1024

function limited(): Streams {
  const streams = new Streams({ limits: {} })
  streams.create(2)
  return streams
}

describe('what a shard takes', () => {
  test('is 1,000 records a second; other shards are not touched', () => {
    const streams = limited()
    const entry = { PartitionKey: 'a', Data: Buffer.alloc(1) }
    const put = () =>
      streams.call('PutRecords', { StreamName: 's', Records: Array(400).fill(entry) })
    expect([put(), put(), put()].map((answer) => answer.FailedRecordCount)).toEqual([0, 0, 200])
    expect(codeOf(() => streams.put('a'))).toBe(THROTTLED)
    expect(streams.put('e').ShardId).toBe('shardId-000000000001')
    streams.clock.advance(100)
    expect(put().FailedRecordCount).toBe(300)
    expect(streams.service.shards[0]).toMatchObject({
      recordsIn: 1_100,
      bytesIn: 2_200,
      recordsThrottled: 501,
    })
  })

  test('is 1 MiB a second, each record of a PutRecords by itself', () => {
    const streams = limited()
    const sizes = [600_000, 600_000, 400_000]
    const { FailedRecordCount, Records } = streams.call('PutRecords', {
      StreamName: 's',
      Records: sizes.map((size) => ({ PartitionKey: 'a', Data: Buffer.alloc(size) })),
    })
    expect(FailedRecordCount).toBe(1)
    expect(Records[1]).toEqual({
      ErrorCode: THROTTLED,
      ErrorMessage:
        'Rate exceeded for shard shardId-000000000000 in stream s under account 000000000000.',
    })
    streams.clock.advance(1_000)
    streams.put('a', { Data: Buffer.alloc(1_000_000) })
  })

  test('may be one large record, which is paid off at 1 MiB a second', () => {
    const streams = limited()
    const StreamARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/s'
    streams.call('UpdateMaxRecordSize', { StreamARN, MaxRecordSizeInKiB: 10_240 })
    streams.put('a', { Data: Buffer.alloc(10 * MIB - 1) })
    streams.clock.advance(10_000)
    expect(codeOf(() => streams.put('a', { Data: Buffer.alloc(100) }))).toBe(THROTTLED)
    streams.clock.advance(1)
    streams.put('a', { Data: Buffer.alloc(100) })
  })
})

describe('what a shard gives', () => {
  test('is five reads a second', () => {
    const streams = limited()
    const iterator = streams.iterator('LATEST')
    for (let i = 0; i < 5; i++) streams.read(iterator)
    expect(codeOf(() => streams.read(iterator))).toBe(THROTTLED)
    streams.clock.advance(200)
    streams.read(iterator)
    expect(codeOf(() => streams.read(iterator))).toBe(THROTTLED)
    expect(streams.service.shards[0]).toMatchObject({
      reads: 8,
      readsThrottled: 2,
      readsPerSecondMax: 8,
    })
  })

  test('after 10 MiB at once is nothing for 5 s', () => {
    const streams = new Streams({ limits: { shardBytesInPerSecond: Number.POSITIVE_INFINITY } })
    streams.create(1)
    for (let i = 0; i < 20; i++) streams.put('a', { Data: Buffer.alloc(MIB - 1) })
    const first = streams.read(streams.iterator('TRIM_HORIZON'))
    expect(first.Records).toHaveLength(10)
    streams.clock.advance(4_999)
    expect(codeOf(() => streams.read(first.NextShardIterator))).toBe(THROTTLED)
    streams.clock.advance(2)
    expect(streams.read(first.NextShardIterator).Records).toHaveLength(10)
    expect(streams.service.shards[0]?.bytesOutPerSecondMax).toBe(10 * MIB)
  })

  test('is 2 MiB a second for readers that share it', () => {
    const streams = new Streams({ limits: { shardBytesInPerSecond: Number.POSITIVE_INFINITY } })
    streams.create(1)
    for (let i = 0; i < 3; i++) streams.put('a', { Data: Buffer.alloc(MIB - 1) })
    const from = streams.iterator('TRIM_HORIZON')
    streams.read(from, { Limit: 1 })
    streams.read(from, { Limit: 1 })
    expect(codeOf(() => streams.read(from, { Limit: 1 }))).toBe(THROTTLED)
    streams.clock.advance(500)
    streams.read(from, { Limit: 1 })
  })

  test('are five iterators a second', () => {
    const streams = limited()
    for (let i = 0; i < 5; i++) streams.iterator('LATEST')
    expect(codeOf(() => streams.iterator('LATEST'))).toBe(THROTTLED)
    streams.iterator('LATEST', { ShardId: '1' })
  })
})

describe('calls of the control plane', () => {
  test.each([
    ['ListStreams', 5],
    ['DescribeStream', 10],
    ['DescribeStreamSummary', 20],
    ['ListShards', 1_000],
  ])('%s: %i a second', (operation, perSecond) => {
    const streams = limited()
    const input = operation === 'ListStreams' ? {} : { StreamName: 's' }
    for (let i = 0; i < perSecond; i++) streams.call(operation, input)
    expect(codeOf(() => streams.call(operation, input))).toBe('LimitExceededException')
    streams.clock.advance(1_000 / perSecond)
    streams.call(operation, input)
  })

  test('stop at the quotas of the account', () => {
    const streams = new Streams({
      limits: { shardsPerAccount: 5, streamsBeingCreated: 2, onDemandStreams: 1 },
      streamDelayMs: 10,
    })
    const create = (StreamName: string, more: object) =>
      streams.call('CreateStream', { StreamName, ...more })
    const onDemand = { StreamModeDetails: { StreamMode: 'ON_DEMAND' } }
    create('a', { ShardCount: 4 })
    create('b', onDemand)
    expect(codeOf(() => create('c', { ShardCount: 1 }))).toBe('LimitExceededException')
    streams.clock.advance(1_000)
    expect(codeOf(() => create('c', { ShardCount: 2 }))).toBe('LimitExceededException')
    expect(codeOf(() => create('c', onDemand))).toBe('LimitExceededException')
    create('c', { ShardCount: 1 })
  })

  test('can have limits of their own, or none', () => {
    const own = new Streams({ limits: { controlCallsPerSecond: 1 } })
    own.call('ListStreams')
    expect(codeOf(() => own.call('ListStreams'))).toBe('LimitExceededException')
    const off = new Streams({ limits: 'off' })
    for (let i = 0; i < 100; i++) off.call('ListStreams')
    expect(() => new Streams({ limits: { shardReadsPerSecond: 0 } })).toThrow(
      'limits.shardReadsPerSecond is 0',
    )
  })
})
