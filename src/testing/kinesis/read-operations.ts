// GetShardIterator, GetRecords.

import {
  type CallContext,
  NEEDED_SHARD_ID,
  OF_STREAM,
  type OfStream,
  type Output,
  operation,
  shardOf,
  streamOf,
} from './operation.ts'
import { parseSequenceNumber } from './sequence-number.ts'
import { invalidArgument, notFound, ServiceFault, throughputExceeded } from './service-fault.ts'
import { type Shard, type StoredRecord, shardIdOf, shardIndexOf } from './shard.ts'
import {
  decodeIterator,
  encodeIterator,
  type ShardIterator,
  type ShardPosition,
} from './shard-iterator.ts'
import { describeChild } from './shard-shape.ts'
import type { Stream } from './stream.ts'

interface GetShardIteratorInput extends OfStream {
  readonly ShardId: string
  readonly ShardIteratorType:
    | 'AT_SEQUENCE_NUMBER'
    | 'AFTER_SEQUENCE_NUMBER'
    | 'TRIM_HORIZON'
    | 'LATEST'
    | 'AT_TIMESTAMP'
  readonly StartingSequenceNumber?: string
  readonly Timestamp?: Date
}

/** GetShardIterator. */
export const getShardIterator = operation<GetShardIteratorInput>(
  {
    ...OF_STREAM,
    ShardId: NEEDED_SHARD_ID,
    ShardIteratorType: {
      type: 'String',
      required: true,
      values: [
        'AFTER_SEQUENCE_NUMBER',
        'LATEST',
        'AT_TIMESTAMP',
        'AT_SEQUENCE_NUMBER',
        'TRIM_HORIZON',
      ],
    },
    StartingSequenceNumber: { type: 'String', pattern: '0|([1-9]\\d{0,128})' },
    Timestamp: { type: 'Timestamp' },
  },
  (input, context) => {
    const stream = streamOf(input, context)
    const shard = shardOf(stream, input.ShardId, context)
    const position = positionOf(input, stream, shard, context)
    const { nowMs, traffic } = context
    if (!traffic.meterOf(stream, shard, nowMs).iterators.tryTake(1, nowMs)) {
      throw throughputExceeded(rateExceeded(stream, shard, context))
    }
    return { ShardIterator: iteratorAt(position, stream, shard, nowMs) }
  },
)

function positionOf(
  input: GetShardIteratorInput,
  stream: Stream,
  shard: Shard,
  context: CallContext,
): ShardPosition {
  const { ShardIteratorType: type, StartingSequenceNumber: start, Timestamp } = input
  const needsStart = type === 'AT_SEQUENCE_NUMBER' || type === 'AFTER_SEQUENCE_NUMBER'
  if (needsStart !== (start !== undefined)) {
    throw invalidArgument(
      'Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and ' +
        'StartingSequenceNumber or (2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. ' +
        `Request specified ${type} and ${needsStart ? 'no' : 'also a'} StartingSequenceNumber.`,
    )
  }
  if (start !== undefined) {
    checkStart(start, stream, shard, context)
    return { sequenceNumber: start, after: type === 'AFTER_SEQUENCE_NUMBER' }
  }
  if (type === 'AT_TIMESTAMP') return positionAt(Timestamp, shard, context)
  if (type === 'LATEST') return shard.tip
  return { sequenceNumber: shard.startingSequenceNumber, after: false }
}

function positionAt(time: Date | undefined, shard: Shard, { nowMs }: CallContext): ShardPosition {
  if (time === undefined) {
    throw invalidArgument(
      'Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. ' +
        'Current request has no timestamp parameter.',
    )
  }
  const ms = time.getTime()
  if (ms > nowMs) {
    throw invalidArgument(
      'The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. ' +
        `timestampInMillis: ${ms}, currentTimestampInMillis: ${nowMs}`,
    )
  }
  const first = shard.recordAt(shard.indexAt(ms))
  if (first === undefined) return shard.tip
  return { sequenceNumber: first.sequenceNumber, after: false }
}

function checkStart(start: string, stream: Stream, shard: Shard, context: CallContext): void {
  const used =
    `StartingSequenceNumber ${start} used in GetShardIterator on shard ${shard.id} in stream ` +
    `${stream.name} under account ${context.account.place.accountId} is invalid`
  const parts = parseSequenceNumber(start)
  if (parts === undefined) throw invalidArgument(`${used}.`)
  if (parts.shardIndex !== shard.described.index) {
    throw invalidArgument(
      `Invalid StartingSequenceNumber. It encodes ${shardIdOf(parts.shardIndex)}, ` +
        `while it was used in a call to a shard with ${shard.id}`,
    )
  }
  if (parts.createdSecs !== shard.described.createdSecs) {
    throw invalidArgument(`${used} because it did not come from this stream.`)
  }
}

function iteratorAt(position: ShardPosition, stream: Stream, shard: Shard, nowMs: number): string {
  return encodeIterator({
    sequenceNumber: position.sequenceNumber,
    after: position.after,
    stream: stream.name,
    streamCreatedMs: stream.createdMs,
    shardId: shard.id,
    givenMs: nowMs,
  })
}

interface GetRecordsInput extends OfStream {
  readonly ShardIterator: string
  readonly Limit?: number
}

const ITERATOR_LIFE_MS = 300_000

/** GetRecords. */
export const getRecords = operation<GetRecordsInput>(
  {
    ...OF_STREAM,
    ShardIterator: { type: 'String', required: true, min: 1, max: 512 },
    Limit: { type: 'Integer', min: 1, max: 10_000 },
  },
  (input, context) => {
    const iterator = validIterator(input.ShardIterator, context)
    const { stream, shard } = placeOf(iterator, input, context)
    const { nowMs, notes } = context
    const meter = context.traffic.meterOf(stream, shard, nowMs)
    meter.readCame(nowMs)
    if (!meter.tryRead(nowMs)) throw throughputExceeded(rateExceeded(stream, shard, context))
    shard.trimBefore(stream.horizonMs(nowMs))
    const from = shard.indexOf(iterator)
    const page = pageOf(shard, from, input.Limit, context)
    meter.gave(page.records.length, page.bytes, nowMs)
    notes.records = page.records.length
    notes.bytes = page.bytes
    const to = from + page.records.length
    return {
      Records: page.records.map(describeRecord),
      MillisBehindLatest: millisBehind(shard, to, nowMs),
      ...nextOf(stream, shard, to, page.records.at(-1), iterator, context),
    }
  },
)

function validIterator(text: string, { nowMs, notes }: CallContext): ShardIterator {
  const iterator = decodeIterator(text)
  if (iterator === undefined) throw invalidArgument('Invalid ShardIterator.')
  notes.stream = iterator.stream
  notes.shard = iterator.shardId
  if (nowMs - iterator.givenMs <= ITERATOR_LIFE_MS) return iterator
  throw new ServiceFault(
    'ExpiredIteratorException',
    `Iterator expired. The iterator was created at time ${timeText(iterator.givenMs)} while ` +
      `right now it is ${timeText(nowMs)} which is further in the future than the tolerated ` +
      `delay of ${ITERATOR_LIFE_MS} milliseconds.`,
  )
}

function timeText(ms: number): string {
  return new Date(ms).toUTCString().replace('GMT', 'UTC')
}

function placeOf(iterator: ShardIterator, input: OfStream, context: CallContext) {
  const { account, nowMs } = context
  const stream = account.stream(iterator.stream, nowMs)
  const shard = stream?.shards[shardIndexOf(iterator.shardId) ?? -1]
  if (
    stream === undefined ||
    shard === undefined ||
    stream.createdMs !== iterator.streamCreatedMs ||
    stream.hasExpired(shard, nowMs)
  ) {
    throw notFound(
      `Shard ${iterator.shardId} in stream ${iterator.stream} under account ` +
        `${account.place.accountId} does not exist`,
    )
  }
  if (input.StreamARN !== undefined && input.StreamARN !== stream.arn) {
    throw invalidArgument(`The ShardIterator is not one of the stream ${input.StreamARN}.`)
  }
  return { stream, shard }
}

function pageOf(shard: Shard, from: number, limit: number | undefined, context: CallContext) {
  const { limits, fault } = context
  const records: StoredRecord[] = []
  let bytes = 0
  if (fault.kind === 'empty') return { records, bytes }
  const end = Math.min(shard.endIndex, from + Math.min(limit ?? 10_000, limits.recordsPerGet))
  for (let i = from; i < end; i++) {
    const record = shard.recordAt(i) as StoredRecord
    if (i > from && bytes + record.bytes > limits.bytesPerGet) break
    bytes += record.bytes
    records.push(record)
  }
  return { records, bytes }
}

function describeRecord({ sequenceNumber, arrivalMs, data, partitionKey }: StoredRecord): Output {
  return {
    SequenceNumber: sequenceNumber,
    ApproximateArrivalTimestamp: new Date(arrivalMs),
    Data: data,
    PartitionKey: partitionKey,
    EncryptionType: 'NONE',
  }
}

// At the tip 0, and only there; before it, the age of the last record that was read, or of the next
// one where none has been.
function millisBehind(shard: Shard, to: number, nowMs: number): number {
  const next = shard.recordAt(to)
  if (next === undefined) return 0
  return Math.max(1, nowMs - (shard.recordAt(to - 1) ?? next).arrivalMs)
}

function nextOf(
  stream: Stream,
  shard: Shard,
  to: number,
  last: StoredRecord | undefined,
  iterator: ShardIterator,
  { nowMs }: CallContext,
): Output {
  if (!shard.isOpen && to >= shard.endIndex) {
    return { ChildShards: stream.childrenOf(shard).map(describeChild) }
  }
  const position = last === undefined ? iterator : { ...last, after: true }
  return { NextShardIterator: iteratorAt(position, stream, shard, nowMs) }
}

function rateExceeded(stream: Stream, shard: Shard, { account }: CallContext): string {
  const { accountId } = account.place
  return `Rate exceeded for shard ${shard.id} in stream ${stream.name} under account ${accountId}.`
}
