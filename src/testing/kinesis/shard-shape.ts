// A shard as the API's answers show it.

import type { Output } from './operation.ts'
import { type Shard, shardIdOf } from './shard.ts'

/** The shape `Shard` of the API. */
export function describeShard(shard: Shard): Output {
  const { parent, adjacentParent } = shard.described
  const { startingSequenceNumber, endingSequenceNumber } = shard
  return {
    ShardId: shard.id,
    ...(parent !== undefined && { ParentShardId: shardIdOf(parent) }),
    ...(adjacentParent !== undefined && { AdjacentParentShardId: shardIdOf(adjacentParent) }),
    HashKeyRange: hashKeyRangeOf(shard),
    SequenceNumberRange: {
      StartingSequenceNumber: startingSequenceNumber,
      ...(endingSequenceNumber !== undefined && { EndingSequenceNumber: endingSequenceNumber }),
    },
  }
}

/** The shape `ChildShard` of the API. */
export function describeChild(shard: Shard): Output {
  const { parent, adjacentParent } = shard.described
  const parents = [parent, adjacentParent].filter((index) => index !== undefined)
  return {
    ShardId: shard.id,
    ParentShards: parents.map(shardIdOf),
    HashKeyRange: hashKeyRangeOf(shard),
  }
}

function hashKeyRangeOf({ described }: Shard): Output {
  return {
    StartingHashKey: described.startHash.toString(),
    EndingHashKey: described.endHash.toString(),
  }
}
