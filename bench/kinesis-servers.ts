// The simulator beside kinesalite, in this process, over HTTP/1.1 and the AWS SDK's client: what
// the demo and the tests wait for.

import { once } from 'node:events'
import type { Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import {
  CreateStreamCommand,
  DeleteStreamCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  PutRecordCommand,
  PutRecordsCommand,
} from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { KinesisSimulator } from 'millrace/testing'
import {
  type Answer,
  type BenchOptions,
  interleave,
  median,
  type Question,
  ratio,
} from './harness.ts'

const RECORD_BYTES = 1_024
const RECORDS_PER_PUT = 500
const SMALL_CALLS = 100

interface Side {
  readonly client: KinesisClient
  readonly close: () => Promise<void>
}

interface Work {
  readonly what: string
  /** How many records or calls a round has. */
  readonly count: number
  run(client: KinesisClient, records: number): Promise<void>
}

async function answer(options: BenchOptions): Promise<Answer> {
  const sides = [await simulator(), await kinesalite()]
  const rows = []
  for (const work of worksOf(options.records)) {
    const runs = sides.map(
      ({ client }) =>
        () =>
          work.run(client, options.records),
    )
    const [ours = [], theirs = []] = await interleave(options, 3, runs)
    const rate = (ms: readonly number[]) => Math.round((work.count * 1e3) / median(ms))
    rows.push({
      work: work.what,
      'simulator /s': rate(ours),
      'kinesalite /s': rate(theirs),
      ...ratio(theirs, ours, 'simulator : kinesalite'),
    })
  }
  for (const { close } of sides) await close()
  const notes = ['Both in this process, with the client; HTTP/1.1, records in memory, no limits.']
  return { rows, notes }
}

function worksOf(records: number): Work[] {
  const StreamName = 'bench'
  return [
    { what: `PutRecords, ${RECORDS_PER_PUT} × 1 KiB`, count: records, run: refill },
    { what: 'GetRecords, from the oldest', count: records, run: readAll },
    {
      what: 'PutRecord and DescribeStreamSummary',
      count: 2 * SMALL_CALLS,
      async run(client) {
        for (let i = 0; i < SMALL_CALLS; i++) {
          const Data = new Uint8Array(100)
          await client.send(new PutRecordCommand({ StreamName, Data, PartitionKey: `${i}` }))
          await client.send(new DescribeStreamSummaryCommand({ StreamName }))
        }
      },
    },
  ]
}

/** Makes the stream anew and fills it. */
async function refill(client: KinesisClient, records: number): Promise<void> {
  const StreamName = 'bench'
  await client.send(new DeleteStreamCommand({ StreamName })).catch(unlessMissing)
  while ((await statusOf(client)) !== undefined);
  await client.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }))
  while ((await statusOf(client)) !== 'ACTIVE');
  for (let i = 0; i < records; i += RECORDS_PER_PUT) {
    const Records = Array.from({ length: Math.min(RECORDS_PER_PUT, records - i) }, (_, k) => {
      return { Data: new Uint8Array(RECORD_BYTES).fill(k), PartitionKey: `${i + k}` }
    })
    await client.send(new PutRecordsCommand({ StreamName, Records }))
  }
}

async function readAll(client: KinesisClient, records: number): Promise<void> {
  const of = { StreamName: 'bench', ShardId: 'shardId-000000000000' }
  const type = { ShardIteratorType: 'TRIM_HORIZON' } as const
  let { ShardIterator } = await client.send(new GetShardIteratorCommand({ ...of, ...type }))
  for (let read = 0; read < records; ) {
    const page = await client.send(new GetRecordsCommand({ ShardIterator }))
    read += page.Records?.length ?? 0
    ShardIterator = page.NextShardIterator
  }
}

async function statusOf(client: KinesisClient): Promise<string | undefined> {
  const describe = new DescribeStreamSummaryCommand({ StreamName: 'bench' })
  const answer = await client.send(describe).catch(unlessMissing)
  return answer?.StreamDescriptionSummary?.StreamStatus
}

function unlessMissing(error: Error): undefined {
  if (error.name !== 'ResourceNotFoundException') throw error
}

async function simulator(): Promise<Side> {
  const server = new KinesisSimulator({ limits: 'off' })
  return side(await server.listen(), () => server.close())
}

async function kinesalite(): Promise<Side> {
  type Kinesalite = (options: Readonly<Record<string, number>>) => Server
  const make = createRequire(import.meta.url)('kinesalite') as Kinesalite
  const server = make({ createStreamMs: 0, deleteStreamMs: 0 })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return side(`http://127.0.0.1:${port}`, async () => {
    server.closeAllConnections()
    server.close()
  })
}

function side(endpoint: string, stop: () => Promise<void>): Side {
  const client = new KinesisClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
    requestHandler: new NodeHttpHandler(),
  })
  const close = async () => {
    client.destroy()
    await stop()
  }
  return { client, close }
}

export const kinesisServers: Question = {
  asks:
    'The simulator beside kinesalite: records in, records out, and small calls, over HTTP and\n' +
    'the client of the AWS SDK.',
  defaults: { seed: 1, rounds: 15, records: 5_000 },
  answer,
}
