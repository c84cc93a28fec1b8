// A batch whose closure throws on one record leaves nothing behind: the next start runs that batch
// again, with the same records, on the state from before it.

import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline, type Run, start, TaskError } from 'millrace'
import { files } from 'millrace/sinks'
import { ManualClock, quietLogger, scriptedSource } from 'millrace/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-nothing-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const script = [
  ['a', 'b'],
  ['a', 'bad', 'b'],
  ['a', 'b'],
]

/** Counts words into files, and throws at the word "bad" while `broken`. */
function counting(position: { batchId: number }, broken: () => boolean) {
  const checkpoint = join(folder, 'state')
  return pipeline('counting', { batchInterval: 1_000, checkpoint }, (ssc) => {
    ssc
      .receive(scriptedSource('script', script, 1, position))
      .map((word): [string, number] => {
        if (word === 'bad' && broken()) throw new Error('cannot parse "bad"')
        return [String(word), 1]
      })
      .updateStateByKey((ones: number[], n: number | undefined) => (n ?? 0) + ones.length, {
        partitions: 1,
      })
      .writeTo(files(join(folder, 'out')))
  })
}

/** Runs batch `position.batchId`, and gives the error that ended the run. */
async function oneBatch(run: Run, clock: ManualClock): Promise<unknown> {
  const ended = run.done.catch((error: unknown) => error)
  const completed = new Promise((resolve) => run.on('batch-completed', () => resolve(undefined)))
  clock.advance(1_000)
  return Promise.race([completed, ended])
}

async function written(): Promise<string[]> {
  const names = (await readdir(join(folder, 'out'))).filter((name) => name.startsWith('batch-'))
  const texts = names.sort().map((name) => {
    return readFile(join(folder, 'out', name, 'part-00000.jsonl'), 'utf8')
  })
  return (await Promise.all(texts)).map((text) => text.trim().replaceAll('\n', ' '))
}

test('a restart sees nothing of a batch that failed', async () => {
  const clock = new ManualClock()
  const position = { batchId: 1 }
  let broken = true
  let retries = 0
  const options = { clock, logger: quietLogger }
  const first = await start(
    counting(position, () => broken),
    options,
  )
  first.on('task-retried', () => {
    retries += 1
  })
  expect(await oneBatch(first, clock)).toBeUndefined()
  position.batchId = 2
  const error = await oneBatch(first, clock)
  expect(error).toBeInstanceOf(TaskError)
  expect((error as TaskError).place).toMatchObject({ time: 2_000, partition: 0, record: 1 })
  expect(retries).toBe(3)
  expect(await written()).toEqual(['["a",1] ["b",1]'])

  const again = start(
    counting(position, () => broken),
    options,
  )
  await expect(again).rejects.toMatchObject({ code: 'TASK_FAILED' })
  expect(await written()).toEqual(['["a",1] ["b",1]'])

  broken = false
  const mended = await start(
    counting(position, () => broken),
    options,
  )
  position.batchId = 3
  expect(await oneBatch(mended, clock)).toBeUndefined()
  await mended.stop({ graceful: false })
  expect(await written()).toEqual([
    '["a",1] ["b",1]',
    '["a",2] ["b",2] ["bad",1]',
    '["a",3] ["b",3] ["bad",1]',
  ])
})

test('a folder of files that is a file is told at start, before anything runs', async () => {
  await mkdir(join(folder, 'state'))
  await writeFile(join(folder, 'out'), '')
  const failed = start(
    counting({ batchId: 1 }, () => false),
    {
      clock: new ManualClock(),
      logger: quietLogger,
    },
  )
  await expect(failed).rejects.toThrow(/Cannot write to folder .*check that it exists/)
  expect(await readFile(join(folder, 'out'), 'utf8')).toBe('')
})
