// start(url): the module exports the pipeline; graceful stop, the signal, and exactly-once files.

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Run, start } from 'millrace'
import { ManualClock, quietLogger } from 'millrace/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { WriterArgs } from './fixtures/writer.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-url-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function startWriter(file: string, clock: ManualClock, position: { batchId: number }) {
  const args: WriterArgs = { folder: join(folder, 'out'), position }
  const overrides = { checkpoint: join(folder, 'state') }
  const options = { args, overrides, clock, logger: quietLogger, workers: 0 }
  return start<WriterArgs>(new URL(`./fixtures/${file}`, import.meta.url), options)
}

async function runBatch(run: Run, clock: ManualClock, position: { batchId: number }) {
  const completed = new Promise((resolve) => run.on('batch-completed', resolve))
  clock.advance(20)
  await completed
  position.batchId += 1
}

test.each(['writer.ts', 'writer.js'])('start runs the pipeline that %s exports', async (file) => {
  const clock = new ManualClock()
  const position = { batchId: 1 }
  const run = await startWriter(file, clock, position)
  await runBatch(run, clock, position)
  await runBatch(run, clock, position)
  await run.stop()
  const batches = (await readdir(join(folder, 'out'))).sort()
  expect(batches).toEqual([1, 2, 3].map((id) => `batch-${String(id).padStart(12, '0')}`))
  const manifest = JSON.parse(
    await readFile(join(folder, 'out', batches[1] ?? '', '_manifest.json'), 'utf8'),
  ) as Record<string, unknown>
  expect(manifest).toMatchObject({ pipeline: 'writer', batchId: 2, time: 40, records: 3 })
})

test('a signal stops the run gracefully', async () => {
  const stopping = new AbortController()
  const clock = new ManualClock()
  const args: WriterArgs = { folder: join(folder, 'out'), position: { batchId: 1 } }
  const overrides = { checkpoint: join(folder, 'state') }
  const url = new URL('./fixtures/writer.ts', import.meta.url)
  const { signal } = stopping
  const run = await start(url, { args, overrides, clock, logger: quietLogger, signal })
  stopping.abort()
  await run.done
  expect(run.metrics()).toMatchObject({ totalCompletedBatches: 1, lastBatchId: 1 })
})

test('missed batch times run up to the bound, and the rest is skipped', async () => {
  const clock = new ManualClock()
  const position = { batchId: 1 }
  const first = await startWriter('writer.ts', clock, position)
  await runBatch(first, clock, position)
  await first.stop()
  clock.advance(20 * 50)
  const args: WriterArgs = { folder: join(folder, 'out'), position: { batchId: 1_000_000 } }
  const overrides = { checkpoint: join(folder, 'state'), catchUpBatchesMax: 5 }
  const url = new URL('./fixtures/writer.ts', import.meta.url)
  const second = await start(url, { args, overrides, clock, logger: quietLogger })
  const seen: unknown[] = []
  const skipped = new Promise((resolve) => second.on('batches-skipped', resolve))
  second.on('batch-completed', ({ batchId }) => seen.push(batchId))
  expect(await skipped).toMatchObject({ from: 3, to: 46 })
  await second.stop()
  expect(seen[0]).toBe(47)
})
