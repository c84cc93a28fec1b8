// Finds out what became of a put whose acknowledgement was lost.
//
// Only one put is made at a time and every put before it is settled, so whatever stands in the
// stream after the last acknowledged sequence numbers came from this put. Nothing else is asked of
// the stream.

import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
} from '@aws-sdk/client-kinesis'
import type { Intent, Outcome, SentRecord } from './sent-record.ts'
import { STREAM } from './stream-server.ts'

const EMPTY_PAGES = 2

interface Found {
  readonly shard: string
  readonly sequence: string
  readonly year: string
  readonly text: string
}

/** Settles the put that is in doubt, if there is one. Gives how many of its records the stream
 * holds. */
export async function resolve(
  sent: SentRecord,
  client: KinesisClient,
): Promise<number | undefined> {
  const intent = sent.inDoubt
  if (intent === undefined) return undefined
  const found = await recordsAfter(client, sent.settled.last)
  const outcome = matchRecords(intent, found)
  await sent.acknowledge(outcome)
  return intent.records.length - outcome.failed.length
}

/** Tells which records of a put are among those found. A found record of no put is an error. */
export function matchRecords(intent: Intent, found: readonly Found[]): Outcome {
  const waiting = new Map<string, number[]>()
  for (const [index, [year, text]] of intent.records.entries()) {
    const key = `${year} ${text}`
    waiting.set(key, [...(waiting.get(key) ?? []), index])
  }
  const last: Record<string, string> = {}
  for (const { shard, sequence, year, text } of found) {
    if (waiting.get(`${year} ${text}`)?.shift() === undefined) {
      throw new Error(
        `Cannot settle put ${intent.intent}: shard "${shard}" holds a record at ${sequence} that ` +
          `the demo did not send; start with --fresh`,
      )
    }
    last[shard] = sequence
  }
  return { failed: [...waiting.values()].flat().sort((a, b) => a - b), last }
}

/** Everything in the stream after the given sequence numbers, shard by shard and in order. */
export async function recordsAfter(
  client: KinesisClient,
  last: Readonly<Record<string, string>>,
): Promise<Found[]> {
  const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName: STREAM }))
  const found: Found[] = []
  for (const { ShardId: shard } of Shards) {
    if (shard !== undefined) found.push(...(await readShard(client, shard, last[shard])))
  }
  return found
}

async function readShard(client: KinesisClient, shard: string, after: string | undefined) {
  let iterator = await iteratorAfter(client, shard, after)
  const found: Found[] = []
  for (let empty = 0; empty < EMPTY_PAGES && iterator !== undefined; ) {
    const page = await client.send(new GetRecordsCommand({ ShardIterator: iterator }))
    const records = page.Records ?? []
    for (const { SequenceNumber, PartitionKey, Data } of records) {
      const text = Buffer.from(Data ?? []).toString()
      found.push({ shard, sequence: SequenceNumber ?? '', year: PartitionKey ?? '', text })
    }
    empty = records.length === 0 ? empty + 1 : 0
    iterator = page.NextShardIterator
  }
  return found
}

async function iteratorAfter(client: KinesisClient, shard: string, after: string | undefined) {
  const start =
    after === undefined
      ? ({ ShardIteratorType: 'TRIM_HORIZON' } as const)
      : ({ ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', StartingSequenceNumber: after } as const)
  const answer = await client.send(
    new GetShardIteratorCommand({ StreamName: STREAM, ShardId: shard, ...start }),
  )
  return answer.ShardIterator
}
