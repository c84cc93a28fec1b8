import { describe, expect, test } from 'vitest'
import { type Answer, codeOf, faultOf, START_MS, Streams } from './streams.ts'

const OF = { StreamName: 's' }
const ARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/s'

function made(): Streams {
  const streams = new Streams()
  streams.create(3)
  return streams
}

describe('a stream', () => {
  test('describes itself, by name and by ARN', () => {
    const streams = made()
    const common = {
      StreamName: 's',
      StreamARN: ARN,
      StreamStatus: 'ACTIVE',
      StreamModeDetails: { StreamMode: 'PROVISIONED' },
      StreamCreationTimestamp: new Date(START_MS),
      RetentionPeriodHours: 24,
      EnhancedMonitoring: [{ ShardLevelMetrics: [] }],
      EncryptionType: 'NONE',
    }
    expect(streams.call('DescribeStreamSummary', { StreamARN: ARN })).toEqual({
      StreamDescriptionSummary: {
        ...common,
        OpenShardCount: 3,
        ConsumerCount: 0,
        MaxRecordSizeInKiB: 1_024,
      },
    })
    const { StreamDescription } = streams.call('DescribeStream', { ...OF, Limit: 2 })
    expect(StreamDescription).toMatchObject({ ...common, HasMoreShards: true })
    const ids = StreamDescription.Shards.map(({ ShardId }: Answer) => ShardId)
    expect(ids).toEqual(['shardId-000000000000', 'shardId-000000000001'])
    const rest = { ...OF, ExclusiveStartShardId: ids[1] }
    const { Shards, HasMoreShards } = streams.call('DescribeStream', rest).StreamDescription
    expect([Shards.length, HasMoreShards]).toEqual([1, false])
  })

  test('is not found by an ARN of another account or by none', () => {
    const streams = made()
    const describeBy = (input: object) =>
      codeOf(() => streams.call('DescribeStreamSummary', { ...input }))
    expect(describeBy({ StreamARN: ARN.replace('0000', '1111') })).toBe('ResourceNotFoundException')
    expect(describeBy({ StreamName: 't', StreamARN: ARN })).toBe('InvalidArgumentException')
    expect(describeBy({})).toBe('InvalidArgumentException')
    expect(describeBy({ StreamARN: 'x' })).toBe('ValidationException')
  })

  test('has one name', () => {
    const streams = made()
    expect(codeOf(() => streams.create(1))).toBe('ResourceInUseException')
    expect(codeOf(() => streams.create(0, 't'))).toBe('ValidationException')
    expect(codeOf(() => streams.create(1, 'not a name'))).toBe('ValidationException')
    expect(codeOf(() => streams.call('CreateStream', { StreamName: 't' }))).toBe(
      'ValidationException',
    )
  })

  test('that is made again under its name is another one', () => {
    const streams = made()
    const describeIt = () => streams.call('DescribeStreamSummary', OF).StreamDescriptionSummary
    const before = describeIt().StreamCreationTimestamp
    const number = streams.put('a').SequenceNumber
    streams.call('DeleteStream', { StreamARN: ARN })
    expect(codeOf(describeIt)).toBe('ResourceNotFoundException')
    streams.create(3)
    expect(describeIt().StreamCreationTimestamp.getTime()).toBeGreaterThan(before.getTime())
    expect(streams.put('a').SequenceNumber > number).toBe(true)
  })

  test('on demand has four shards', () => {
    const streams = new Streams()
    const StreamModeDetails = { StreamMode: 'ON_DEMAND' }
    streams.call('CreateStream', { ...OF, StreamModeDetails })
    expect(streams.shardIds()).toHaveLength(4)
    streams.call('UpdateStreamMode', {
      StreamARN: ARN,
      StreamModeDetails: { StreamMode: 'PROVISIONED' },
    })
    streams.call('SplitShard', { ...OF, ShardToSplit: '0', NewStartingHashKey: '9' })
  })

  test('keeps its records for 24 to 8,760 hours', () => {
    const streams = made()
    const set = (way: string, RetentionPeriodHours: number) =>
      streams.call(`${way}StreamRetentionPeriod`, { ...OF, RetentionPeriodHours })
    set('Increase', 168)
    expect(codeOf(() => set('Increase', 167))).toBe('InvalidArgumentException')
    expect(codeOf(() => set('Increase', 8_761))).toBe('InvalidArgumentException')
    expect(codeOf(() => set('Decrease', 169))).toBe('InvalidArgumentException')
    expect(codeOf(() => set('Decrease', 23))).toBe('InvalidArgumentException')
    set('Decrease', 24)
  })

  test('has tags', () => {
    const streams = made()
    streams.call('AddTagsToStream', { ...OF, Tags: { b: '2', a: '1', c: '3' } })
    streams.call('RemoveTagsFromStream', { ...OF, TagKeys: ['c'] })
    expect(streams.call('ListTagsForStream', { ...OF, Limit: 1 })).toEqual({
      Tags: [{ Key: 'a', Value: '1' }],
      HasMoreTags: true,
    })
  })

  test.each([
    ['an empty key', { '': '1' }],
    ['a key that is too long', { ['k'.repeat(129)]: '1' }],
    ['a value that is too long', { k: 'v'.repeat(257) }],
  ])('has no tag with %s', (_what, Tags) => {
    const streams = made()
    for (const operation of ['AddTagsToStream', 'CreateStream']) {
      const add = () => streams.call(operation, { StreamName: 't', ShardCount: 1, Tags })
      expect(codeOf(add)).toBe('ValidationException')
    }
  })
})

describe('ListStreams', () => {
  test('gives names in their order, in pages by name or token', () => {
    const streams = new Streams()
    for (const name of ['c', 'a', 'b']) streams.create(1, name)
    const first = streams.call('ListStreams', { Limit: 2 })
    expect([first.StreamNames, first.HasMoreStreams]).toEqual([['a', 'b'], true])
    for (const more of [{ NextToken: first.NextToken }, { ExclusiveStartStreamName: 'b' }]) {
      const second = streams.call('ListStreams', more)
      expect([second.StreamNames, second.HasMoreStreams]).toEqual([['c'], false])
      expect(second.StreamSummaries[0]).toMatchObject({ StreamName: 'c', StreamStatus: 'ACTIVE' })
    }
  })
})

describe('a request', () => {
  test('with members out of bounds is told each of them', () => {
    const streams = made()
    const input = { StreamName: '?', ShardId: 's', ShardIteratorType: 'x' }
    expect(faultOf(() => streams.call('GetShardIterator', input)).message).toBe(
      "2 validation errors detected: Value '?' at 'streamName' failed to satisfy constraint: " +
        'Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+; ' +
        "Value 'x' at 'shardIteratorType' failed to satisfy constraint: Member must satisfy enum " +
        'value set: [AFTER_SEQUENCE_NUMBER, LATEST, AT_TIMESTAMP, ' +
        'AT_SEQUENCE_NUMBER, TRIM_HORIZON]',
    )
    const Records = [{ PartitionKey: 'a', Data: Buffer.alloc(0) }, { PartitionKey: '' }]
    expect(faultOf(() => streams.call('PutRecords', { ...OF, Records })).message).toBe(
      "2 validation errors detected: Value null at 'records.2.member.data' failed to satisfy " +
        "constraint: Member must not be null; Value '' at 'records.2.member.partitionKey' failed " +
        'to satisfy constraint: Member must have length greater than or equal to 1',
    )
  })

  test('with a member of the wrong type cannot be read', () => {
    const streams = made()
    const call = () => streams.call('ListShards', { StreamName: 5 })
    expect(codeOf(call)).toBe('SerializationException')
  })

  test('for an unknown operation is refused', () => {
    expect(codeOf(() => made().call('Subscribe'))).toBe('UnknownOperationException')
  })
})
