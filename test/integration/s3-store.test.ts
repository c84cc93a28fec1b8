// A checkpoint in the bucket of a real server.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { pipeline, start } from 'millrace'
import { S3Store, type S3StoreOptions } from 'millrace/checkpoint'
import { textFiles } from 'millrace/sources'
import { CollectingSink, quietLogger } from 'millrace/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  committedIds,
  openLog,
  planOf,
  redoIds,
  runBatches,
  writeSnapshot,
} from '../checkpoint/logs.ts'
import { testStoreContract } from '../checkpoint/store-contract.ts'
import { credentials } from './credentials.ts'
import type { RunningServer } from './server-process.ts'
import { installedS3Servers } from './servers.ts'

let server: RunningServer
let bucket = ''
let prefixes = 0

/** Options of a place that nobody has used. */
function place(): S3StoreOptions {
  prefixes += 1
  const { endpoint } = server
  return { bucket, prefix: `tests/${prefixes}`, region: 'us-east-1', endpoint, credentials }
}

describe.each(installedS3Servers())('S3Store on $name', { timeout: 30_000 }, (kind) => {
  beforeAll(async () => {
    server = await kind.start()
    bucket = 'checkpoints-of-tests'
    const { endpoint } = server
    const region = 'us-east-1'
    const client = new S3Client({ region, endpoint, credentials, forcePathStyle: true })
    await client.send(new CreateBucketCommand({ Bucket: bucket }))
    client.destroy()
  })
  afterAll(() => server?.close())

  const two = (): { store: S3Store; other: S3Store } => {
    const options = place()
    return { store: new S3Store(options), other: new S3Store(options) }
  }
  testStoreContract(`S3Store on ${kind.name}`, two, false)

  test('lets one of 20 racers win a slot', async () => {
    const options = place()
    const stores = Array.from({ length: 20 }, () => new S3Store(options))
    for (const store of stores) await store.open()
    for (const slot of ['slots/0000000001.log', 'slots/0000000002.log']) {
      const races = stores.map((store, n) => store.createIfAbsent(slot, Buffer.from(`racer ${n}`)))
      const won = await Promise.all(races)
      expect(won.filter(Boolean)).toHaveLength(1)
      const kept = Buffer.from((await stores[0]?.read(slot)) ?? [])
      expect(String(kept)).toBe(`racer ${won.indexOf(true)}`)
    }
    for (const store of stores) await store.close()
  })

  test('keeps a log through takeovers, and deletes what was forgotten', async () => {
    const options = place()
    const first = await openLog(new S3Store(options))
    await runBatches(first.log, 1, 3)
    await writeSnapshot(first.log, Buffer.from('state 3'))
    await first.log.plan(planOf(4))
    await first.log.sync()
    const second = await openLog(new S3Store(options))
    expect(redoIds(second.recovered)).toEqual([4])
    await expect(first.log.sync()).rejects.toMatchObject({ code: 'FENCED' })
    await runBatches(second.log, 4, 6)
    await writeSnapshot(second.log, Buffer.from('state 6'))
    await runBatches(second.log, 7, 7)
    await second.log.close()
    const store = new S3Store(options)
    const { log, recovered } = await openLog(store, { takeover: 'refuse' })
    expect(recovered).toMatchObject({ lastBatchId: 7, epoch: 3, cutBytes: 0, warnings: [] })
    expect(recovered.snapshot?.batchId).toBe(6)
    expect(committedIds(recovered)).toEqual([7])
    expect(await store.exists('slots/0000000001.log')).toBe(false)
    await log.close()
  })

  test('refuses a bucket that is not there, and says so', async () => {
    const opening = new S3Store({ ...place(), bucket: 'there-is-none' }).open()
    await expect(opening).rejects.toMatchObject({ code: 'CHECKPOINT_UNWRITABLE' })
    await expect(opening).rejects.toThrow('bucket')
  })

  test('holds the state of a pipeline from one run to the next', async () => {
    const options = place()
    const folder = await mkdtemp(join(tmpdir(), 'millrace-s3-'))
    const total = async (file: string, numbers: string): Promise<unknown> => {
      await writeFile(join(folder, file), numbers)
      const sink = new CollectingSink<unknown>()
      const checkpoint = new S3Store(options)
      const described = pipeline('totals', { batchInterval: 10, checkpoint }, (ssc) => {
        ssc
          .receive(textFiles(folder, { newFilesOnly: false, existingAgeMax: '1h' }))
          .map((line): [string, number] => ['all', Number(line)])
          .updateStateByKey((ns: number[], sum?: number) => ns.reduce((a, b) => a + b, sum ?? 0))
          .writeTo(sink)
      })
      await (await start(described, { until: 'caught-up', logger: quietLogger })).done
      return sink.records().at(-1)
    }
    expect(await total('a', '1\n2\n')).toEqual(['all', 3])
    expect(await total('b', '4\n')).toEqual(['all', 7])
    await rm(folder, { recursive: true })
  })
})
