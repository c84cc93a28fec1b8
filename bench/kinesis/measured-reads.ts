// The reads of a thread, measured in the same way for both sides, whatever client they make: into
// shared memory, from the moment at which the pace of a shard allows its next read to the moment at
// which the thread has the answer.

import {
  type GetRecordsCommandInput,
  type GetRecordsCommandOutput,
  KinesisClient,
} from '@aws-sdk/client-kinesis'
import { dueAt } from './pace.ts'

/** What both sides read, and where they write the figures. */
export interface ReadTask {
  readonly endpoint: string
  readonly stream: string
  readonly recordsPerCall: number
  readonly memory: SharedArrayBuffer
}

/** As any client of that server is made. */
export const CLIENT = {
  region: 'us-east-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
} as const

const READS_MAX = 100_000
const READS = 0
const RECORDS = 1
const BYTES = 2
const FIRST_AT = 3
const LAST_AT = 4
const DELAYS = 5

/** Memory for the figures. */
export function figuresMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer((DELAYS + READS_MAX) * Float64Array.BYTES_PER_ELEMENT)
}

/** What was read so far. */
export function figuresOf(memory: SharedArrayBuffer) {
  const figures = new Float64Array(memory)
  const at = (index: number): number => figures[index] as number
  const reads = Math.min(at(READS), READS_MAX)
  return {
    reads,
    records: at(RECORDS),
    bytes: at(BYTES),
    ms: at(LAST_AT) - at(FIRST_AT),
    delays: [...figures.subarray(DELAYS, DELAYS + reads)],
  }
}

/** Measures the reads of all clients that this thread makes. */
export function measureReads(memory: SharedArrayBuffer): void {
  const figures = new Float64Array(memory)
  const dues = new Map<string, number>()
  const { send } = KinesisClient.prototype as unknown as { send: Send }
  async function measured(this: KinesisClient, command: Command, options?: unknown) {
    const calledAt = performance.now()
    const answer = await send.call(this, command, options)
    const iterator = command.input?.ShardIterator
    if (iterator === undefined || answer.Records === undefined) return answer
    const due = dues.get(iterator) ?? calledAt
    dues.delete(iterator)
    const bytes = bytesOf(answer.Records)
    const now = performance.now()
    if (answer.NextShardIterator) dues.set(answer.NextShardIterator, dueAt(calledAt, now, bytes))
    if ((figures[READS] as number) === 0) figures[FIRST_AT] = calledAt
    if (answer.Records.length > 0) note(figures, now, now - due, answer.Records.length, bytes)
    return answer
  }
  Object.assign(KinesisClient.prototype, { send: measured })
}

type Command = { readonly input?: Partial<GetRecordsCommandInput> }
type Send = (
  this: KinesisClient,
  command: Command,
  options?: unknown,
) => Promise<Partial<GetRecordsCommandOutput>>

function note(
  figures: Float64Array,
  now: number,
  delay: number,
  records: number,
  bytes: number,
): void {
  const reads = figures[READS] as number
  figures[LAST_AT] = now
  figures[DELAYS + (reads % READS_MAX)] = delay
  figures[BYTES] = (figures[BYTES] as number) + bytes
  figures[READS] = reads + 1
  figures[RECORDS] = (figures[RECORDS] as number) + records
}

function bytesOf(records: readonly { readonly Data?: Uint8Array | undefined }[]): number {
  return records.reduce((n, { Data }) => n + (Data?.length ?? 0), 0)
}
