// saveAsTextFiles and saveAsJsonFiles: Spark's names, each batch once, wherever the process dies.

import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DStream } from 'millrace'
import { type Death, runBatches } from 'millrace/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-saved-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const inputs = [[['to', 'be'], [], ['or'], ['not', 'to', 'be']]]

function save(declare: (words: DStream<string>) => void, restartAfter: Death[] = []) {
  const options = { inputs, batches: 4, partitions: 2, restartAfter }
  return runBatches(options, (_ssc, words: DStream<string>) => {
    declare(words)
    return words
  })
}

/** Every file below the folder, with its text; manifests as what they count. */
async function written(): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    found[path.slice(folder.length + 1)] = await readFile(path, 'utf8')
  }
  return found
}

const withoutManifests = (files: Record<string, string>) =>
  Object.fromEntries(Object.entries(files).filter(([path]) => !path.endsWith('_manifest.json')))

const saved = {
  'words-1000/part-00000': 'to\n',
  'words-1000/part-00001': 'be\n',
  'words-3000/part-00001': 'or\n',
  'words-4000/part-00000': 'not\n',
  'words-4000/part-00001': 'to\nbe\n',
}

describe('a folder for each batch with records, prefix-TIME', () => {
  test('as text', async () => {
    await save((words) => words.saveAsTextFiles(join(folder, 'words')))
    expect(withoutManifests(await written())).toEqual(saved)
  })

  test('as JSON, with a suffix', async () => {
    await save((words) =>
      words.map((word) => ({ word })).saveAsJsonFiles(join(folder, 'w'), 'json'),
    )
    const files = await written()
    expect(files['w-3000.json/part-00001.jsonl']).toBe('{"word":"or"}\n')
    expect(JSON.parse(files['w-4000.json/_manifest.json'] ?? '')).toMatchObject({
      pipeline: 'runBatches',
      batchId: 4,
      time: 4_000,
      records: 3,
    })
  })

  test('several outputs share a folder', async () => {
    await save((words) => {
      words.saveAsTextFiles(join(folder, 'words'))
      words.count().saveAsTextFiles(join(folder, 'words'), 'count')
      words.saveAsTextFiles(join(folder, 'words-e1'))
    })
    const files = withoutManifests(await written())
    expect(files).toMatchObject(saved)
    expect(files['words-2000.count/part-00000']).toBe('0\n')
    expect(files['words-e1-3000/part-00001']).toBe('or\n')
  })

  const points = ['planned', 'ran', 'sinks', 'committed'] as const
  test.each(points)('each batch is there once after deaths at "%s"', async (at) => {
    const deaths = [1, 2, 3, 4].map((batch) => ({ batch, at }))
    await save((words) => words.saveAsTextFiles(join(folder, 'words')), deaths)
    expect(withoutManifests(await written())).toEqual(saved)
  })
})

describe('what is there already', () => {
  test('a batch that was written before its commit is kept as it is', async () => {
    let lives = 0
    await save(
      (words) => {
        lives += 1
        words.map((word) => `${word} ${lives}`).saveAsTextFiles(join(folder, 'words'))
      },
      [{ batch: 3, at: 'sinks' }],
    )
    const files = await written()
    expect(files['words-3000/part-00001']).toBe('or 1\n')
    expect(files['words-4000/part-00000']).toBe('not 2\n')
  })

  test('what an attempt of a process that died left is removed', async () => {
    await mkdir(join(folder, '_attempt-words-TIME-e0', 'words-9000'), { recursive: true })
    await mkdir(join(folder, '_attempt-words-TIME.txt-e0'))
    await save((words) => words.saveAsTextFiles(join(folder, 'words')), [1, 2, 3])
    expect(await readdir(folder)).toEqual([
      '_attempt-words-TIME.txt-e0',
      'words-1000',
      'words-3000',
      'words-4000',
    ])
  })

  test.each([
    ['something without a manifest', undefined, /holds something without a manifest/],
    [
      'a batch of another pipeline',
      { pipeline: 'other', batchId: 1, time: 1_000 },
      /holds batch 1 of pipeline "other"/,
    ],
    [
      'another batch of this pipeline',
      { pipeline: 'runBatches', batchId: 7, time: 1_000 },
      /holds batch 7 of pipeline "runBatches"/,
    ],
  ])('%s is neither overwritten nor taken for the batch', async (_name, manifest, message) => {
    await mkdir(join(folder, 'words-1000'))
    await writeFile(join(folder, 'words-1000', 'part-00000'), 'theirs\n')
    if (manifest !== undefined) {
      await writeFile(join(folder, 'words-1000', '_manifest.json'), JSON.stringify(manifest))
    }
    const run = save((words) => words.saveAsTextFiles(join(folder, 'words')))
    await expect(run).rejects.toMatchObject({ code: 'SINK_FAILED' })
    await expect(run).rejects.toThrow(message)
    expect((await written())['words-1000/part-00000']).toBe('theirs\n')
  })

  test('a folder that cannot be made fails the start', async () => {
    await writeFile(join(folder, 'file'), '')
    const run = save((words) => words.saveAsTextFiles(join(folder, 'file', 'words')))
    await expect(run).rejects.toThrow(/Cannot write to folder/)
  })
})

describe('a record as a line', () => {
  const records = [
    'as it is',
    5,
    7n,
    true,
    null,
    ['a', 1],
    { n: 7n },
    new Map([['a', 1]]),
    new Set([1]),
    undefined,
  ]
  const declare = (how: (all: DStream<unknown>) => void) =>
    runBatches({ inputs: [[records]], batches: 1, partitions: 1 }, (_ssc, all) => {
      how(all)
      return all
    })

  test('of text', async () => {
    await declare((all) => all.saveAsTextFiles(join(folder, 'all')))
    expect((await written())['all-1000/part-00000']?.split('\n')).toEqual([
      'as it is',
      '5',
      '7',
      'true',
      'null',
      '["a",1]',
      '{"n":"7"}',
      '[["a",1]]',
      '[1]',
      'undefined',
      '',
    ])
  })

  test('of JSON', async () => {
    await declare((all) => all.saveAsJsonFiles(join(folder, 'all')))
    expect((await written())['all-1000/part-00000.jsonl']?.split('\n')).toEqual([
      '"as it is"',
      '5',
      '"7"',
      'true',
      'null',
      '["a",1]',
      '{"n":"7"}',
      '[["a",1]]',
      '[1]',
      'null',
      '',
    ])
  })
})
