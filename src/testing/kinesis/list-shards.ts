// ListShards: filters and pages.

import { checkListShardsRate } from './control-rate.ts'
import {
  type CallContext,
  OF_STREAM,
  type OfStream,
  operation,
  SHARD_ID,
  streamNotFound,
  streamOf,
} from './operation.ts'
import { invalidArgument, ServiceFault } from './service-fault.ts'
import type { Shard } from './shard.ts'
import { describeShard } from './shard-shape.ts'
import type { Stream } from './stream.ts'

type FilterType =
  | 'AFTER_SHARD_ID'
  | 'AT_TRIM_HORIZON'
  | 'FROM_TRIM_HORIZON'
  | 'AT_LATEST'
  | 'AT_TIMESTAMP'
  | 'FROM_TIMESTAMP'

interface ShardFilter {
  readonly Type: FilterType
  readonly ShardId?: string
  readonly Timestamp?: Date
}

interface ListShardsInput extends OfStream {
  readonly NextToken?: string
  readonly ExclusiveStartShardId?: string
  readonly MaxResults?: number
  readonly StreamCreationTimestamp?: Date
  readonly ShardFilter?: ShardFilter
}

const FILTER_TYPES: readonly FilterType[] = [
  'AFTER_SHARD_ID',
  'AT_TRIM_HORIZON',
  'FROM_TRIM_HORIZON',
  'AT_LATEST',
  'AT_TIMESTAMP',
  'FROM_TIMESTAMP',
]
const PAGE_MAX = 1_000
const TOKEN_LIFE_MS = 300_000

/** What a page's token carries on: whose shards, from when it is valid, after which shard, which
 * filter. */
interface Listing {
  readonly stream: string
  readonly createdMs: number
  readonly givenMs: number
  readonly after: string
  readonly filter: readonly [type: FilterType, timestampMs: number] | undefined
}

/** ListShards. */
export const listShards = operation<ListShardsInput>(
  {
    ...OF_STREAM,
    NextToken: { type: 'String', min: 1, max: 1_048_576 },
    ExclusiveStartShardId: SHARD_ID,
    MaxResults: { type: 'Integer', min: 1, max: 10_000 },
    StreamCreationTimestamp: { type: 'Timestamp' },
    ShardFilter: {
      type: 'Structure',
      members: {
        Type: { type: 'String', required: true, values: FILTER_TYPES },
        ShardId: SHARD_ID,
        Timestamp: { type: 'Timestamp' },
      },
    },
  },
  (input, context) => {
    const listing =
      input.NextToken === undefined ? firstPage(input, context) : nextPage(input, context)
    const stream = context.account.stream(listing.stream, context.nowMs)
    if (stream === undefined || stream.createdMs !== listing.createdMs) {
      throw streamNotFound(listing.stream, context)
    }
    context.notes.stream = stream.name
    checkListShardsRate(stream.name, context)
    const listed = shardsOf(stream, listing, context.nowMs)
    const page = listed.slice(0, Math.min(input.MaxResults ?? PAGE_MAX, PAGE_MAX))
    const last = page.at(-1)
    const more = page.length < listed.length && last !== undefined
    return {
      Shards: page.map(describeShard),
      ...(more && {
        NextToken: tokenOf({ ...listing, after: last.id, givenMs: context.nowMs }),
      }),
    }
  },
)

function firstPage(input: ListShardsInput, context: CallContext): Listing {
  if (input.StreamName === undefined && input.StreamARN === undefined) {
    throw invalidArgument('Either NextToken or StreamName should be provided.')
  }
  const stream = streamOf(input, context)
  const { StreamCreationTimestamp: created, ExclusiveStartShardId: after } = input
  if (created !== undefined && seconds(created.getTime()) !== seconds(stream.createdMs)) {
    throw streamNotFound(stream.name, context)
  }
  const filter = input.ShardFilter
  checkFilter(filter, after)
  return {
    stream: stream.name,
    createdMs: stream.createdMs,
    givenMs: context.nowMs,
    after: after ?? filter?.ShardId ?? '',
    filter: filter && [filter.Type, filter.Timestamp?.getTime() ?? 0],
  }
}

function checkFilter(filter: ShardFilter | undefined, after: string | undefined): void {
  if (filter === undefined) return
  const { Type, ShardId, Timestamp } = filter
  const needsShard = Type === 'AFTER_SHARD_ID'
  const needsTime = Type === 'AT_TIMESTAMP' || Type === 'FROM_TIMESTAMP'
  if (needsShard !== (ShardId !== undefined)) {
    const must = needsShard ? 'must' : 'cannot'
    throw invalidArgument(`ShardId ${must} be specified for a ShardFilter of type ${Type}.`)
  }
  if (needsTime !== (Timestamp !== undefined)) {
    const must = needsTime ? 'must' : 'cannot'
    throw invalidArgument(`Timestamp ${must} be specified for a ShardFilter of type ${Type}.`)
  }
  if (needsShard && after !== undefined) {
    throw invalidArgument(
      'ExclusiveStartShardId and a ShardFilter of type AFTER_SHARD_ID cannot be provided together.',
    )
  }
}

function nextPage(input: ListShardsInput, { nowMs }: CallContext): Listing {
  const { StreamName, StreamARN, ExclusiveStartShardId, StreamCreationTimestamp } = input
  const others = {
    StreamName,
    StreamARN,
    StreamCreationTimestamp,
    ExclusiveStartShardId,
    ShardFilter: input.ShardFilter,
  }
  for (const [name, value] of Object.entries(others)) {
    if (value === undefined) continue
    throw invalidArgument(`NextToken and ${name} cannot be provided together.`)
  }
  const listing = readToken(input.NextToken ?? '')
  if (listing === undefined) throw invalidArgument('NextToken is invalid.')
  if (nowMs - listing.givenMs > TOKEN_LIFE_MS) {
    throw new ServiceFault(
      'ExpiredNextTokenException',
      `NextToken expired. It was given ${nowMs - listing.givenMs} milliseconds ago, ` +
        `which is more than the tolerated ${TOKEN_LIFE_MS} milliseconds.`,
    )
  }
  return listing
}

function tokenOf(listing: Listing): string {
  return Buffer.from(JSON.stringify(listing)).toString('base64')
}

function readToken(token: string): Listing | undefined {
  try {
    const listing: unknown = JSON.parse(Buffer.from(token, 'base64').toString())
    return typeof listing === 'object' && listing !== null && 'givenMs' in listing
      ? (listing as Listing)
      : undefined
  } catch {
    return undefined
  }
}

function shardsOf(stream: Stream, { filter, after }: Listing, nowMs: number): Shard[] {
  const isWanted = filterOf(stream, filter, nowMs)
  return stream.shards.filter(
    (shard) => shard.id > after && !stream.hasExpired(shard, nowMs) && isWanted(shard),
  )
}

function filterOf(
  stream: Stream,
  filter: Listing['filter'],
  nowMs: number,
): (shard: Shard) => boolean {
  const [type, timestampMs] = filter ?? (['FROM_TRIM_HORIZON', 0] as const)
  // A stream that is younger than its retention is trimmed at nothing: its horizon is its creation.
  const horizonMs = Math.max(stream.horizonMs(nowMs), createdMsOf(stream.shards[0], nowMs))
  const wasOpenAt = (shard: Shard, ms: number): boolean =>
    createdMsOf(shard, nowMs) <= ms && (shard.closedMs === undefined || shard.closedMs >= ms)
  switch (type) {
    case 'AFTER_SHARD_ID':
    case 'FROM_TRIM_HORIZON':
      return () => true
    case 'AT_LATEST':
      return (shard) => shard.isOpen
    case 'AT_TRIM_HORIZON':
      return (shard) => wasOpenAt(shard, horizonMs)
    case 'AT_TIMESTAMP':
      return (shard) => wasOpenAt(shard, timestampMs)
    case 'FROM_TIMESTAMP': {
      const fromMs = Math.max(timestampMs, horizonMs)
      return (shard) => shard.closedMs === undefined || shard.closedMs >= fromMs
    }
  }
}

/** A stream that was created again within a second has a creation time that is still to come: its
 * shards count as always there. */
function createdMsOf(shard: Shard | undefined, nowMs: number): number {
  const createdMs = shard?.described.createdMs ?? 0
  return createdMs > nowMs ? 0 : createdMs
}

function seconds(ms: number): number {
  return Math.floor(ms / 1_000)
}
