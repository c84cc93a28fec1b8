// The SDK's client, with the reads of both sides measured in the same way: into shared memory, from
// the call to the moment at which its thread has the answer.

import { type GetRecordsCommandOutput, KinesisClient } from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'

/** What both sides read, and where they write the figures. */
export interface ReadTask {
  readonly endpoint: string
  readonly stream: string
  readonly recordsPerCall: number
  readonly memory: SharedArrayBuffer
}

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

/** A client for a server, whose reads are measured. */
export function measuredClient({ endpoint, memory }: ReadTask): KinesisClient {
  const figures = new Float64Array(memory)
  const agent = { keepAlive: true, maxSockets: 64 }
  const client = new KinesisClient({
    region: 'us-east-1',
    endpoint,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({ httpAgent: agent }),
  })
  const send = client.send.bind(client) as (...args: unknown[]) => Promise<unknown>
  const measured = async (...args: unknown[]): Promise<unknown> => {
    const calledAt = performance.now()
    const answer = await send(...args)
    const records = (answer as GetRecordsCommandOutput).Records
    if (records !== undefined) note(figures, calledAt, records)
    return answer
  }
  return Object.assign(client, { send: measured })
}

function note(
  figures: Float64Array,
  calledAt: number,
  records: NonNullable<GetRecordsCommandOutput['Records']>,
): void {
  const now = performance.now()
  const reads = figures[READS] as number
  if (reads === 0) figures[FIRST_AT] = calledAt
  if (records.length === 0) return
  figures[LAST_AT] = now
  figures[DELAYS + (reads % READS_MAX)] = now - calledAt
  figures[BYTES] = (figures[BYTES] as number) + bytesOf(records)
  figures[READS] = reads + 1
  figures[RECORDS] = (figures[RECORDS] as number) + records.length
}

function bytesOf(records: readonly { readonly Data?: Uint8Array | undefined }[]): number {
  return records.reduce((n, { Data }) => n + (Data?.length ?? 0), 0)
}
