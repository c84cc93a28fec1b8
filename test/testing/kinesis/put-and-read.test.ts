import { describe, expect, test } from 'vitest'
import { parseSequenceNumber } from '../../../src/testing/kinesis/sequence-number.ts'
import { type Answer, codeOf, faultOf, START_MS, Streams, texts } from './streams.ts'

function oneShard(): Streams {
  const streams = new Streams()
  streams.create(1)
  return streams
}

describe('records', () => {
  test('come back as they were put, in their order, with their time', () => {
    const streams = oneShard()
    streams.put('a')
    streams.clock.advance(1_500)
    streams.put('b')
    const answer = streams.read(streams.iterator('TRIM_HORIZON'))
    expect(texts(answer)).toEqual(['a', 'b'])
    expect(answer.Records[1]).toMatchObject({
      PartitionKey: 'b',
      ApproximateArrivalTimestamp: new Date(START_MS + 1_500),
    })
  })

  test('are copies: the memory of a put may be used again', () => {
    const streams = oneShard()
    const Data = Buffer.from('a')
    streams.put('a', { Data })
    Data.fill('b')
    expect(texts(streams.read(streams.iterator('TRIM_HORIZON')))).toEqual(['a'])
  })

  test('have sequence numbers of 56 digits that grow, also as texts', () => {
    const streams = oneShard()
    const numbers = Array.from({ length: 300 }, (_, i) => {
      streams.clock.advance(i % 7)
      return streams.put(String(i)).SequenceNumber as string
    })
    expect(new Set(numbers).size).toBe(300)
    expect(numbers.every((number) => /^49\d{54}$/.test(number))).toBe(true)
    expect([...numbers].sort()).toEqual(numbers)
    expect([...numbers].sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1))).toEqual(numbers)
    expect(parseSequenceNumber(numbers[0] ?? '')).toMatchObject({ shardIndex: 0 })
  })

  test('go to the shard that holds the hash of their key', () => {
    const streams = new Streams()
    streams.create(4)
    const shards = streams.call('ListShards', { StreamName: 's' }).Shards
    // MD5 of these keys: a 0cc1…, e e1671…, b 92eb…, c 4a8a…
    for (const [key, index] of [
      ['a', 0],
      ['c', 1],
      ['b', 2],
      ['e', 3],
    ] as const) {
      expect(streams.put(key).ShardId).toBe(shards[index].ShardId)
    }
    const { StartingHashKey, EndingHashKey } = shards[2].HashKeyRange
    for (const ExplicitHashKey of [StartingHashKey, EndingHashKey]) {
      expect(streams.put('a', { ExplicitHashKey }).ShardId).toBe(shards[2].ShardId)
    }
    const tooLarge = { ExplicitHashKey: String(2n ** 128n) }
    expect(codeOf(() => streams.put('a', tooLarge))).toBe('InvalidArgumentException')
  })

  test('of one PutRecords are answered in their order', () => {
    const streams = new Streams()
    streams.create(3)
    const Records = Array.from({ length: 100 }, (_, i) => ({
      PartitionKey: `k${i}`,
      Data: Buffer.from(String(i)),
    }))
    const answer = streams.call('PutRecords', { StreamName: 's', Records })
    expect(answer.FailedRecordCount).toBe(0)
    for (const [i, { ShardId, SequenceNumber }] of (answer.Records as Answer[]).entries()) {
      const of = { ShardId, StartingSequenceNumber: SequenceNumber }
      const read = streams.read(streams.iterator('AT_SEQUENCE_NUMBER', of), { Limit: 1 })
      expect(texts(read)).toEqual([String(i)])
    }
  })

  test('over the maximum size of the stream are refused, partition key included', () => {
    const streams = oneShard()
    const Data = Buffer.alloc(1024 * 1024)
    expect(codeOf(() => streams.put('a', { Data }))).toBe('ValidationException')
    streams.put('a', { Data: Data.subarray(1) })
    const StreamARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/s'
    streams.call('UpdateMaxRecordSize', { StreamARN, MaxRecordSizeInKiB: 10_240 })
    streams.put('a', { Data })
    const large = { MaxRecordSizeInKiB: 10_241, StreamARN }
    expect(codeOf(() => streams.call('UpdateMaxRecordSize', large))).toBe('ValidationException')
  })

  test('of one PutRecords have 10 MiB at most, and are 500', () => {
    const streams = oneShard()
    const put = (count: number, bytes: number) =>
      streams.call('PutRecords', {
        StreamName: 's',
        Records: Array.from({ length: count }, () => ({
          PartitionKey: 'a',
          Data: Buffer.alloc(bytes),
        })),
      })
    expect(codeOf(() => put(501, 1))).toBe('ValidationException')
    expect(codeOf(() => put(11, 1_000_000))).toBe('InvalidArgumentException')
    expect(put(500, 20_000).FailedRecordCount).toBe(0)
  })

  test('may name a sequence number to come after, unless it is of the future', () => {
    const streams = oneShard()
    const { SequenceNumber } = streams.put('a')
    const after = streams.put('b', { SequenceNumberForOrdering: SequenceNumber }).SequenceNumber
    expect(after > SequenceNumber).toBe(true)
    const invalid = { SequenceNumberForOrdering: '7' }
    expect(codeOf(() => streams.put('c', invalid))).toBe('InvalidArgumentException')
  })
})

describe('iterators', () => {
  test('begin where their type says', () => {
    const streams = oneShard()
    const numbers = ['a', 'b', 'c'].map((text) => {
      streams.clock.advance(1_000)
      return streams.put(text).SequenceNumber as string
    })
    const from = (type: string, more = {}) => texts(streams.read(streams.iterator(type, more)))
    const StartingSequenceNumber = numbers[1]
    expect(from('TRIM_HORIZON')).toEqual(['a', 'b', 'c'])
    expect(from('LATEST')).toEqual([])
    expect(from('AT_SEQUENCE_NUMBER', { StartingSequenceNumber })).toEqual(['b', 'c'])
    expect(from('AFTER_SEQUENCE_NUMBER', { StartingSequenceNumber })).toEqual(['c'])
    const at = (ms: number) => from('AT_TIMESTAMP', { Timestamp: new Date(START_MS + ms) })
    expect([at(0), at(2_000), at(2_001), at(3_000)]).toEqual([
      ['a', 'b', 'c'],
      ['b', 'c'],
      ['c'],
      ['c'],
    ])
    streams.clock.advance(5)
    expect(at(3_001)).toEqual([])
  })

  test('at the latest position give what comes later', () => {
    const streams = oneShard()
    streams.put('a')
    const latest = streams.iterator('LATEST')
    streams.put('b')
    expect(texts(streams.read(latest))).toEqual(['b'])
  })

  test('go on after each read, by the limit', () => {
    const streams = oneShard()
    for (const text of ['a', 'b', 'c']) streams.put(text)
    const first = streams.read(streams.iterator('TRIM_HORIZON'), { Limit: 2 })
    expect(texts(first)).toEqual(['a', 'b'])
    const second = streams.read(first.NextShardIterator, { Limit: 2 })
    expect(texts(second)).toEqual(['c'])
    const third = streams.read(second.NextShardIterator)
    expect(texts(third)).toEqual([])
    streams.put('d')
    expect(texts(streams.read(third.NextShardIterator))).toEqual(['d'])
  })

  test('expire 300 s after they were given', () => {
    const streams = oneShard()
    const iterator = streams.iterator('TRIM_HORIZON')
    streams.clock.advance(300_000)
    streams.read(iterator)
    streams.clock.advance(1)
    const fault = faultOf(() => streams.read(iterator))
    expect(fault.code).toBe('ExpiredIteratorException')
    expect(fault.message).toContain('tolerated delay of 300000 milliseconds')
  })

  test('that nobody gave are refused', () => {
    const streams = oneShard()
    const iterator = streams.iterator('TRIM_HORIZON')
    const other = iterator[30] === 'A' ? 'B' : 'A'
    const changed = `${iterator.slice(0, 30)}${other}${iterator.slice(31)}`
    for (const one of ['a', changed, iterator.slice(4), `${iterator}AAAA`]) {
      expect(codeOf(() => streams.read(one))).toBe('InvalidArgumentException')
    }
  })

  test('of a stream that was made again under its name find nothing', () => {
    const streams = oneShard()
    const iterator = streams.iterator('TRIM_HORIZON')
    const before = streams.put('a').SequenceNumber
    streams.call('DeleteStream', { StreamName: 's' })
    streams.create(1)
    expect(codeOf(() => streams.read(iterator))).toBe('ResourceNotFoundException')
    const of = { StartingSequenceNumber: before }
    expect(faultOf(() => streams.iterator('AT_SEQUENCE_NUMBER', of)).message).toContain(
      'it did not come from this stream',
    )
  })

  test.each([
    ['AT_SEQUENCE_NUMBER', {}, 'InvalidArgumentException'],
    ['TRIM_HORIZON', { StartingSequenceNumber: '0' }, 'InvalidArgumentException'],
    ['AT_TIMESTAMP', {}, 'InvalidArgumentException'],
    ['AT_TIMESTAMP', { Timestamp: new Date(START_MS + 1) }, 'InvalidArgumentException'],
    ['AFTER_SEQUENCE_NUMBER', { StartingSequenceNumber: '5' }, 'InvalidArgumentException'],
    ['SOMEWHERE', {}, 'ValidationException'],
    ['LATEST', { ShardId: '7' }, 'ResourceNotFoundException'],
    ['LATEST', { ShardId: 'x' }, 'ResourceNotFoundException'],
    ['LATEST', { StreamName: 'other' }, 'ResourceNotFoundException'],
    ['LATEST', { StreamName: undefined }, 'InvalidArgumentException'],
  ])('%s with %o: %s', (type, more, code) => {
    expect(codeOf(() => oneShard().iterator(type, more))).toBe(code)
  })

  test('do not take the sequence number of another shard', () => {
    const streams = new Streams()
    streams.create(2)
    const [first, second] = streams.call('ListShards', { StreamName: 's' }).Shards
    const of = {
      ShardId: first.ShardId,
      StartingSequenceNumber: second.SequenceNumberRange.StartingSequenceNumber,
    }
    const { message } = faultOf(() => streams.iterator('AT_SEQUENCE_NUMBER', of))
    expect(message).toContain('It encodes shardId-000000000001')
  })
})

describe('a read', () => {
  test('tells how far it is from the tip', () => {
    const streams = oneShard()
    for (const text of ['a', 'b']) {
      streams.put(text)
      streams.clock.advance(1_000)
    }
    const first = streams.read(streams.iterator('TRIM_HORIZON'), { Limit: 1 })
    expect(first.MillisBehindLatest).toBe(2_000)
    const second = streams.read(first.NextShardIterator)
    expect(second.MillisBehindLatest).toBe(0)
    expect(streams.read(second.NextShardIterator).MillisBehindLatest).toBe(0)
  })

  test('is at the tip only where nothing follows, also within the millisecond', () => {
    const streams = oneShard()
    for (const text of ['a', 'b']) streams.put(text)
    const first = streams.read(streams.iterator('TRIM_HORIZON'), { Limit: 1 })
    expect(first.MillisBehindLatest).toBe(1)
    expect(streams.read(first.NextShardIterator).MillisBehindLatest).toBe(0)
  })

  test('gives 10 MiB at most, but one record in any case', () => {
    const streams = oneShard()
    const StreamARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/s'
    streams.call('UpdateMaxRecordSize', { StreamARN, MaxRecordSizeInKiB: 10_240 })
    const MIB = 1024 * 1024
    const sizes = [6 * MIB, 4 * MIB - 2, 1, 10 * MIB - 1]
    for (const size of sizes) streams.put('a', { Data: Buffer.alloc(size) })
    let iterator = streams.iterator('TRIM_HORIZON')
    const counts = Array.from({ length: 3 }, () => {
      const answer = streams.read(iterator)
      iterator = answer.NextShardIterator
      return answer.Records.length
    })
    expect(counts).toEqual([2, 1, 1])
  })

  test('does not give what is older than the retention', () => {
    const streams = oneShard()
    const iterator = streams.iterator('TRIM_HORIZON')
    const { SequenceNumber: first } = streams.put('a')
    streams.clock.advance(3_600_000)
    streams.put('b')
    streams.clock.advance(23 * 3_600_000)
    const horizon = () => texts(streams.read(streams.iterator('TRIM_HORIZON')))
    expect(horizon()).toEqual(['a', 'b'])
    streams.clock.advance(1)
    expect(horizon()).toEqual(['b'])
    const at = streams.iterator('AT_SEQUENCE_NUMBER', { StartingSequenceNumber: first })
    expect(texts(streams.read(at))).toEqual(['b'])
    expect(codeOf(() => streams.read(iterator))).toBe('ExpiredIteratorException')
    streams.call('IncreaseStreamRetentionPeriod', { StreamName: 's', RetentionPeriodHours: 168 })
    streams.clock.advance(100 * 3_600_000)
    expect(horizon()).toEqual(['b'])
  })

  test('does not give again what had expired before the retention was increased', () => {
    const streams = oneShard()
    streams.put('a')
    streams.clock.advance(20 * 3_600_000)
    streams.put('b')
    streams.clock.advance(5 * 3_600_000)
    streams.call('IncreaseStreamRetentionPeriod', { StreamName: 's', RetentionPeriodHours: 168 })
    const oldest = () => texts(streams.read(streams.iterator('TRIM_HORIZON')))
    expect(oldest()).toEqual(['b'])
    streams.clock.advance(160 * 3_600_000)
    expect(oldest()).toEqual(['b'])
    streams.call('DecreaseStreamRetentionPeriod', { StreamName: 's', RetentionPeriodHours: 24 })
    expect(oldest()).toEqual([])
  })

  test('is not needed for records to go that are older than the retention', () => {
    const streams = oneShard()
    for (const text of ['a', 'b']) streams.put(text)
    streams.call('SplitShard', { StreamName: 's', ShardToSplit: '0', NewStartingHashKey: '99' })
    streams.put('c')
    streams.clock.advance(25 * 3_600_000)
    streams.put('d')
    const { account } = streams.service
    const kept = account.stream('s', streams.service.nowMs())?.shards.map((shard) => shard.endIndex)
    expect(kept).toEqual([0, 0, 1])
  })

  test('of a limit out of range is refused', () => {
    const streams = oneShard()
    const iterator = streams.iterator('TRIM_HORIZON')
    for (const Limit of [0, 10_001]) {
      expect(codeOf(() => streams.read(iterator, { Limit }))).toBe('ValidationException')
    }
  })
})
