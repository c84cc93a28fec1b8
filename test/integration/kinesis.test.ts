// Pipelines over kinesis(), against Kinesis-compatible servers: one suite for all of them, minus
// what each lacks (servers.ts).

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KinesisClient } from '@aws-sdk/client-kinesis'
import { pipeline, type Run, type Sink, start } from 'millrace'
import { type KinesisOptions, kinesis } from 'millrace/kinesis'
import { CollectingSink, quietLogger } from 'millrace/testing'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { AsTheyAreArgs } from './as-they-are.ts'
import { credentials } from './credentials.ts'
import { byKey, KinesisStream, linesOf } from './kinesis-stream.ts'
import type { RunningServer } from './server-process.ts'
import { clientOf, installedServers } from './servers.ts'

const WITHIN = { timeout: 5_000 }
const quiet = { logger: quietLogger }
const caughtUp = { ...quiet, until: 'caught-up' } as const

let server: RunningServer
let client: KinesisClient
let folder: string

describe.each(installedServers())('kinesis() on $name', { timeout: 30_000 }, (kind) => {
  beforeAll(async () => {
    server = await kind.start()
    client = clientOf(server)
    folder = await mkdtemp(join(tmpdir(), 'millrace-kinesis-'))
  })
  afterAll(async () => {
    client?.destroy()
    await server?.close()
    await rm(folder, { recursive: true, force: true })
  })

  test('gives the records of each shard once and in order', async () => {
    const stream = await KinesisStream.create(client, 4)
    const sent = await stream.put(linesOf(200))
    const sink = new CollectingSink<string>()
    await runOnce(stream, sink, false)
    expect(byKey(sink.records())).toEqual(byKey(sent))
  })

  test('resumes from a checkpoint: nothing is lost and nothing doubled', async () => {
    const stream = await KinesisStream.create(client, 2)
    const checkpoint = join(folder, stream.name)
    const sent = await stream.put(linesOf(50))
    const first = new CollectingSink<string>()
    await runOnce(stream, first, checkpoint)
    const later = await stream.put(linesOf(50, 50))
    const second = new CollectingSink<string>()
    await runOnce(stream, second, checkpoint)
    expect(byKey(first.records())).toEqual(byKey(sent))
    expect(byKey(second.records())).toEqual(byKey(later))
  })

  const reshards = test.skipIf(kind.gaps.has('resharding'))
  reshards('reads children after their parents when a shard is split and merged', async () => {
    const stream = await KinesisStream.create(client, 1)
    const before = await stream.put(linesOf(30))
    await stream.split()
    const between = await stream.put(linesOf(30, 30))
    await stream.merge()
    const after = await stream.put(linesOf(30, 60))
    const sink = new CollectingSink<string>()
    await runOnce(stream, sink, join(folder, stream.name))
    expect(byKey(sink.records())).toEqual(byKey([...before, ...between, ...after]))
  })

  const scales = test.skipIf(kind.gaps.has('UpdateShardCount'))
  scales('keeps the order of each key when the number of shards doubles and halves', async () => {
    const stream = await KinesisStream.create(client, 2)
    const sent = [...(await stream.put(linesOf(30)))]
    await stream.updateShardCount(4)
    sent.push(...(await stream.put(linesOf(30, 30))))
    await stream.updateShardCount(2)
    sent.push(...(await stream.put(linesOf(30, 60))))
    const sink = new CollectingSink<string>()
    await runOnce(stream, sink, join(folder, stream.name))
    expect(byKey(sink.records())).toEqual(byKey(sent))
  })

  test('begins at LATEST with what comes after the start', async () => {
    const stream = await KinesisStream.create(client, 1)
    await stream.put(linesOf(10))
    const sink = new CollectingSink<string>()
    const run = await start(reader(stream, sink, false, { startAt: 'LATEST' }), quiet)
    const completed = firstRecords(run)
    const later = await stream.put(linesOf(5, 10))
    await completed
    await run.stop()
    expect(sink.records()).toEqual(later)
  })

  test('begins at the time that was given', async () => {
    const stream = await KinesisStream.create(client, 1)
    await stream.put(linesOf(3))
    const arrivedAt = Date.now()
    await expect.poll(() => Date.now(), WITHIN).toBeGreaterThan(arrivedAt + 1_100)
    const timestamp = Date.now() - 50
    const after = await stream.put(linesOf(4, 3))
    const sink = new CollectingSink<string>()
    const options: Partial<KinesisOptions> = { startAt: { timestamp } }
    await (await start(reader(stream, sink, false, options), caughtUp)).done
    expect(sink.records()).toEqual(after)
  })

  test('batches are redone that were planned and not written', async () => {
    const stream = await KinesisStream.create(client, 4)
    const sent = await stream.put(linesOf(60))
    const checkpoint = join(folder, stream.name)
    const failing = new FailingSink()
    const first = await start(reader(stream, failing, checkpoint), caughtUp)
    await expect(first.done).rejects.toMatchObject({ code: 'SINK_FAILED' })
    const sink = new CollectingSink<string>()
    const second = await start(reader(stream, sink, checkpoint), caughtUp)
    await second.done
    expect(sink.batches.get(failing.planned)?.flat(1).length).toBeGreaterThan(0)
    expect(byKey(sink.records())).toEqual(byKey(sent))
  })

  test('gives records as they are to outputs, from worker threads', async () => {
    const stream = await KinesisStream.create(client, 2)
    const sent = await stream.put(linesOf(20))
    const seen = join(folder, `${stream.name}.seen`)
    const args: AsTheyAreArgs = { stream: stream.name, endpoint: server.endpoint, seen }
    const module = new URL('as-they-are.ts', import.meta.url)
    await (await start(module, { ...caughtUp, args, workers: 2 })).done
    const lines = (await readFile(seen, 'utf8')).trimEnd().split('\n')
    expect(byKey(lines)).toEqual(byKey(sent.map((line) => `${line}:${line[0]}`)))
  })

  test('reads several streams in one pipeline', async () => {
    const streams = [await KinesisStream.create(client, 1), await KinesisStream.create(client, 2)]
    const sent: string[][] = []
    for (const stream of streams) sent.push([...(await stream.put(linesOf(20)))])
    const sinks = streams.map(() => new CollectingSink<string>())
    const checkpoint = join(folder, 'several')
    const both = pipeline('several', { batchInterval: 50, checkpoint }, (ssc) => {
      streams.forEach((stream, i) => {
        const records = ssc.receive(kinesis(sourceOf(stream, { startAt: 'TRIM_HORIZON' })))
        records.map((record) => record.text()).writeTo(sinks[i] as CollectingSink<string>)
      })
    })
    const run = await start(both, caughtUp)
    await run.done
    expect(sinks.map((sink) => byKey(sink.records()))).toEqual(sent.map(byKey))
    expect(run.metrics()['kinesis.records']).toBe(40)
    expect(run.metrics()['lagMs']).toBeLessThan(60_000)
  })

  test('a missing stream is named at start', WITHIN, async () => {
    const failed = start(reader({ name: 'nowhere' }, new CollectingSink(), false), quiet)
    await expect(failed).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' })
    await expect(failed).rejects.toThrow(/"nowhere".*check the name of the stream/)
  })
})

describe('kinesis() where nothing answers', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-kinesis-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))
  afterEach(() => vi.unstubAllEnvs())

  test('an endpoint that does not answer is named at start', WITHIN, async () => {
    const options = { endpoint: 'http://127.0.0.1:9' }
    const failed = start(reader({ name: 's' }, new CollectingSink(), false, options), quiet)
    await expect(failed).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' })
    await expect(failed).rejects.toThrow(/127\.0\.0\.1:9.*check that the endpoint/)
  })

  test('an endpoint without an address is named at start', WITHIN, async () => {
    const options = { endpoint: 'http://nowhere.invalid' }
    const failed = start(reader({ name: 's' }, new CollectingSink(), false, options), quiet)
    await expect(failed).rejects.toThrow(/nowhere\.invalid.*check that the endpoint/)
  })

  test('missing credentials are named at start', WITHIN, async () => {
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE', 'HOME']) {
      vi.stubEnv(name, undefined)
    }
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder, 'none'))
    vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'none'))
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
    const source = kinesis({ stream: 's', region: 'us-east-1', endpoint: 'http://127.0.0.1:9' })
    const p = pipeline('p', { batchInterval: 50, checkpoint: false }, (ssc) =>
      ssc.receive(source).print(),
    )
    const failed = start(p, quiet)
    await expect(failed).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' })
    await expect(failed).rejects.toThrow(/credentials.*AWS_ACCESS_KEY_ID/)
  })
})

/** Refuses the first batch that has records, and says which it was. */
class FailingSink implements Sink<string> {
  /** As the sink that takes its place: a planned batch goes to the output it was planned for. */
  readonly name = 'collecting'
  readonly guarantee = 'exactly-once'
  planned = 0

  open() {
    return Promise.resolve({
      recover: () => Promise.resolve(),
      write: ({ batchId }: { batchId: number }, partitions: readonly (readonly string[])[]) => {
        if (partitions.flat(1).length === 0) return Promise.resolve({ records: 0, bytes: 0 })
        this.planned = batchId
        return Promise.reject(new Error('the disk is full'))
      },
      close: () => Promise.resolve(),
    })
  }
}

function reader(
  { name: stream }: { readonly name: string },
  sink: Sink<string>,
  checkpoint: string | false,
  options: Partial<KinesisOptions> = {},
) {
  return pipeline(`read-${stream}`, { batchInterval: 50, checkpoint }, (ssc) => {
    ssc
      .receive(kinesis(sourceOf({ name: stream }, { startAt: 'TRIM_HORIZON', ...options })))
      .map((record) => record.text())
      .writeTo(sink)
  })
}

function sourceOf(
  { name: stream }: { readonly name: string },
  options: Partial<KinesisOptions>,
): KinesisOptions {
  const endpoint = server?.endpoint
  const where = endpoint === undefined ? {} : { endpoint }
  return { stream, ...where, credentials, region: 'us-east-1', ...options }
}

async function runOnce(
  stream: KinesisStream,
  sink: CollectingSink<string>,
  checkpoint: string | false,
): Promise<void> {
  await (await start(reader(stream, sink, checkpoint), caughtUp)).done
}

/** Resolves with the first batch that had records. */
function firstRecords(run: Run): Promise<void> {
  return new Promise((resolve) => {
    run.on('batch-completed', ({ records }) => {
      if (records > 0) resolve()
    })
  })
}
