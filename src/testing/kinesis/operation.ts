// What every operation of the service is given, and what all of them share.

import type { Account } from './account.ts'
import type { Change, Put } from './changes.ts'
import type { Constraint, Constraints } from './constraints.ts'
import type { Fault } from './faults.ts'
import type { KinesisLimits } from './kinesis-limits.ts'
import { inUse, invalidArgument, notFound } from './service-fault.ts'
import { type Shard, type StoredRecord, shardIndexOf } from './shard.ts'
import type { Stream } from './stream.ts'
import type { TrafficBook } from './traffic-book.ts'

/** The members of a request, in AWS's shapes: `Data` is bytes, a timestamp is a Date. */
export type Input = Readonly<Record<string, unknown>>

/** The members of an answer, in AWS's shapes. */
export type Output = Record<string, unknown>

/** What is logged of a call, besides its outcome. */
export interface CallNotes {
  stream: string | undefined
  shard: string | undefined
  records: number
  bytes: number
}

/** One call's view of the service. */
export interface CallContext {
  readonly operation: string
  readonly nowMs: number
  readonly account: Account
  readonly limits: KinesisLimits
  readonly traffic: TrafficBook
  /** How long a change of a stream takes. */
  readonly streamDelayMs: number
  readonly fault: Fault
  readonly random: () => number
  readonly notes: CallNotes
  /** Makes a change, and keeps it. */
  readonly commit: (change: Change) => void
  /** The same for records. */
  readonly put: (change: Put) => StoredRecord[]
}

/** An operation of the API. */
export interface Operation {
  readonly members: Constraints
  readonly run: (input: Input, context: CallContext) => Output
}

/** Describes an operation whose input, once checked, has the shape `I`. */
export function operation<I>(
  members: Constraints,
  run: (input: I, context: CallContext) => Output,
): Operation {
  return { members, run: (input, context) => run(input as I, context) }
}

/** A call for one stream. */
export interface OfStream {
  readonly StreamName?: string
  readonly StreamARN?: string
}

const NAME_PATTERN = '[a-zA-Z0-9_.-]+'
export const STREAM_NAME: Constraint = { type: 'String', min: 1, max: 128, pattern: NAME_PATTERN }
export const SHARD_ID: Constraint = STREAM_NAME
export const NEEDED_SHARD_ID: Constraint = { ...STREAM_NAME, required: true }
export const HASH_KEY_PATTERN = '0|([1-9]\\d{0,38})'

/** The members by which a call names its stream. */
export const OF_STREAM: Constraints = {
  StreamName: STREAM_NAME,
  StreamARN: {
    type: 'String',
    min: 1,
    max: 2_048,
    pattern: 'arn:aws.*:kinesis:.*:\\d{12}:stream/\\S+',
  },
}

/** The name of the stream that a call is for. */
export function streamNameOf({ StreamName, StreamARN }: OfStream, context: CallContext): string {
  const { account, notes } = context
  const name = StreamName ?? StreamARN?.split(':stream/')[1]
  if (name === undefined) {
    throw invalidArgument('Either StreamName or StreamARN must be provided.')
  }
  notes.stream = name
  if (StreamARN !== undefined && StreamARN !== account.arnOf(name)) {
    if (StreamName === undefined || StreamARN.endsWith(`:stream/${name}`)) {
      throw notFound(`Stream ${StreamARN} not found.`)
    }
    throw invalidArgument(`StreamName ${StreamName} and StreamARN ${StreamARN} do not match.`)
  }
  return name
}

/** The stream that a call is for. */
export function streamOf(input: OfStream, context: CallContext): Stream {
  const name = streamNameOf(input, context)
  const stream = context.account.stream(name, context.nowMs)
  if (stream === undefined) throw streamNotFound(name, context)
  return stream
}

/** The same, for a call that needs the stream to be in the state ACTIVE. */
export function activeStreamOf(input: OfStream, context: CallContext): Stream {
  const stream = streamOf(input, context)
  if (stream.status === 'ACTIVE') return stream
  throw inUse(
    `Stream ${stream.name} under account ${context.account.place.accountId} not ACTIVE, ` +
      `instead in state ${stream.status}`,
  )
}

/** The fault for a stream that is not there. */
export function streamNotFound(name: string, { account }: CallContext): Error {
  return notFound(`Stream ${name} under account ${account.place.accountId} not found.`)
}

/** The shard of a stream with this id. Expired shards are gone. */
export function shardOf(stream: Stream, shardId: string, context: CallContext): Shard {
  const index = shardIndexOf(shardId)
  const shard = index === undefined ? undefined : stream.shards[index]
  if (shard !== undefined && !stream.hasExpired(shard, context.nowMs)) {
    context.notes.shard = shard.id
    return shard
  }
  throw notFound(
    `Could not find shard ${shard?.id ?? shardId} in stream ${stream.name} ` +
      `under account ${context.account.place.accountId}.`,
  )
}
