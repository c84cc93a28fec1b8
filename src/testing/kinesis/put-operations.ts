// PutRecord, PutRecords.

import type { PutEntry } from './changes.ts'
import type { Constraints } from './constraints.ts'
import { HASH_KEYS, hashOf, hexOf } from './hash-key.ts'
import {
  type CallContext,
  HASH_KEY_PATTERN,
  OF_STREAM,
  type OfStream,
  type Output,
  operation,
  streamNotFound,
  streamOf,
} from './operation.ts'
import { parseSequenceNumber } from './sequence-number.ts'
import { invalid, invalidArgument, throughputExceeded } from './service-fault.ts'
import { type Shard, type StoredRecord, secondsOf } from './shard.ts'
import type { Stream } from './stream.ts'

interface Entry {
  readonly Data: Uint8Array
  readonly PartitionKey: string
  readonly ExplicitHashKey?: string
}

interface PutRecordInput extends OfStream, Entry {
  readonly SequenceNumberForOrdering?: string
}

interface PutRecordsInput extends OfStream {
  readonly Records: readonly Entry[]
}

const RECORD_BYTES_MAX = 10 * 1024 * 1024
const ENTRY: Constraints = {
  Data: { type: 'Blob', required: true, max: RECORD_BYTES_MAX },
  PartitionKey: { type: 'String', required: true, min: 1, max: 256 },
  ExplicitHashKey: { type: 'String', pattern: HASH_KEY_PATTERN },
}

/** PutRecord. */
export const putRecord = operation<PutRecordInput>(
  {
    ...OF_STREAM,
    ...ENTRY,
    SequenceNumberForOrdering: { type: 'String', pattern: '0|([1-9]\\d{0,128})' },
  },
  (input, context) => {
    const stream = writableStreamOf(input, context)
    const bytes = bytesOf(input)
    checkRecordSize(bytes, stream)
    checkOrdering(input.SequenceNumberForOrdering, stream, context)
    const shard = stream.shardFor(hashFor(input))
    context.notes.shard = shard.id
    if (!context.traffic.meterOf(stream, shard, context.nowMs).tryPut(bytes, context.nowMs)) {
      throw throughputExceeded(rateExceeded(shard, stream, context))
    }
    const [stored] = store(stream, [[shard, input]], context)
    return { ShardId: shard.id, SequenceNumber: stored?.sequenceNumber, EncryptionType: 'NONE' }
  },
)

/** PutRecords. Each record is taken or refused by itself. */
export const putRecords = operation<PutRecordsInput>(
  {
    ...OF_STREAM,
    Records: {
      type: 'List',
      required: true,
      min: 1,
      max: 500,
      member: { type: 'Structure', members: ENTRY },
    },
  },
  (input, context) => {
    const stream = writableStreamOf(input, context)
    checkRequestSize(input.Records, stream, context)
    const shards = input.Records.map((entry) => stream.shardFor(hashFor(entry)))
    const refused = throttledOf(shards.length, context)
    const taken: (readonly [Shard, Entry])[] = []
    const answers = input.Records.map((entry, i) => {
      const shard = shards[i] as Shard
      const meter = context.traffic.meterOf(stream, shard, context.nowMs)
      if (refused?.[i] === true || !meter.tryPut(bytesOf(entry), context.nowMs)) {
        return {
          ErrorCode: 'ProvisionedThroughputExceededException',
          ErrorMessage: rateExceeded(shard, stream, context),
        }
      }
      taken.push([shard, entry])
      return { ShardId: shard.id, SequenceNumber: '' }
    })
    const stored = store(stream, taken, context)
    let next = 0
    for (const answer of answers) {
      if (answer.SequenceNumber === undefined) continue
      answer.SequenceNumber = stored[next]?.sequenceNumber ?? ''
      next += 1
    }
    return {
      FailedRecordCount: answers.length - taken.length,
      Records: answers satisfies Output[],
      EncryptionType: 'NONE',
    }
  },
)

function writableStreamOf(input: OfStream, context: CallContext): Stream {
  const stream = streamOf(input, context)
  if (stream.open.length > 0 && stream.status !== 'DELETING') return stream
  throw streamNotFound(stream.name, context)
}

function bytesOf({ Data, PartitionKey }: Entry): number {
  return Data.length + Buffer.byteLength(PartitionKey)
}

function checkRecordSize(bytes: number, { name, maxRecordKiB }: Stream): void {
  if (bytes <= maxRecordKiB * 1_024) return
  throw invalid(
    `The record of ${bytes} bytes, partition key included, exceeds the maximum record size of ` +
      `stream ${name}: ${maxRecordKiB} KiB.`,
  )
}

function checkRequestSize(
  entries: readonly Entry[],
  stream: Stream,
  { limits }: CallContext,
): void {
  if (entries.length > limits.recordsPerPut) {
    throw invalid(
      `1 validation error detected: Value at 'records' failed to satisfy constraint: ` +
        `Member must have length less than or equal to ${limits.recordsPerPut}`,
    )
  }
  let total = 0
  for (const entry of entries) {
    const bytes = bytesOf(entry)
    checkRecordSize(bytes, stream)
    total += bytes
  }
  if (total <= limits.bytesPerPut) return
  throw invalidArgument(
    `Records size exceeds ${limits.bytesPerPut / (1_024 * 1_024)} MB limit: ${total} bytes.`,
  )
}

function checkOrdering(sequenceNumber: string | undefined, { name }: Stream, context: CallContext) {
  if (sequenceNumber === undefined) return
  const parts = parseSequenceNumber(sequenceNumber)
  if (parts !== undefined && parts.secs <= secondsOf(context.nowMs) + 1) return
  throw invalidArgument(
    `ExclusiveMinimumSequenceNumber ${sequenceNumber} used in PutRecord on stream ${name} under ` +
      `account ${context.account.place.accountId} is invalid.`,
  )
}

function hashFor({ ExplicitHashKey, PartitionKey }: Entry): string {
  if (ExplicitHashKey === undefined || ExplicitHashKey === null) return hashOf(PartitionKey)
  const hashKey = BigInt(ExplicitHashKey)
  if (hashKey < HASH_KEYS) return hexOf(hashKey)
  throw invalidArgument(
    'Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. ' +
      `Specified value was ${ExplicitHashKey}`,
  )
}

function rateExceeded(shard: Shard, stream: Stream, { account }: CallContext): string {
  const { accountId } = account.place
  return `Rate exceeded for shard ${shard.id} in stream ${stream.name} under account ${accountId}.`
}

// A fault: some of the records are refused, at least one.
function throttledOf(records: number, { fault, random }: CallContext): boolean[] | undefined {
  if (fault.kind !== 'throttle') return undefined
  const refused = Array.from({ length: records }, () => random() < 0.5)
  refused[Math.floor(random() * records)] = true
  return refused
}

function store(
  stream: Stream,
  taken: readonly (readonly [Shard, Entry])[],
  context: CallContext,
): StoredRecord[] {
  if (taken.length === 0) return []
  const copies = taken.map(([shard, { PartitionKey, Data }]): PutEntry => {
    return [shard.described.index, stream.takeCounter(), PartitionKey, Buffer.from(Data)]
  })
  const again = context.fault.kind === 'duplicate' ? copies : []
  const entries = [
    ...copies,
    ...again.map(([shard, , key, data]): PutEntry => [shard, stream.takeCounter(), key, data]),
  ]
  const atMs = stream.arrivalAt(context.nowMs)
  const stored = context.put({ kind: 'put', stream: stream.name, atMs, entries })
  const horizonMs = stream.horizonMs(context.nowMs)
  for (const [shard] of taken) shard.trimBefore(horizonMs)
  context.notes.records += stored.length
  for (const { bytes } of stored) context.notes.bytes += bytes
  return stored
}
