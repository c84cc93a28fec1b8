// Decodes the records of a read in place of the SDK, which checks the base64 of each by a regular
// expression and looks up a schema for each of its members: half of what a read costs. All else of
// an answer, and each answer that is not as expected, is left to the SDK
// (docs/decisions/0012-records-decoded-here.md).

import { buffer } from 'node:stream/consumers'
import type { _Record, GetRecordsCommand } from '@aws-sdk/client-kinesis'

const OK = 200
const SECOND_MS = 1_000

/** An answer on the way to the SDK's own decoding. */
interface JsonResponse {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string>>
  body: Uint8Array | AsyncIterable<Uint8Array>
}

/** A record as JSON has it. */
interface JsonRecord {
  readonly Data: string
  readonly PartitionKey: string
  readonly SequenceNumber: string
  /** Seconds since the epoch. */
  readonly ApproximateArrivalTimestamp?: number
}

/** Lets the answer to a command have the records that it would have, decoded faster. */
export function decodeRecords(command: GetRecordsCommand): GetRecordsCommand {
  let records: _Record[] | undefined
  const { middlewareStack } = command
  middlewareStack.add(
    (next) => async (args) => {
      records = undefined
      const answer = await next(args)
      const { output } = answer
      if (records !== undefined && output !== undefined) output.Records = records
      return answer
    },
    { step: 'deserialize', priority: 'high', name: 'millraceGivesRecords' },
  )
  // Nearer to the wire than the SDK's decoding, which finds the answer without its records.
  middlewareStack.add(
    (next) => async (args) => {
      const answer = await next(args)
      if (isJson(answer.response)) records = await takeRecords(answer.response)
      return answer
    },
    { step: 'deserialize', priority: 'low', name: 'millraceTakesRecords' },
  )
  return command
}

/** Takes the records out of an answer; undefined where there are none to take. */
async function takeRecords(response: JsonResponse): Promise<_Record[] | undefined> {
  const { body } = response
  const bytes = body instanceof Uint8Array ? body : await buffer(body)
  response.body = bytes
  const page: unknown = JSON.parse(textOf(bytes))
  if (typeof page !== 'object' || page === null || !('Records' in page)) return undefined
  const { Records, ...rest } = page
  if (!Array.isArray(Records) || !Records.every(isRecord)) return undefined
  response.body = Buffer.from(JSON.stringify(rest))
  return Records.map(decoded)
}

/** The record as the SDK gives it. It is the parsed one: another object would be one too many. */
function decoded(record: JsonRecord): _Record {
  const { Data, ApproximateArrivalTimestamp: seconds } = record
  const given = record as unknown as _Record
  given.Data = Buffer.from(Data, 'base64')
  if (seconds !== undefined) {
    given.ApproximateArrivalTimestamp = new Date(Math.round(seconds * SECOND_MS))
  }
  return given
}

function isJson(response: unknown): response is JsonResponse {
  const { statusCode, headers, body } = response as Partial<JsonResponse>
  if (statusCode !== OK || headers === undefined || typeof body !== 'object') return false
  const type = headers['content-type'] ?? headers['Content-Type'] ?? ''
  return type.includes('json') && (body instanceof Uint8Array || Symbol.asyncIterator in body)
}

function isRecord(value: unknown): value is JsonRecord {
  if (typeof value !== 'object' || value === null) return false
  const { Data, PartitionKey, SequenceNumber, ApproximateArrivalTimestamp } = value as JsonRecord
  return (
    typeof Data === 'string' &&
    typeof PartitionKey === 'string' &&
    typeof SequenceNumber === 'string' &&
    ['number', 'undefined'].includes(typeof ApproximateArrivalTimestamp)
  )
}

function textOf({ buffer: memory, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(memory, byteOffset, byteLength).toString('utf8')
}
