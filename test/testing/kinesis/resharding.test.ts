import { describe, expect, test } from 'vitest'
import { type Answer, codeOf, faultOf, Streams, texts } from './streams.ts'

const KEYS = 2n ** 128n

function ranges(streams: Streams): bigint[][] {
  return streams
    .call('ListShards', { StreamName: 's', ShardFilter: { Type: 'AT_LATEST' } })
    .Shards.map(({ HashKeyRange }: Answer) => [
      BigInt(HashKeyRange.StartingHashKey),
      BigInt(HashKeyRange.EndingHashKey),
    ])
    .sort(([a]: bigint[], [b]: bigint[]) => ((a ?? 0n) < (b ?? 0n) ? -1 : 1))
}

function halve(streams: Streams, ShardToSplit = '0'): void {
  const NewStartingHashKey = String(KEYS / 2n)
  streams.call('SplitShard', { StreamName: 's', ShardToSplit, NewStartingHashKey })
}

describe('SplitShard', () => {
  test('closes the shard; its reader gets the children with the last records', () => {
    const streams = new Streams()
    streams.create(1)
    streams.put('a')
    streams.put('b')
    halve(streams)
    const first = streams.read(streams.iterator('TRIM_HORIZON'), { Limit: 1 })
    expect([first.NextShardIterator === undefined, first.ChildShards]).toEqual([false, undefined])
    const last = streams.read(first.NextShardIterator)
    expect(texts(last)).toEqual(['b'])
    expect(last.NextShardIterator).toBeUndefined()
    expect(last.MillisBehindLatest).toBe(0)
    expect(last.ChildShards).toEqual([
      {
        ShardId: 'shardId-000000000001',
        ParentShards: ['shardId-000000000000'],
        HashKeyRange: { StartingHashKey: '0', EndingHashKey: String(KEYS / 2n - 1n) },
      },
      {
        ShardId: 'shardId-000000000002',
        ParentShards: ['shardId-000000000000'],
        HashKeyRange: { StartingHashKey: String(KEYS / 2n), EndingHashKey: String(KEYS - 1n) },
      },
    ])
  })

  test('gives an empty closed shard an end at once, wherever its reader stands', () => {
    const streams = new Streams()
    streams.create(1)
    const iterators = ['TRIM_HORIZON', 'LATEST'].map((type) => streams.iterator(type))
    halve(streams)
    for (const iterator of [...iterators, streams.iterator('LATEST')]) {
      const answer = streams.read(iterator)
      expect([answer.NextShardIterator, answer.ChildShards.length]).toEqual([undefined, 2])
    }
  })

  test('makes children whose sequence numbers are all greater', () => {
    const streams = new Streams()
    streams.create(1)
    const before = streams.put('a').SequenceNumber
    halve(streams)
    const after = streams.put('a').SequenceNumber
    expect(after > before).toBe(true)
    const [parent, child] = streams.call('ListShards', { StreamName: 's' }).Shards
    expect(parent.SequenceNumberRange.EndingSequenceNumber > before).toBe(true)
    expect(
      child.SequenceNumberRange.StartingSequenceNumber >
        parent.SequenceNumberRange.EndingSequenceNumber,
    ).toBe(true)
  })

  test('needs an open shard, a hash key inside it, and a provisioned stream', () => {
    const streams = new Streams()
    streams.create(1)
    const split = (NewStartingHashKey: string, ShardToSplit = '0') =>
      streams.call('SplitShard', { StreamName: 's', ShardToSplit, NewStartingHashKey })
    for (const key of ['0', '1', String(KEYS - 1n)]) {
      expect(codeOf(() => split(key))).toBe('InvalidArgumentException')
    }
    expect(codeOf(() => split('9'.repeat(40)))).toBe('ValidationException')
    expect(codeOf(() => split('2', '5'))).toBe('ResourceNotFoundException')
    split('2')
    expect(codeOf(() => split('9'))).toBe('ResourceInUseException')
    const StreamModeDetails = { StreamMode: 'ON_DEMAND' }
    streams.call('CreateStream', { StreamName: 'd', StreamModeDetails })
    const onDemand = { StreamName: 'd', ShardToSplit: '0', NewStartingHashKey: '9' }
    expect(codeOf(() => streams.call('SplitShard', onDemand))).toBe('ValidationException')
  })
})

describe('MergeShards', () => {
  test('makes one child of two parents', () => {
    const streams = new Streams()
    streams.create(2)
    streams.call('MergeShards', { StreamName: 's', ShardToMerge: '0', AdjacentShardToMerge: '1' })
    expect(ranges(streams)).toEqual([[0n, KEYS - 1n]])
    const child = streams.call('ListShards', { StreamName: 's' }).Shards[2]
    expect(child).toMatchObject({
      ParentShardId: 'shardId-000000000000',
      AdjacentParentShardId: 'shardId-000000000001',
    })
    for (const ShardId of ['0', '1']) {
      const { ChildShards } = streams.read(streams.iterator('TRIM_HORIZON', { ShardId }))
      expect(ChildShards[0].ParentShards).toEqual(['shardId-000000000000', 'shardId-000000000001'])
    }
    const parents = streams.call('ListShards', { StreamName: 's' }).Shards.slice(0, 2)
    for (const parent of parents) {
      expect(
        child.SequenceNumberRange.StartingSequenceNumber >
          parent.SequenceNumberRange.EndingSequenceNumber,
      ).toBe(true)
    }
  })

  test('needs two open shards beside each other', () => {
    const streams = new Streams()
    streams.create(3)
    const merge = (ShardToMerge: string, AdjacentShardToMerge: string) =>
      streams.call('MergeShards', { StreamName: 's', ShardToMerge, AdjacentShardToMerge })
    expect(codeOf(() => merge('0', '2'))).toBe('InvalidArgumentException')
    expect(codeOf(() => merge('1', '0'))).toBe('InvalidArgumentException')
    merge('1', '2')
    expect(codeOf(() => merge('0', '1'))).toBe('ResourceInUseException')
    expect(codeOf(() => merge('1', '99'))).toBe('ResourceNotFoundException')
    merge('0', '3')
    expect(ranges(streams)).toHaveLength(1)
  })
})

describe('UpdateShardCount', () => {
  const scale = (streams: Streams, TargetShardCount: number) =>
    streams.call('UpdateShardCount', {
      StreamName: 's',
      TargetShardCount,
      ScalingType: 'UNIFORM_SCALING',
    })

  test.each([
    [1, [2, 4, 8]],
    [3, [6, 12, 6, 3]],
    [4, [2, 1]],
    [4, [5, 7, 4]],
    [6, [9, 12, 10]],
  ])('from %i through %o gives even ranges without a gap', (from, targets) => {
    const streams = new Streams()
    streams.create(from)
    for (const target of targets) {
      const before = ranges(streams).length
      expect(scale(streams, target)).toMatchObject({
        CurrentShardCount: before,
        TargetShardCount: target,
      })
      const open = ranges(streams)
      expect(open).toHaveLength(target)
      const ends = open.map(([, end]) => (end ?? 0n) + 1n)
      expect(open.map(([start]) => start)).toEqual([0n, ...ends.slice(0, -1)])
      expect(ends.at(-1)).toBe(KEYS)
      for (const [start = 0n, end = 0n] of open) {
        const off = end + 1n - start - KEYS / BigInt(target)
        expect(off < 100n && off > -100n).toBe(true)
      }
    }
  })

  test('by two splits or merges each shard, and no others', () => {
    const streams = new Streams()
    streams.create(3)
    scale(streams, 6)
    expect(streams.shardIds()).toHaveLength(9)
    scale(streams, 3)
    expect(streams.shardIds()).toHaveLength(12)
  })

  test('within double and half, and ten times in 24 hours', () => {
    const streams = new Streams({ limits: { controlCallsPerSecond: Number.POSITIVE_INFINITY } })
    streams.create(4)
    expect(codeOf(() => scale(streams, 9))).toBe('InvalidArgumentException')
    expect(codeOf(() => scale(streams, 1))).toBe('InvalidArgumentException')
    for (let i = 0; i < 10; i++) {
      streams.clock.advance(1_000)
      scale(streams, i % 2 === 0 ? 5 : 4)
    }
    streams.clock.advance(1_000)
    expect(codeOf(() => scale(streams, 5))).toBe('LimitExceededException')
    streams.clock.advance(24 * 3_600_000 - 10_000)
    scale(streams, 5)
  })
})

describe('a change that takes its time', () => {
  test('has its effect when it is due: until then the stream is UPDATING and works', () => {
    const streams = new Streams({ streamDelayMs: 1_000 })
    const status = () =>
      streams.call('DescribeStreamSummary', { StreamName: 's' }).StreamDescriptionSummary
        .StreamStatus
    streams.create(1)
    expect(status()).toBe('CREATING')
    expect(codeOf(() => streams.put('a'))).toBe('ResourceNotFoundException')
    streams.clock.advance(1_000)
    expect(status()).toBe('ACTIVE')
    halve(streams)
    expect(status()).toBe('UPDATING')
    expect(faultOf(() => halve(streams)).code).toBe('ResourceInUseException')
    streams.clock.advance(999)
    expect(streams.put('a').ShardId).toBe('shardId-000000000000')
    streams.clock.advance(1)
    expect(status()).toBe('ACTIVE')
    expect(streams.put('a').ShardId).toBe('shardId-000000000001')
    streams.call('DeleteStream', { StreamName: 's' })
    expect(status()).toBe('DELETING')
    streams.clock.advance(1_000)
    expect(codeOf(status)).toBe('ResourceNotFoundException')
  })
})
