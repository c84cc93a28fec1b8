// What a Kinesis receiver owes the log, against Kinesis-compatible servers: ranges that can be read
// again, and cuts within their limits.

import type { KinesisClient } from '@aws-sdk/client-kinesis'
import { type KinesisRecord, kinesis } from 'millrace/kinesis'
import { quietLogger } from 'millrace/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import type { RangeData, Receiver } from '../../src/receivers/receiver.ts'
import { recordsOf, summaryOf } from '../receivers/opened-source.ts'
import { credentials } from './credentials.ts'
import { KinesisStream, linesOf } from './kinesis-stream.ts'
import type { RunningServer } from './server-process.ts'
import { clientOf, installedServers } from './servers.ts'

const WITHIN = { timeout: 10_000 }

let server: RunningServer
let client: KinesisClient

describe.each(installedServers())('ranges of kinesis() on $name', { timeout: 30_000 }, (kind) => {
  beforeAll(async () => {
    server = await kind.start()
    client = clientOf(server)
  })
  afterAll(async () => {
    client?.destroy()
    await server?.close()
  })

  test('are read again with the same records, count and checksum', async () => {
    const receiver = await openedWith(120)
    const limits = { bytesMax: 3_000, recordsMax: 30 }
    const cuts: (readonly RangeData[])[] = []
    while (receiver.bufferedBytes() > 0) cuts.push(receiver.cut(limits) ?? [])
    expect(cuts.length).toBeGreaterThan(2)
    for (const cut of cuts) {
      const again = await receiver.replay(cut.map(({ range }) => range))
      expect(summaryOf(again)).toEqual(
        cut.map(({ range: { partition, records, crc } }) => ({ partition, records, crc })),
      )
      expect(texts(again)).toEqual(texts(cut))
    }
    expect(cuts.flatMap(texts)).toHaveLength(120)
    await receiver.stop()
  })

  test('hold no more records in all than a cut may take, shared out to the shards', async () => {
    const receiver = await openedWith(120)
    const limits = { bytesMax: 1_000_000, recordsMax: 50 }
    const cuts = [1, 2, 3].map(() => receiver.cut(limits) ?? [])
    expect(cuts.map((cut) => texts(cut).length)).toEqual([50, 50, 20])
    expect(cuts[0]?.length).toBeGreaterThan(1)
    expect(receiver.bufferedBytes()).toBe(0)
    await receiver.stop()
  })
})

/** A receiver that has read all of a stream of four shards with so many lines. */
async function openedWith(lines: number): Promise<Receiver> {
  const stream = await KinesisStream.create(client, 4)
  await stream.put(linesOf(lines))
  const where = { stream: stream.name, endpoint: server.endpoint, credentials }
  const source = kinesis({ ...where, region: 'us-east-1', startAt: 'TRIM_HORIZON' })
  const receiver = source.open({
    pipeline: 'ranges',
    sourceId: 0,
    clock: systemClock,
    logger: quietLogger,
    signal: new AbortController().signal,
    bufferBytesMax: 100_000_000,
    fail: (error) => expect.fail(String(error)),
    reportError: (message, error) => expect.fail(`${message}: ${String(error)}`),
    tell: () => undefined,
    count: () => undefined,
  })
  await receiver.start([])
  receiver.run()
  await expect.poll(() => receiver.caughtUp(), WITHIN).toBe(true)
  return receiver
}

function texts(cut: readonly RangeData[]): string[] {
  return (recordsOf(cut) as KinesisRecord[]).map((record) => record.text())
}
