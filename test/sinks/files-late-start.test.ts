// Starts of the files sink that come late: their driver slept between its claim and its sinks.

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline, type StreamingError, start } from 'millrace'
import { files } from 'millrace/sinks'
import { MemoryStore, quietLogger } from 'millrace/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isTaskSink, type SinkCommitter } from '../../src/sinks/sink.ts'
import { PushSource } from '../scheduler/push-source.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-late-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function open(epoch: number): Promise<SinkCommitter> {
  const context = { pipeline: 'p', outputId: 0, epoch, logger: quietLogger, retried: () => {} }
  return (await files(folder).open(context)) as SinkCommitter
}

test('a late start of an earlier epoch leaves the attempts of a later one alone', async () => {
  const later = await open(2)
  const batch = { pipeline: 'p', batchId: 1, time: 1_000, epoch: 2, attempt: 0 }
  const ticket = await later.prepare(batch)
  const late = await open(1)
  const sink = files(folder)
  if (!isTaskSink(sink)) throw new Error('The files sink must be written by tasks')
  const writer = await sink.openTask({ pipeline: 'p', outputId: 0, epoch: 2 })
  const receipt = await writer.write({ ...batch, partition: 0, ticket }, ['a'])
  await later.commit(batch, [{ ...receipt, partition: 0 }])
  await late.close()
  await later.close()
  expect(readdirSync(folder)).toEqual(['batch-000000000001'])
})

test('a sink that cannot close does not keep the checkpoint', async () => {
  const checkpoint = new MemoryStore()
  const describe = (inWay: boolean) =>
    pipeline('p', { batchInterval: 10, checkpoint }, (ssc) => {
      const refusing = {
        name: 'refusing',
        guarantee: 'at-least-once' as const,
        open: async () => ({
          recover: () => Promise.resolve(),
          write: () => Promise.resolve({ records: 0, bytes: 0 }),
          close: () => (inWay ? Promise.reject(new Error('in the way')) : Promise.resolve()),
        }),
      }
      ssc.receive(new PushSource()).writeTo(refusing)
    })
  const options = { logger: quietLogger, takeover: 'refuse' } as const
  const run = await start(describe(true), options)
  await expect(run.stop()).rejects.toThrow('in the way')
  await (await start(describe(false), options)).stop()
})

test('a folder of attempts that cannot be removed is told with a code', async () => {
  const writer = await open(3)
  rmSync(folder, { recursive: true })
  writeFileSync(folder, '')
  const refused = writer.close().then(
    () => undefined,
    (error: StreamingError) => error.code,
  )
  expect(await refused).toBe('SINK_FAILED')
})
