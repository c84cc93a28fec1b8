import { describe, expect, test } from 'vitest'
import { type Answer, codeOf, START_MS, Streams } from './streams.ts'

const HOUR_MS = 3_600_000

/** One shard that is split after 1 h; its first child is split after 2 h. */
function splitTwice(): Streams {
  const streams = new Streams()
  streams.create(1)
  for (const ShardToSplit of ['0', '1']) {
    streams.clock.advance(HOUR_MS)
    const [{ HashKeyRange }] = streams
      .call('ListShards', { StreamName: 's' })
      .Shards.filter(({ ShardId }: Answer) => ShardId.endsWith(ShardToSplit))
    const NewStartingHashKey = String(BigInt(HashKeyRange.EndingHashKey) / 2n)
    streams.call('SplitShard', { StreamName: 's', ShardToSplit, NewStartingHashKey })
  }
  return streams
}

function numbers(streams: Streams, ShardFilter?: object, more: object = {}): number[] {
  return streams.shardIds({ ShardFilter, ...more }).map((id) => Number(id.split('-')[1]))
}

describe('ListShards', () => {
  test('gives all shards, parents with the end of their sequence numbers', () => {
    const { Shards } = splitTwice().call('ListShards', { StreamName: 's' })
    expect(Shards.map(({ ParentShardId }: Answer) => ParentShardId?.slice(-1))).toEqual([
      undefined,
      '0',
      '0',
      '1',
      '1',
    ])
    const ends = Shards.map((shard: Answer) => 'EndingSequenceNumber' in shard.SequenceNumberRange)
    expect(ends).toEqual([true, true, false, false, false])
  })

  test('gives the shards of now also where the stream was made again within a second', () => {
    const streams = new Streams()
    streams.create(1)
    streams.call('DeleteStream', { StreamName: 's' })
    streams.create(2)
    const Timestamp = new Date(START_MS)
    expect(numbers(streams, { Type: 'AT_TIMESTAMP', Timestamp })).toEqual([0, 1])
    expect(numbers(streams, { Type: 'AT_TRIM_HORIZON' })).toEqual([0, 1])
  })

  const at = (hours: number) => ({ Timestamp: new Date(START_MS + hours * HOUR_MS) })
  test.each([
    [{ Type: 'FROM_TRIM_HORIZON' }, [0, 1, 2, 3, 4]],
    [{ Type: 'AT_TRIM_HORIZON' }, [0]],
    [{ Type: 'AT_LATEST' }, [2, 3, 4]],
    [{ Type: 'AFTER_SHARD_ID', ShardId: 'shardId-000000000002' }, [3, 4]],
    [{ Type: 'AT_TIMESTAMP', ...at(0) }, [0]],
    [{ Type: 'AT_TIMESTAMP', ...at(1.5) }, [1, 2]],
    [{ Type: 'AT_TIMESTAMP', ...at(2) }, [1, 2, 3, 4]],
    [{ Type: 'FROM_TIMESTAMP', ...at(0) }, [0, 1, 2, 3, 4]],
    [{ Type: 'FROM_TIMESTAMP', ...at(1.5) }, [1, 2, 3, 4]],
    [{ Type: 'FROM_TIMESTAMP', ...at(2.5) }, [2, 3, 4]],
  ])('by the filter %o', (filter, expected) => {
    expect(numbers(splitTwice(), filter)).toEqual(expected)
  })

  test('leaves out shards whose records are all beyond the retention', () => {
    const streams = splitTwice()
    streams.clock.advance(23 * HOUR_MS)
    expect(numbers(streams)).toEqual([0, 1, 2, 3, 4])
    streams.clock.advance(1)
    expect(numbers(streams)).toEqual([1, 2, 3, 4])
    expect(numbers(streams, { Type: 'AT_TRIM_HORIZON' })).toEqual([1, 2])
    expect(codeOf(() => streams.iterator('TRIM_HORIZON'))).toBe('ResourceNotFoundException')
    const longer = { StreamName: 's', RetentionPeriodHours: 168 }
    streams.call('IncreaseStreamRetentionPeriod', longer)
    expect(numbers(streams)).toEqual([1, 2, 3, 4])
    streams.call('DecreaseStreamRetentionPeriod', { ...longer, RetentionPeriodHours: 24 })
    streams.clock.advance(24 * HOUR_MS)
    expect(numbers(streams)).toEqual([2, 3, 4])
  })

  test('gives pages, whose token carries the filter on and expires after 300 s', () => {
    const streams = splitTwice()
    const filter = { ShardFilter: { Type: 'AT_LATEST' }, MaxResults: 2 }
    const first = streams.call('ListShards', { StreamName: 's', ...filter })
    const { NextToken } = first
    expect(first.Shards).toHaveLength(2)
    streams.clock.advance(300_000)
    const second = streams.call('ListShards', { NextToken })
    expect(second.Shards.map(({ ShardId }: Answer) => ShardId)).toEqual(['shardId-000000000004'])
    expect(second.NextToken).toBeUndefined()
    streams.clock.advance(1)
    expect(codeOf(() => streams.call('ListShards', { NextToken }))).toBe(
      'ExpiredNextTokenException',
    )
  })

  test('begins after a shard, and tells streams of one name apart by their creation', () => {
    const streams = splitTwice()
    const after = { ExclusiveStartShardId: 'shardId-000000000003' }
    expect(numbers(streams, undefined, after)).toEqual([4])
    const created = (ms: number) => ({ StreamCreationTimestamp: new Date(START_MS + ms) })
    expect(numbers(streams, undefined, created(0))).toHaveLength(5)
    expect(codeOf(() => numbers(streams, undefined, created(2_000)))).toBe(
      'ResourceNotFoundException',
    )
  })

  test.each([
    [{ StreamName: undefined }, 'InvalidArgumentException'],
    [{ NextToken: 'x' }, 'InvalidArgumentException'],
    [{ StreamName: undefined, NextToken: 'x' }, 'InvalidArgumentException'],
    [{ ShardFilter: { Type: 'AFTER_SHARD_ID' } }, 'InvalidArgumentException'],
    [{ ShardFilter: { Type: 'AT_TIMESTAMP' } }, 'InvalidArgumentException'],
    [{ ShardFilter: { Type: 'AT_LATEST', ShardId: '1' } }, 'InvalidArgumentException'],
    [{ ShardFilter: {} }, 'ValidationException'],
    [{ ShardFilter: { Type: 'OTHER' } }, 'ValidationException'],
    [{ MaxResults: 0 }, 'ValidationException'],
    [{ StreamName: 'other' }, 'ResourceNotFoundException'],
  ])('with %o: %s', (more, code) => {
    const streams = splitTwice()
    expect(codeOf(() => streams.call('ListShards', { StreamName: 's', ...more }))).toBe(code)
  })
})
