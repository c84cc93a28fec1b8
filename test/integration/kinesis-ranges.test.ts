// What a Kinesis receiver owes the log, against a real Kinesis-compatible server: ranges that can
// be read again, a start at a time, and errors at start that come soon and say what to check.

import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import type { Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateStreamCommand, KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { pipeline, type Sink, start } from 'millrace'
import { type KinesisOptions, type KinesisRecord, kinesis } from 'millrace/kinesis'
import { CollectingSink, quietLogger } from 'millrace/testing'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import type { RangeData } from '../../src/receivers/receiver.ts'
import { requireServer } from './servers.ts'

type Kinesalite = (options: Readonly<Record<string, number>>) => Server

const available = await requireServer('kinesalite')
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
const WITHIN = { timeout: 5_000 }

let server: Server
let endpoint: string
let client: KinesisClient
let folder: string
let streams = 0

describe.skipIf(!available)('ranges of kinesis()', { timeout: 30_000 }, () => {
  beforeAll(async () => {
    const kinesalite = createRequire(import.meta.url)('kinesalite') as Kinesalite
    server = kinesalite({ createStreamMs: 0, deleteStreamMs: 0, shardLimit: 500 })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const requestHandler = new NodeHttpHandler()
    client = new KinesisClient({ region: 'us-east-1', endpoint, credentials, requestHandler })
    folder = await mkdtemp(join(tmpdir(), 'millrace-ranges-'))
  })
  afterAll(async () => {
    client?.destroy()
    server?.close()
    await rm(folder, { recursive: true, force: true })
  })
  afterEach(() => vi.unstubAllEnvs())

  test('are read again with the same records, count and checksum', async () => {
    const stream = await newStream(4)
    await put(stream, 120)
    const receiver = await opened(stream)
    await expect.poll(() => receiver.caughtUp(), { timeout: 10_000 }).toBe(true)
    const limits = { bytesMax: 400, recordsMax: Number.POSITIVE_INFINITY }
    const cuts: (readonly RangeData[])[] = []
    while (receiver.bufferedBytes() > 0) cuts.push(receiver.cut(limits) ?? [])
    expect(cuts.length).toBeGreaterThan(2)
    for (const cut of cuts) {
      const again = await receiver.replay(cut.map(({ range }) => range))
      expect(again.map(summary)).toEqual(cut.map(summary))
      expect(again.map(texts)).toEqual(cut.map(texts))
    }
    expect(cuts.flat(1).flatMap(texts)).toHaveLength(120)
    await receiver.stop()
  })

  test('hold no more records in all than a cut may take, shared out to the shards', async () => {
    const stream = await newStream(4)
    await put(stream, 120)
    const receiver = await opened(stream)
    await expect.poll(() => receiver.caughtUp(), { timeout: 10_000 }).toBe(true)
    const limits = { bytesMax: 1_000_000, recordsMax: 50 }
    const cuts = [1, 2, 3].map(() => receiver.cut(limits))
    const recordsOf = (cut: readonly RangeData[] | undefined) =>
      (cut ?? []).reduce((n, { range }) => n + range.records, 0)
    expect(cuts.map(recordsOf)).toEqual([50, 50, 20])
    expect(cuts[0]).toHaveLength(4)
    expect(receiver.bufferedBytes()).toBe(0)
    await receiver.stop()
  })

  test('are redone after a batch that was planned and not written', async () => {
    const stream = await newStream(4)
    const sent = await put(stream, 60)
    const checkpoint = join(folder, stream)
    let planned = 0
    const failing: Sink<string> = {
      name: 'collecting',
      guarantee: 'exactly-once',
      open: () =>
        Promise.resolve({
          recover: () => Promise.resolve(),
          write: ({ batchId }, partitions) => {
            if (partitions.flat(1).length === 0) return Promise.resolve({ records: 0, bytes: 0 })
            planned = batchId
            return Promise.reject(new Error('the disk is full'))
          },
          close: () => Promise.resolve(),
        }),
    }
    const first = await start(reader(stream, failing, checkpoint), caughtUp)
    await expect(first.done).rejects.toMatchObject({ code: 'SINK_FAILED' })
    const sink = new CollectingSink<string>()
    const second = await start(reader(stream, sink, checkpoint), caughtUp)
    await second.done
    expect(sink.batches.get(planned)?.flat(1).length).toBeGreaterThan(0)
    expect(sink.records().sort()).toEqual(sent.sort())
  })

  test('begin at the time that was given', async () => {
    const stream = await newStream(1)
    await put(stream, 3)
    const arrivedAt = Date.now()
    await expect.poll(() => Date.now(), WITHIN).toBeGreaterThan(arrivedAt + 1_100)
    const timestamp = Date.now() - 50
    const after = await put(stream, 4, 3)
    const sink = new CollectingSink<string>()
    const options: Partial<KinesisOptions> = { startAt: { timestamp } }
    await (await start(reader(stream, sink, false, options), caughtUp)).done
    expect(sink.records()).toEqual(after)
  })

  const wrong: [string, () => Promise<Partial<KinesisOptions>>, RegExp][] = [
    ['an endpoint that refuses', async () => ({ endpoint: 'http://127.0.0.1:9' }), /endpoint/],
    ['a host without a name', async () => ({ endpoint: 'http://nowhere.invalid' }), /endpoint/],
    ['a missing stream', async () => ({ stream: 'nowhere' }), /name of the stream/],
  ]
  test.each(wrong)('%s is told at start, soon', WITHIN, async (_name, options, message) => {
    const failed = start(reader('s', new CollectingSink(), false, await options()), caughtUp)
    await expect(failed).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' })
    await expect(failed).rejects.toThrow(message)
  })

  test('missing credentials are told at start, soon', WITHIN, async () => {
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE']) {
      vi.stubEnv(name, undefined)
    }
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder, 'none'))
    vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'none'))
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
    const source = kinesis({ stream: 's', region: 'us-east-1', endpoint })
    const options = { batchInterval: 50, checkpoint: false } as const
    const p = pipeline('p', options, (ssc) => ssc.receive(source).print())
    const failed = start(p, caughtUp)
    await expect(failed).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' })
    await expect(failed).rejects.toThrow(/credentials.*AWS_ACCESS_KEY_ID/)
  })
})

const caughtUp = { logger: quietLogger, until: 'caught-up' } as const

function reader(
  stream: string,
  sink: Sink<string>,
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

/** A receiver that reads all of a stream. */
async function opened(stream: string) {
  const where = { stream, endpoint, credentials, region: 'us-east-1' }
  const receiver = kinesis({ ...where, startAt: 'TRIM_HORIZON' }).open({
    pipeline: 'ranges',
    sourceId: 0,
    clock: systemClock,
    logger: quietLogger,
    signal: new AbortController().signal,
    bufferBytesMax: 1_000_000,
    fail: (error) => expect.fail(String(error)),
    reportError: (message) => expect.fail(message),
    tell: () => undefined,
    count: () => undefined,
  })
  await receiver.start([])
  receiver.run()
  return receiver
}

function texts({ blocks }: RangeData): string[] {
  return blocks.flatMap((block) =>
    Array.from({ length: block.length }, (_, i) => (block.at(i) as KinesisRecord).text()),
  )
}

function summary({ range, blocks }: RangeData) {
  const crc = blocks.reduce((before, block) => block.crc(before), 0)
  const records = blocks.reduce((n, block) => n + block.length, 0)
  expect({ records, crc }).toEqual({ records: range.records, crc: range.crc })
  return { partition: range.partition, records, crc }
}

async function newStream(shards: number): Promise<string> {
  streams += 1
  const StreamName = `ranges-${streams}`
  await client.send(new CreateStreamCommand({ StreamName, ShardCount: shards }))
  return StreamName
}

/** Puts lines under many keys, so that every shard gets some. */
async function put(stream: string, count: number, first = 0): Promise<string[]> {
  const lines = Array.from({ length: count }, (_, i) => `${stream}:${first + i}:ä`)
  const Records = lines.map((line, i) => ({
    Data: new TextEncoder().encode(line),
    PartitionKey: `key-${i}`,
  }))
  await client.send(new PutRecordsCommand({ StreamName: stream, Records }))
  return lines
}
