// A folder of `files` that holds batches of another checkpoint: they must not stand in for new
// ones.

import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline, start } from 'millrace'
import { files } from 'millrace/sinks'
import { textFiles } from 'millrace/sources'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SinkLife } from '../../src/testing/sink-life.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-foreign-'))
  await mkdir(join(folder, 'in'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const FIRST = 'batch-000000000001'

/** Writes the lines that are new since the checkpoint. */
async function run(checkpoint: string | false, name = 'lines'): Promise<void> {
  const overrides = { checkpoint: checkpoint && join(folder, checkpoint) }
  const lines = pipeline(name, { batchInterval: 10, checkpoint: false }, (ssc) => {
    ssc
      .receive(textFiles(join(folder, 'in'), { newFilesOnly: false, existingAgeMax: '1h' }))
      .writeTo(files(join(folder, 'out')))
  })
  const running = await start(lines, { overrides, until: 'caught-up' })
  await running.done
}

/** A file appears in the folder. */
async function appear(line: string): Promise<void> {
  await writeFile(join(folder, line), `${line}\n`)
  await rename(join(folder, line), join(folder, 'in', line))
}

async function written(): Promise<string[]> {
  const parts = await readdir(join(folder, 'out'), { recursive: true })
  const texts = parts
    .filter((part) => part.startsWith('batch-') && part.endsWith('.jsonl'))
    .sort()
    .map((part) => readFile(join(folder, 'out', part), 'utf8'))
  return (await Promise.all(texts)).flatMap((text) => text.trim().split('\n'))
}

describe('batches that the checkpoint does not know of refuse the start, and stay', () => {
  beforeEach(async () => {
    await appear('a')
    await run('first')
    expect(await written()).toEqual(['"a"'])
    await appear('b')
  })
  afterEach(async () => expect((await written())[0]).toBe('"a"'))

  test('where the checkpoint is fresh, each time that it is tried', async () => {
    for (let time = 0; time < 2; time++) {
      const started = run('second')
      await expect(started).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
      await expect(started).rejects.toThrow(/it holds batch \d+, and this start counts .* from 1/)
      await expect(started).rejects.toThrow('write to a new folder, move the batches after 0 away')
    }
    expect(await written()).toEqual(['"a"'])
  })

  test('where there is none', async () => {
    await expect(run(false)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })

  test('where the pipeline is another', async () => {
    await expect(run('second', 'others')).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })

  test('where the checkpoint is a copy from before', async () => {
    await cp(join(folder, 'first'), join(folder, 'copy'), { recursive: true })
    await run('first')
    expect(await written()).toEqual(['"a"', '"b"'])
    await expect(run('copy')).rejects.toThrow(/the checkpoint ends with batch \d+/)
  })

  test('and not where it is the same', async () => {
    await run('first')
    expect(await written()).toEqual(['"a"', '"b"'])
  })
})

describe('a directory with the id of a new batch', () => {
  test('is moved away, and nothing is lost', async () => {
    await appear('a')
    await run('first')
    await appear('b')
    await rename(join(folder, 'out'), join(folder, 'before'))
    await run('second')
    expect(await written()).toEqual(['"a"', '"b"'])
  })

  test('fails the batch if it appears after the start, and the next start redoes it', async () => {
    const out = join(folder, 'out')
    const life = await SinkLife.open(() => files(out), 1, [])
    await mkdir(join(out, FIRST))
    await writeFile(
      join(out, FIRST, '_manifest.json'),
      JSON.stringify({ pipeline: 'checked', batchId: 1, time: 7 }),
    )
    const batch = { batchId: 1, partitions: [['a']] }
    const writing = life.write(batch)
    await expect(writing).rejects.toMatchObject({ code: 'SINK_FAILED' })
    await expect(writing).rejects.toThrow(/holds batch 1 .*: move it away/)
    expect(await written()).toEqual([])
    await rename(join(out, FIRST), join(folder, 'before'))
    const next = await SinkLife.open(() => files(out), 2, [1])
    await next.write(batch)
    await next.close()
    expect(await written()).toEqual(['"a"'])
  })
})
