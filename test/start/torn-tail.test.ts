// A log whose last bytes are gone: the start says what it cut, and the result is the same.

import { mkdtemp, readdir, readFile, rm, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EventOf, type Logger, pipeline, start } from 'millrace'
import { CollectingSink, ManualClock, quietLogger, scriptedSource } from 'millrace/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-torn-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const CUT_BYTES = 10

test('a log with its last 10 bytes cut resumes, says so, and counts the same', async () => {
  const sink = new CollectingSink<[string, number]>()
  const position = { batchId: 1 }
  const script = [['a'], ['a', 'b'], ['a'], ['b'], ['a']]
  const counting = pipeline('torn', { batchInterval: 1_000, checkpoint: folder }, (ssc) => {
    ssc
      .receive(scriptedSource('script', script, 1, position))
      .map((word) => [String(word), 1] as const)
      .updateStateByKey((ones: number[], n: number | undefined) => (n ?? 0) + ones.length, {
        partitions: 1,
      })
      .writeTo(sink)
  })
  const clock = new ManualClock()
  const runTo = async (logger: Logger, lastBatchId: number) => {
    const run = await start(counting, { clock, logger, takeover: 'force' })
    while (position.batchId <= lastBatchId) {
      const completed = new Promise<EventOf<'batch-completed'>>((resolve) =>
        run.on('batch-completed', resolve),
      )
      clock.advance(1_000)
      position.batchId = (await completed).batchId + 1
    }
    await run.stop({ graceful: false })
  }
  await runTo(quietLogger, 3)
  await cutClose(join(folder, 'slots'))
  const warnings: string[] = []
  const logger = { ...quietLogger, warn: (_fields: object, text: string) => warnings.push(text) }
  position.batchId = 4
  await runTo(logger, 5)
  expect(warnings.join()).toMatch(/cut/i)
  expect(sink.batches.get(5)).toEqual([
    [
      ['a', 4],
      ['b', 2],
    ],
  ])
})

/** Cuts bytes from the end of the newest slot. */
async function cutClose(slots: string): Promise<void> {
  const newest = (await readdir(slots)).sort().at(-1) ?? ''
  const path = join(slots, newest)
  await truncate(path, (await readFile(path)).length - CUT_BYTES)
}
