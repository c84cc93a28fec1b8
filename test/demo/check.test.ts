import { appendFile, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { check, passed } from '../../demo/check.ts'
import type { DemoFolder } from '../../demo/demo-folder.ts'
import { batchPath } from '../../demo/output-files.ts'
import { verdictLines } from '../../demo/verdict.ts'
import {
  fillFolder,
  makeFolder,
  removeFolder,
  rewriteBatch,
  writeBatch,
  writeRecord,
  ZERO_TIME,
} from './made-folder.ts'

/** Batches 2 and 4 get nothing, and in batch 31 the window of 30 s lets go of batch 1. */
const TEXTS = {
  1: 'we the people of the union',
  3: 'the state of the union',
  5: 'my fellow citizens',
  31: 'the union',
  34: 'citizens',
}
const WORDS = 17

let folder: DemoFolder

beforeEach(async () => {
  folder = await makeFolder()
  await fillFolder(folder, TEXTS)
})

afterEach(() => removeFolder(folder))

const problemsOf = async () => {
  const { files, totalsDiffer, windowsDiffer } = await check(folder)
  return { files: files.shown, totals: totalsDiffer.shown, windows: windowsDiffer.shown }
}

describe('check() passes', () => {
  test('where every word was counted as often as it was sent', async () => {
    const report = await check(folder)
    expect(passed(report)).toBe(true)
    expect(report).toMatchObject({ recordsSent: 5, wordsSent: WORDS, wordsCounted: WORDS })
    expect(report).toMatchObject({ distinctWords: 9, batches: 5, windows: 34, pauses: 0 })
    expect(verdictLines(report, []).at(-1)).toContain('exactly once')
  })

  test('where nothing was sent and nothing counted', async () => {
    await removeFolder(folder)
    await writeRecord(folder, [])
    expect(passed(await check(folder))).toBe(true)
  })

  test('where the demo was stopped for so long that its windows were skipped', async () => {
    await writeRecord(folder, [...Object.values(TEXTS), 'again'])
    const time = ZERO_TIME + 2_000_000
    await writeBatch(folder.totals, 2_000, time, [['again', 1]])
    await writeBatch(folder.window, 2_000, time, [['again', 1]])
    const report = await check(folder)
    expect(passed(report)).toBe(true)
    expect(report.pauses).toBe(1)
  })
})

describe('check() fails', () => {
  test('and names the words when the totals of a batch are missing', async () => {
    await rm(batchPath(folder.totals, 5), { recursive: true })
    const { totals, windows } = await problemsOf()
    expect(totals).toContain('word "fellow": sent 1 times, counted 0 times (1 missing)')
    expect(windows[0]).toContain('window of batch 5')
  })

  test('when a batch was counted twice', async () => {
    await rewriteBatch(folder.totals, 34, () => [['citizens', 3]])
    const { totals, windows } = await problemsOf()
    expect(totals).toEqual(['word "citizens": sent 2 times, counted 3 times (1 too many)'])
    expect(windows).toHaveLength(1)
  })

  test('when the same batch stands there again under another id', async () => {
    await writeBatch(folder.totals, 35, ZERO_TIME + 35_000, [['citizens', 2]])
    const { windows } = await problemsOf()
    expect(windows[0]).toBe('totals of batch 35: "citizens" is 2 and was 2 before')
  })

  test('when one window is wrong, and says which word in which batch', async () => {
    await rewriteBatch(folder.window, 4, (counts) =>
      counts.map(([word, count]) => [word, word === 'state' ? count + 1 : count]),
    )
    const { totals, windows } = await problemsOf()
    expect(totals).toEqual([])
    expect(windows).toEqual([
      'window of batch 4 (22:13:24 UTC): "state" is 2, total(t) − total(t − 30 s) is 1',
    ])
  })

  test('when a window keeps a word that fell out of it', async () => {
    await rewriteBatch(folder.window, 31, (counts) => [...counts, ['people', 1]])
    expect((await problemsOf()).windows).toEqual([
      'window of batch 31 (22:13:51 UTC): "people" is 1, total(t) − total(t − 30 s) is 0',
    ])
  })

  test('when a window names a word twice', async () => {
    await rewriteBatch(folder.window, 34, (counts) => [...counts, ...counts.slice(0, 1)])
    expect((await problemsOf()).windows[0]).toContain('a word is there twice')
  })

  test('when a window is missing within the run and at its end', async () => {
    await rm(batchPath(folder.window, 4), { recursive: true })
    await rm(batchPath(folder.window, 34), { recursive: true })
    const { windowsDiffer } = await check(folder)
    expect(windowsDiffer.shown[0]).toContain('the batch at 22:13:24 UTC, which has no output')
    expect(windowsDiffer.count).toBeGreaterThan(6)
  })

  test('when a part has other bytes than its manifest says', async () => {
    await appendFile(join(batchPath(folder.totals, 3), 'part-00001.jsonl'), '["more",1]\n')
    const { files, totals } = await problemsOf()
    expect(files).toHaveLength(1)
    expect(files[0]).toMatch(/part-00001\.jsonl: the crc-32 of its bytes is \d+, the manifest says/)
    expect(totals).not.toContain('more')
  })

  test('when a part is missing, not in the manifest, or the manifest is not readable', async () => {
    await rename(
      join(batchPath(folder.window, 5), 'part-00000.jsonl'),
      join(batchPath(folder.window, 5), 'part-00009.jsonl'),
    )
    await writeFile(join(batchPath(folder.window, 31), '_manifest.json'), '{')
    const { files } = await problemsOf()
    expect(files[0]).toMatch(/part-00000\.jsonl: is missing$/)
    expect(files[1]).toMatch(/part-00009\.jsonl: is not in the manifest$/)
    expect(files[2]).toMatch(/batch-000000000031: .*JSON/)
  })

  test('when a folder has the manifest of another batch', async () => {
    const path = join(batchPath(folder.totals, 1), '_manifest.json')
    const manifest = JSON.parse(await readFile(path, 'utf8'))
    await writeFile(path, JSON.stringify({ ...manifest, batchId: 2, records: 1 }))
    expect((await problemsOf()).files[0]).toContain('its manifest is of 2')
  })

  test('and the verdict says so', async () => {
    await rm(batchPath(folder.totals, 5), { recursive: true })
    const lines = verdictLines(await check(folder), [])
    expect(lines.at(-1)).toContain('NOT EQUAL')
    expect(lines.join('\n')).toContain('    word "my": sent 1 times, counted 0 times (1 missing)')
  })
})
