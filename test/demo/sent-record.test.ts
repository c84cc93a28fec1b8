import { fork } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, readFile, truncate } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { claimFolder, type DemoFolder } from '../../demo/demo-folder.ts'
import { matchRecords, recordsAfter, resolve } from '../../demo/in-doubt.ts'
import { randomFrom } from '../../demo/kill-plan.ts'
import { pause } from '../../demo/pause.ts'
import { Producer } from '../../demo/producer.ts'
import { SentRecord, sentTotals } from '../../demo/sent-record.ts'
import { STREAM, StreamServer } from '../../demo/stream-server.ts'
import { tallyWords } from '../../demo/words.ts'
import { makeFolder, removeFolder } from './made-folder.ts'

const FEEDER = fileURLToPath(new URL('feeder.ts', import.meta.url))
const FEEDER_DEATHS = 6
const FEEDER_MS_MAX = 250

let folder: DemoFolder

beforeEach(async () => {
  folder = await makeFolder()
  await claimFolder(folder)
})

afterEach(() => removeFolder(folder))

const lines = (...texts: string[]) => texts.map((text) => ({ year: '1790', text }))

/** Opens server and record, and closes them again whatever happens. */
async function withStream(use: (client: KinesisClient, sent: SentRecord) => Promise<void>) {
  const server = await StreamServer.open(folder.kinesis)
  const client = server.client()
  const sent = await SentRecord.open(folder.sent)
  try {
    await use(client, sent)
  } finally {
    client.destroy()
    await sent.close()
    await server.close()
  }
}

const put = (client: KinesisClient, ...texts: string[]) =>
  client.send(
    new PutRecordsCommand({
      StreamName: STREAM,
      Records: texts.map((text) => ({ PartitionKey: '1790', Data: Buffer.from(text) })),
    }),
  )

/** Counts the words that the stream holds, from its beginning. */
async function streamCounts(client: KinesisClient): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  for (const { text } of await recordsAfter(client, {})) tallyWords(counts, text)
  return counts
}

describe('SentRecord', () => {
  test('goes on after the last settled put when it is opened again', async () => {
    const first = await SentRecord.open(folder.sent)
    await first.intend(lines('we the people', 'of the union'), [0, 2])
    await first.acknowledge({ failed: [1], last: { shard: '7' } })
    await first.close()
    const again = await SentRecord.open(folder.sent)
    expect(again.inDoubt).toBeUndefined()
    expect(again.settled).toMatchObject({ ack: 1, totalRecords: 1, totalWords: 3 })
    expect(again.unsent).toEqual(lines('of the union'))
    expect(again.next).toEqual([0, 2])
    await again.close()
  })

  test('cuts a torn acknowledgement, and its put is in doubt', async () => {
    const first = await SentRecord.open(folder.sent)
    await first.intend(lines('one'), [0, 1])
    await first.acknowledge({ failed: [], last: { shard: '7' } })
    await first.intend(lines('two'), [0, 2])
    await first.acknowledge({ failed: [], last: { shard: '8' } })
    await first.close()
    const text = await readFile(folder.sent, 'utf8')
    await truncate(folder.sent, text.length - 3)
    const again = await SentRecord.open(folder.sent)
    expect(again.inDoubt?.records).toEqual([['1790', 'two']])
    expect(again.settled).toMatchObject({ ack: 1, last: { shard: '7' }, totalWords: 1 })
    await again.close()
  })

  test('forgets a torn intent: its put was never made', async () => {
    const first = await SentRecord.open(folder.sent)
    await first.intend(lines('one'), [0, 1])
    await first.acknowledge({ failed: [], last: {} })
    await first.close()
    await appendFile(folder.sent, '{"intent":2,"records":[["1790","tw')
    const again = await SentRecord.open(folder.sent)
    expect(again.inDoubt).toBeUndefined()
    expect(again.next).toEqual([0, 1])
    await again.intend(lines('two'), [0, 2])
    await again.acknowledge({ failed: [], last: {} })
    await again.close()
    expect(await sentTotals(folder.sent)).toMatchObject({ records: 2, words: 2 })
  })

  test('refuses a second put while one is in doubt', async () => {
    const sent = await SentRecord.open(folder.sent)
    await sent.intend(lines('one'), [0, 1])
    await expect(sent.intend(lines('two'), [0, 2])).rejects.toThrow('One put at a time')
    await sent.close()
    await expect(sentTotals(folder.sent)).rejects.toThrow('put 1 is in doubt')
  })
})

describe('resolve() settles a put without an answer', () => {
  test.each([
    { arrived: [], unsent: ['b c', 'b c', 'd'] },
    { arrived: ['b c', 'b c', 'd'], unsent: [] },
    { arrived: ['d', 'b c'], unsent: ['b c'] },
  ])('of which arrived: $arrived', async ({ arrived, unsent }) => {
    await withStream(async (client, sent) => {
      await new Producer(client, sent, () => undefined).put(100)
      const before = sent.settled.totalWords
      await sent.intend(lines('b c', 'b c', 'd'), [9, 9])
      if (arrived.length > 0) await put(client, ...arrived)
      expect(await resolve(sent, client)).toBe(arrived.length)
      expect(sent.unsent.map(({ text }) => text)).toEqual(unsent)
      expect(sent.settled.totalWords).toBe(
        before + arrived.join(' ').split(/ +/).filter(Boolean).length,
      )
      await new Producer(client, sent, () => undefined).put(20)
      expect((await sentTotals(folder.sent)).counts).toEqual(await streamCounts(client))
    })
  })

  test('and stops at a record that was not in it', () => {
    const intent = { intent: 4, records: [['1790', 'a']] as const, next: [0, 0] as const }
    const found = { shard: 'shardId-0', sequence: '12', year: '1790', text: 'b' }
    expect(() => matchRecords(intent, [found])).toThrow('Cannot settle put 4: shard "shardId-0"')
  })

  test('after the process died at any moment, again and again', async () => {
    const random = randomFrom(7)
    for (let death = 0; death < FEEDER_DEATHS; death++) {
      const feeder = fork(FEEDER, [folder.root], { execArgv: ['--conditions=millrace-src'] })
      const dead = once(feeder, 'exit')
      await Promise.race([once(feeder, 'message'), dead])
      await pause(random() * FEEDER_MS_MAX)
      feeder.kill('SIGKILL')
      await dead
    }
    await withStream(async (client, sent) => {
      await resolve(sent, client)
      const totals = await sentTotals(folder.sent)
      expect(totals.words).toBe(sent.settled.totalWords)
      expect(totals.words).toBeGreaterThan(0)
      expect(totals.counts).toEqual(await streamCounts(client))
    })
  }, 60_000)
})
