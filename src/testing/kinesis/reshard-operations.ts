// SplitShard, MergeShards, UpdateShardCount.

import { checkAccountRate } from './control-rate.ts'
import {
  activeStreamOf,
  type CallContext,
  HASH_KEY_PATTERN,
  NEEDED_SHARD_ID,
  OF_STREAM,
  type OfStream,
  operation,
  shardOf,
} from './operation.ts'
import { inUse, invalid, invalidArgument, limitExceeded } from './service-fault.ts'
import type { Shard } from './shard.ts'
import type { Stream } from './stream.ts'
import { checkShardQuota } from './stream-operations.ts'

interface SplitShardInput extends OfStream {
  readonly ShardToSplit: string
  readonly NewStartingHashKey: string
}

/** SplitShard. */
export const splitShard = operation<SplitShardInput>(
  {
    ...OF_STREAM,
    ShardToSplit: NEEDED_SHARD_ID,
    NewStartingHashKey: { type: 'String', required: true, pattern: HASH_KEY_PATTERN },
  },
  (input, context) => {
    const stream = provisionedStreamOf(input, context)
    const shard = shardOf(stream, input.ShardToSplit, context)
    checkOpen(shard, stream, context)
    checkShardQuota(1, context)
    const startHash = BigInt(input.NewStartingHashKey)
    // The service's own bounds: each child has at least two hash keys.
    const { startHash: from, endHash: to } = shard.described
    if (startHash <= from + 1n || startHash >= to) {
      throw invalidArgument(
        `NewStartingHashKey ${startHash} used in SplitShard() on shard ${shard.id} in stream ` +
          `${stream.name} under account ${context.account.place.accountId} is not both greater ` +
          `than one plus the shard's StartingHashKey ${from} and less than the shard's ` +
          `EndingHashKey ${to}.`,
      )
    }
    context.commit({
      kind: 'split',
      ...startOf(stream, context),
      shard: shard.described.index,
      startHash: input.NewStartingHashKey,
    })
    return {}
  },
)

interface MergeShardsInput extends OfStream {
  readonly ShardToMerge: string
  readonly AdjacentShardToMerge: string
}

/** MergeShards. The adjacent shard is the one with the higher hash keys. */
export const mergeShards = operation<MergeShardsInput>(
  { ...OF_STREAM, ShardToMerge: NEEDED_SHARD_ID, AdjacentShardToMerge: NEEDED_SHARD_ID },
  (input, context) => {
    const stream = provisionedStreamOf(input, context)
    const shard = shardOf(stream, input.ShardToMerge, context)
    const adjacent = shardOf(stream, input.AdjacentShardToMerge, context)
    if (shard.described.endHash + 1n !== adjacent.described.startHash) {
      throw invalidArgument(
        `Shards ${shard.id} and ${adjacent.id} in stream ${stream.name} under account ` +
          `${context.account.place.accountId} are not an adjacent pair of shards eligible ` +
          'for merging',
      )
    }
    checkOpen(shard, stream, context)
    checkOpen(adjacent, stream, context)
    context.commit({
      kind: 'merge',
      ...startOf(stream, context),
      shard: shard.described.index,
      adjacent: adjacent.described.index,
    })
    return {}
  },
)

interface UpdateShardCountInput extends OfStream {
  readonly TargetShardCount: number
}

const DAY_MS = 24 * 3_600_000

/** UpdateShardCount. */
export const updateShardCount = operation<UpdateShardCountInput>(
  {
    ...OF_STREAM,
    TargetShardCount: { type: 'Integer', required: true, min: 1 },
    ScalingType: { type: 'String', required: true, values: ['UNIFORM_SCALING'] },
  },
  (input, context) => {
    const stream = provisionedStreamOf(input, context)
    const current = stream.open.length
    const target = input.TargetShardCount
    checkTarget(current, target, context)
    checkShardQuota(target - current, context)
    const today = stream.scalings.filter((atMs) => atMs > context.nowMs - DAY_MS).length
    if (today >= context.limits.shardCountUpdatesPerDay) {
      throw limitExceeded(
        `The shard count of stream ${stream.name} was updated ${today} times in the last ` +
          '24 hours; no more updates are allowed.',
      )
    }
    context.commit({ kind: 'scale', ...startOf(stream, context), target })
    return {
      StreamName: stream.name,
      StreamARN: stream.arn,
      CurrentShardCount: current,
      TargetShardCount: target,
    }
  },
)

function checkTarget(current: number, target: number, { limits }: CallContext): void {
  const counts = `Current open shard count: ${current} Target shard count: ${target}`
  if (target > current * 2) {
    throw invalidArgument(
      `UpdateShardCount cannot scale up over double your current open shard count. ${counts}`,
    )
  }
  if (target < current / 2) {
    throw invalidArgument(
      `UpdateShardCount cannot scale down below half your current open shard count. ${counts}`,
    )
  }
  if (target > limits.shardsPerStream) {
    throw limitExceeded(`UpdateShardCount cannot scale over ${limits.shardsPerStream} shards.`)
  }
}

function startOf({ name }: Stream, { nowMs, streamDelayMs }: CallContext) {
  return { stream: name, atMs: nowMs, delayMs: streamDelayMs }
}

function provisionedStreamOf(input: OfStream, context: CallContext): Stream {
  checkAccountRate(context)
  const stream = activeStreamOf(input, context)
  if (stream.mode === 'PROVISIONED') return stream
  throw invalid(
    `Request is invalid. Stream ${stream.name} under account ` +
      `${context.account.place.accountId} is in On-Demand mode.`,
  )
}

function checkOpen(shard: Shard, stream: Stream, context: CallContext): void {
  if (shard.isOpen) return
  throw inUse(
    `Shard ${shard.id} in stream ${stream.name} under account ` +
      `${context.account.place.accountId} has already been merged or split, and thus is not ` +
      'eligible for merging or splitting.',
  )
}
