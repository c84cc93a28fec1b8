// The Kinesis receiver against a real Kinesis-compatible server.

import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import type { Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  CreateStreamCommand,
  KinesisClient,
  ListShardsCommand,
  MergeShardsCommand,
  PutRecordsCommand,
  SplitShardCommand,
} from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { pipeline, start } from 'millrace'
import { type KinesisOptions, kinesis } from 'millrace/kinesis'
import { CollectingSink, quietLogger } from 'millrace/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { requireServer } from './servers.ts'

type Kinesalite = (options: Readonly<Record<string, number>>) => Server

const available = await requireServer('kinesalite')
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
const STREAM = 'lines'

let server: Server
let endpoint: string
let client: KinesisClient
let folder: string
let streams = 0

describe.skipIf(!available)('kinesis()', { timeout: 30_000 }, () => {
  beforeAll(async () => {
    const kinesalite = createRequire(import.meta.url)('kinesalite') as Kinesalite
    server = kinesalite({
      createStreamMs: 0,
      deleteStreamMs: 0,
      updateStreamMs: 0,
      shardLimit: 500,
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const requestHandler = new NodeHttpHandler()
    client = new KinesisClient({ region: 'us-east-1', endpoint, credentials, requestHandler })
    folder = await mkdtemp(join(tmpdir(), 'millrace-kinesis-'))
  })
  afterAll(async () => {
    client?.destroy()
    server?.close()
    await rm(folder, { recursive: true, force: true })
  })

  test('gives the records of each shard once and in order', async () => {
    const stream = await newStream(4)
    const sent = await put(stream, texts(200))
    const sink = new CollectingSink<string>()
    await runOnce(stream, sink, false)
    expect(byKey(sink.records())).toEqual(byKey(sent))
  })

  test('resumes from a checkpoint: nothing is lost and nothing doubled', async () => {
    const stream = await newStream(2)
    const checkpoint = join(folder, stream)
    const sent = await put(stream, texts(50))
    const first = new CollectingSink<string>()
    await runOnce(stream, first, checkpoint)
    const later = await put(stream, texts(50, 50))
    const second = new CollectingSink<string>()
    await runOnce(stream, second, checkpoint)
    expect(byKey(first.records())).toEqual(byKey(sent))
    expect(byKey(second.records())).toEqual(byKey(later))
  })

  test('reads children after their parents when a shard is split and merged', async () => {
    const stream = await newStream(1)
    const before = await put(stream, texts(30))
    await split(stream)
    const between = await put(stream, texts(30, 30))
    await merge(stream)
    const after = await put(stream, texts(30, 60))
    const sink = new CollectingSink<string>()
    await runOnce(stream, sink, join(folder, stream))
    expect(byKey(sink.records())).toEqual(byKey([...before, ...between, ...after]))
  })

  test('begins at LATEST with what comes after the start', async () => {
    const stream = await newStream(1)
    await put(stream, texts(10))
    const sink = new CollectingSink<string>()
    const run = await start(reader(stream, sink, false, { startAt: 'LATEST' }), quiet)
    const completed = once(eventsOf(run), 'done')
    const later = await put(stream, texts(5, 10))
    await completed
    await run.stop()
    expect(sink.records()).toEqual(later)
  })

  test('a missing stream is named at start', async () => {
    const failed = start(reader('nowhere', new CollectingSink<string>(), false), quiet)
    await expect(failed).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' })
    await expect(failed).rejects.toThrow(/"nowhere".*check the name of the stream/)
  })

  test('an endpoint that does not answer is named at start', async () => {
    const options = { endpoint: 'http://127.0.0.1:9' }
    const failed = start(reader('s', new CollectingSink<string>(), false, options), quiet)
    await expect(failed).rejects.toThrow(/127\.0\.0\.1:9.*check that the endpoint/)
  })

  test('missing credentials are named at start', async () => {
    const names = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE', 'HOME'] as const
    const saved = names.map((name) => [name, process.env[name]] as const)
    for (const name of names) delete process.env[name]
    process.env['AWS_EC2_METADATA_DISABLED'] = 'true'
    try {
      const source = kinesis({ stream: 's', region: 'us-east-1', endpoint })
      const p = pipeline('p', { batchInterval: 50, checkpoint: false }, (ssc) =>
        ssc.receive(source).print(),
      )
      await expect(start(p, quiet)).rejects.toThrow(/AWS_ACCESS_KEY_ID/)
    } finally {
      for (const [name, value] of saved) if (value !== undefined) process.env[name] = value
      delete process.env['AWS_EC2_METADATA_DISABLED']
    }
  })
})

const quiet = { logger: quietLogger }

function reader(
  stream: string,
  sink: CollectingSink<string>,
  checkpoint: string | false,
  options: Partial<KinesisOptions> = {},
) {
  const where = { stream, endpoint, credentials, region: 'us-east-1' }
  return pipeline(`read-${stream}`, { batchInterval: 50, checkpoint }, (ssc) => {
    ssc
      .receive(kinesis({ ...where, startAt: 'TRIM_HORIZON', ...options }))
      .map((record) => record.text())
      .writeTo(sink)
  })
}

async function runOnce(
  stream: string,
  sink: CollectingSink<string>,
  checkpoint: string | false,
): Promise<void> {
  const run = await start(reader(stream, sink, checkpoint), { ...quiet, until: 'caught-up' })
  await run.done
}

/** Emits 'done' at the first batch that had records. */
function eventsOf(run: Awaited<ReturnType<typeof start>>): EventTarget {
  const target = new EventTarget()
  run.on('batch-completed', ({ records }) => {
    if (records > 0) target.dispatchEvent(new Event('done'))
  })
  return target
}

async function newStream(shards: number): Promise<string> {
  streams += 1
  const StreamName = `${STREAM}-${streams}`
  await client.send(new CreateStreamCommand({ StreamName, ShardCount: shards }))
  return StreamName
}

/** `key:number` for keys a to g. */
function texts(count: number, first = 0): string[] {
  return Array.from({ length: count }, (_, i) => `${'abcdefg'[i % 7]}:${first + i}`)
}

async function put(stream: string, lines: string[]): Promise<string[]> {
  for (const line of lines) {
    const [key = ''] = line.split(':')
    const Records = [{ Data: new TextEncoder().encode(line), PartitionKey: key }]
    await client.send(new PutRecordsCommand({ StreamName: stream, Records }))
  }
  return lines
}

/** The numbers of each key, in order: a key lives in one shard at a time. */
function byKey(lines: readonly string[]): Record<string, number[]> {
  const numbers: Record<string, number[]> = {}
  for (const line of lines) {
    const [key = '', n] = line.split(':')
    numbers[key] = [...(numbers[key] ?? []), Number(n)]
  }
  return numbers
}

async function openShards(stream: string) {
  const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName: stream }))
  return Shards.filter((shard) => shard.SequenceNumberRange?.EndingSequenceNumber === undefined)
}

async function split(stream: string): Promise<void> {
  const [shard] = await openShards(stream)
  const middle = (2n ** 127n).toString()
  const input = { StreamName: stream, ShardToSplit: shard?.ShardId, NewStartingHashKey: middle }
  await client.send(new SplitShardCommand(input))
  await expect.poll(() => openShards(stream), { timeout: 5_000 }).toHaveLength(2)
}

async function merge(stream: string): Promise<void> {
  const [left, right] = await openShards(stream)
  const input = {
    StreamName: stream,
    ShardToMerge: left?.ShardId,
    AdjacentShardToMerge: right?.ShardId,
  }
  await client.send(new MergeShardsCommand(input))
  await expect.poll(() => openShards(stream), { timeout: 5_000 }).toHaveLength(1)
}
