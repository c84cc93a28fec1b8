// A split or a merge of shards that are open.

import type { KinesisSimulator } from 'millrace/testing'

interface DescribedShard {
  readonly ShardId: string
  readonly HashKeyRange: { readonly StartingHashKey: string; readonly EndingHashKey: string }
  readonly SequenceNumberRange: { readonly EndingSequenceNumber?: string }
}

const SHARDS_MAX = 6

/** Splits a shard of a stream, or merges two; false if there is nothing to merge. */
export function randomReshard(
  simulator: KinesisSimulator,
  stream: string,
  pick: (below: number) => number,
): boolean {
  const open = openShards(simulator, stream)
  const index = pick(open.length)
  const shard = open[index] as DescribedShard
  if (open.length < SHARDS_MAX && pick(2) === 0) {
    simulator.call('SplitShard', {
      StreamName: stream,
      ShardToSplit: shard.ShardId,
      NewStartingHashKey: middleOf(shard),
    })
    return true
  }
  const next = open[index + 1]
  if (next === undefined) return false
  simulator.call('MergeShards', {
    StreamName: stream,
    ShardToMerge: shard.ShardId,
    AdjacentShardToMerge: next.ShardId,
  })
  return true
}

/** Of one stream, by their hash keys. */
function openShards(simulator: KinesisSimulator, stream: string): DescribedShard[] {
  const { StreamDescription } = simulator.call('DescribeStream', { StreamName: stream })
  const { Shards } = StreamDescription as { readonly Shards: readonly DescribedShard[] }
  return Shards.filter(({ SequenceNumberRange: range }) => {
    return range.EndingSequenceNumber === undefined
  }).sort((a, b) => (startOf(a) < startOf(b) ? -1 : 1))
}

function startOf({ HashKeyRange }: DescribedShard): bigint {
  return BigInt(HashKeyRange.StartingHashKey)
}

function middleOf(shard: DescribedShard): string {
  return ((startOf(shard) + BigInt(shard.HashKeyRange.EndingHashKey)) / 2n + 1n).toString()
}
