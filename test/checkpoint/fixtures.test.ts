// Checkpoints that earlier versions wrote lie in test/fixtures/checkpoints/<format>/. They stay
// readable, or are refused by name. FIXTURE=1 writes the one of this format anew.

import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ManualClock, MemoryStore } from 'millrace/testing'
import { expect, test } from 'vitest'
import { FORMAT } from '../../src/checkpoint/format.ts'
import { INTERVAL_MS } from '../state/kept-pipeline.ts'
import { type Life, Lives } from '../state/lives.ts'
import { openLog, Processes } from './logs.ts'

const FIXTURES = fileURLToPath(new URL('../fixtures/checkpoints/', import.meta.url))
const BATCHES = 5
const SCRIPT = Array.from({ length: BATCHES + 2 }, (_, i) => [
  `a ${i}`,
  `b ${i % 3}`,
  `only-${i} 1`,
])

const life: Life = {
  workers: 0,
  batches: BATCHES,
  diesAt: null,
  snapshotEvery: 2,
  snapshotBytesPerSecond: 1e9,
}

async function fixture(format: number): Promise<MemoryStore> {
  const store = new MemoryStore()
  const dir = join(FIXTURES, String(format))
  for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
    if (!statSync(join(dir, name)).isFile()) continue
    await store.createIfAbsent(name, readFileSync(join(dir, name)))
  }
  return store
}

async function writeFixture(): Promise<void> {
  const lives = new Lives(SCRIPT)
  await lives.live({ ...life, owner: new Processes().start() })
  for (const name of await lives.store.list('')) {
    const path = join(FIXTURES, String(FORMAT), name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, (await lives.store.read(name)) ?? '')
  }
}

if (process.env['FIXTURE'] === '1') await writeFixture()

test.each([0, 3])('a checkpoint of format 2 goes on with %i workers', async (workers) => {
  const resumed = new Lives(SCRIPT, new ManualClock(BATCHES * INTERVAL_MS), await fixture(2))
  await resumed.live({ ...life, workers, batches: 2 })
  const whole = new Lives(SCRIPT)
  await whole.live({ ...life, batches: BATCHES + 2 })
  expect(resumed.last).toBe(BATCHES + 2)
  for (const output of ['states', 'totals', 'added', 'stacked', 'lines', 'joined', 'kept']) {
    expect(resumed.newest(output)).toEqual(whole.newest(output))
  }
})

test('a checkpoint of format 1 is refused, and the message says what to do', async () => {
  const opening = openLog(await fixture(1))
  await expect(opening).rejects.toMatchObject({ code: 'CHECKPOINT_INCOMPATIBLE' })
  await expect(opening).rejects.toThrow(
    'its format must be 2, got 1, of a version before 0.1.0; use a new folder to start from',
  )
})
