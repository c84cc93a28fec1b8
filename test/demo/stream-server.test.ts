import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DescribeStreamSummaryCommand } from '@aws-sdk/client-kinesis'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { checkStore, STREAM, StoreHeldError, StreamServer } from '../../demo/stream-server.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-store-'))
})
afterEach(() => rm(folder, { recursive: true }))

test('the stream is made once, and found again by the next server', async () => {
  const made: unknown[] = []
  for (let start = 0; start < 2; start++) {
    const server = await StreamServer.open(folder)
    const client = server.client()
    const answer = await client.send(new DescribeStreamSummaryCommand({ StreamName: STREAM }))
    const summary = answer.StreamDescriptionSummary
    made.push([summary?.OpenShardCount, summary?.RetentionPeriodHours])
    made.push(summary?.StreamCreationTimestamp?.getTime())
    client.destroy()
    await server.close()
  }
  expect(made.slice(0, 2)).toEqual([[4, 168], expect.any(Number)])
  expect(made.slice(2)).toEqual(made.slice(0, 2))
})

test('a store that another demo holds is told from one that is damaged', async () => {
  const server = await StreamServer.open(folder)
  await expect(checkStore(folder)).rejects.toThrow(StoreHeldError)
  await server.close()
  await checkStore(folder)
  await writeFile(join(folder, 'journal'), 'this is not a journal, whatever one makes of it')
  const failed = checkStore(folder).then(
    () => 'opened',
    (error: Error) => error.name,
  )
  expect(await failed).not.toBe('StoreHeldError')
})
