// CreateStream, DeleteStream, DescribeStream, DescribeStreamSummary, ListStreams, DescribeLimits.

import type { StreamMode } from './changes.ts'
import { checkAccountRate } from './control-rate.ts'
import {
  activeStreamOf,
  type CallContext,
  OF_STREAM,
  type OfStream,
  type Output,
  operation,
  SHARD_ID,
  STREAM_NAME,
  streamOf,
} from './operation.ts'
import { inUse, invalid, invalidArgument, limitExceeded } from './service-fault.ts'
import { describeShard } from './shard-shape.ts'
import type { Stream } from './stream.ts'

interface CreateStreamInput {
  readonly StreamName: string
  readonly ShardCount?: number
  readonly StreamModeDetails?: { readonly StreamMode: StreamMode }
  readonly MaxRecordSizeInKiB?: number
  readonly Tags?: Readonly<Record<string, string>>
}

const ON_DEMAND_SHARDS = 4
const RECORD_KIB_MIN = 1_024

/** The members that name a capacity mode. */
export const MODE_DETAILS = {
  type: 'Structure',
  members: {
    StreamMode: { type: 'String', required: true, values: ['PROVISIONED', 'ON_DEMAND'] },
  },
} as const

/** Tags by their keys. */
export const TAG_MAP = { type: 'Map', max: 200, keys: [1, 128], values: [0, 256] } as const

/** CreateStream. */
export const createStream = operation<CreateStreamInput>(
  {
    StreamName: { ...STREAM_NAME, required: true },
    ShardCount: { type: 'Integer', min: 1, max: 100_000 },
    StreamModeDetails: MODE_DETAILS,
    MaxRecordSizeInKiB: { type: 'Integer', min: RECORD_KIB_MIN, max: 10_240 },
    Tags: TAG_MAP,
  },
  (input, context) => {
    const { account, nowMs, notes, streamDelayMs } = context
    notes.stream = input.StreamName
    checkAccountRate(context)
    if (account.stream(input.StreamName, nowMs) !== undefined) {
      throw inUse(
        `Stream ${input.StreamName} under account ${account.place.accountId} already exists.`,
      )
    }
    const mode = input.StreamModeDetails?.StreamMode ?? 'PROVISIONED'
    const shards = shardsToCreate(input.ShardCount, mode)
    checkQuotas(shards, mode, context)
    context.commit({
      kind: 'create',
      stream: input.StreamName,
      atMs: nowMs,
      delayMs: streamDelayMs,
      createdMs: account.creationTime(input.StreamName, nowMs),
      shards,
      mode,
      maxRecordKiB: input.MaxRecordSizeInKiB ?? RECORD_KIB_MIN,
      tags: { ...input.Tags },
    })
    return {}
  },
)

function shardsToCreate(given: number | undefined, mode: StreamMode): number {
  if (mode === 'PROVISIONED' && given === undefined) {
    throw invalid('ShardCount must be provided for a stream with the PROVISIONED mode.')
  }
  if (mode === 'ON_DEMAND' && given !== undefined) {
    throw invalid('ShardCount must not be provided for a stream with the ON_DEMAND mode.')
  }
  return given ?? ON_DEMAND_SHARDS
}

function checkQuotas(shards: number, mode: StreamMode, context: CallContext): void {
  const { limits, account, nowMs } = context
  const streams = account.streams(nowMs)
  const creating = streams.filter(({ status }) => status === 'CREATING').length
  if (creating >= limits.streamsBeingCreated) {
    throw limitExceeded(`${creating} streams are in the state CREATING; no more are allowed.`)
  }
  if (mode === 'PROVISIONED') {
    checkShardQuota(shards, context)
    return
  }
  const onDemand = streams.filter((stream) => stream.mode === 'ON_DEMAND').length
  if (onDemand >= limits.onDemandStreams) {
    throw limitExceeded(`The account has ${onDemand} on-demand streams; no more are allowed.`)
  }
}

/** Throws a LimitExceededException if the account may not have so many more open shards. */
export function checkShardQuota(more: number, { account, limits, nowMs }: CallContext): void {
  const open = openShards(account.streams(nowMs))
  if (open + more <= limits.shardsPerAccount) return
  const { accountId, region } = account.place
  throw limitExceeded(
    `This request would exceed the shard limit for the account ${accountId} in ${region}. ` +
      `Current shard count for the account: ${open}. Limit: ${limits.shardsPerAccount}. ` +
      `Number of additional shards that would have resulted from this request: ${more}.`,
  )
}

function openShards(streams: readonly Stream[]): number {
  return streams
    .filter(({ mode }) => mode === 'PROVISIONED')
    .reduce((sum, stream) => sum + stream.open.length, 0)
}

/** DeleteStream. */
export const deleteStream = operation<OfStream>(
  { ...OF_STREAM, EnforceConsumerDeletion: { type: 'Boolean' } },
  (input, context) => {
    checkAccountRate(context)
    const { name } = activeStreamOf(input, context)
    const { nowMs, streamDelayMs } = context
    context.commit({ kind: 'delete', stream: name, atMs: nowMs, delayMs: streamDelayMs })
    return {}
  },
)

interface DescribeStreamInput extends OfStream {
  readonly Limit?: number
  readonly ExclusiveStartShardId?: string
}

const DESCRIBED_SHARDS_MAX = 100

/** DescribeStream. */
export const describeStream = operation<DescribeStreamInput>(
  {
    ...OF_STREAM,
    Limit: { type: 'Integer', min: 1, max: 10_000 },
    ExclusiveStartShardId: SHARD_ID,
  },
  (input, context) => {
    checkAccountRate(context)
    const stream = streamOf(input, context)
    const after = input.ExclusiveStartShardId ?? ''
    const shards = stream.shards.filter(
      (shard) => shard.id > after && !stream.hasExpired(shard, context.nowMs),
    )
    const page = shards.slice(
      0,
      Math.min(input.Limit ?? DESCRIBED_SHARDS_MAX, DESCRIBED_SHARDS_MAX),
    )
    return {
      StreamDescription: {
        ...descriptionOf(stream),
        Shards: page.map(describeShard),
        HasMoreShards: page.length < shards.length,
      },
    }
  },
)

/** DescribeStreamSummary. */
export const describeStreamSummary = operation<OfStream>(OF_STREAM, (input, context) => {
  checkAccountRate(context)
  const stream = streamOf(input, context)
  return {
    StreamDescriptionSummary: {
      ...descriptionOf(stream),
      OpenShardCount: stream.open.length,
      // Consumers with enhanced fan-out cannot be registered yet.
      ConsumerCount: 0,
      MaxRecordSizeInKiB: stream.maxRecordKiB,
    },
  }
})

function descriptionOf(stream: Stream): Output {
  return {
    ...summaryOf(stream),
    RetentionPeriodHours: stream.retentionHours,
    EnhancedMonitoring: [{ ShardLevelMetrics: [] }],
    EncryptionType: 'NONE',
  }
}

function summaryOf(stream: Stream): Output {
  return {
    StreamName: stream.name,
    StreamARN: stream.arn,
    StreamStatus: stream.status,
    StreamModeDetails: { StreamMode: stream.mode },
    StreamCreationTimestamp: new Date(stream.createdMs),
  }
}

interface ListStreamsInput {
  readonly Limit?: number
  readonly ExclusiveStartStreamName?: string
  readonly NextToken?: string
}

const LISTED_STREAMS_MAX = 100

/** ListStreams. Its NextToken is the name of the last stream, as base64. */
export const listStreams = operation<ListStreamsInput>(
  {
    Limit: { type: 'Integer', min: 1, max: 10_000 },
    ExclusiveStartStreamName: STREAM_NAME,
    NextToken: { type: 'String', min: 1, max: 1_048_576 },
  },
  (input, context) => {
    checkAccountRate(context)
    if (input.NextToken !== undefined && input.ExclusiveStartStreamName !== undefined) {
      throw invalidArgument('NextToken and ExclusiveStartStreamName cannot be provided together.')
    }
    const token = input.NextToken
    const after =
      token === undefined
        ? (input.ExclusiveStartStreamName ?? '')
        : Buffer.from(token, 'base64').toString()
    const streams = context.account.streams(context.nowMs).filter(({ name }) => name > after)
    const page = streams.slice(0, Math.min(input.Limit ?? LISTED_STREAMS_MAX, LISTED_STREAMS_MAX))
    const last = page.at(-1)
    const hasMore = page.length < streams.length
    return {
      StreamNames: page.map(({ name }) => name),
      StreamSummaries: page.map(summaryOf),
      HasMoreStreams: hasMore,
      ...(hasMore &&
        last !== undefined && { NextToken: Buffer.from(last.name).toString('base64') }),
    }
  },
)

/** DescribeLimits. */
export const describeLimits = operation({}, (_, context) => {
  checkAccountRate(context)
  const streams = context.account.streams(context.nowMs)
  const { shardsPerAccount, onDemandStreams } = context.limits
  const COUNT_MAX = 1_000_000
  return {
    ShardLimit: Math.min(shardsPerAccount, COUNT_MAX),
    OpenShardCount: openShards(streams),
    OnDemandStreamCount: streams.filter(({ mode }) => mode === 'ON_DEMAND').length,
    OnDemandStreamCountLimit: Math.min(onDemandStreams, COUNT_MAX),
  }
})
