// Which files are read, and that each is read once.

import {
  appendFile,
  mkdir,
  mkdtemp,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SourceRange } from 'millrace'
import { type TextFilesOptions, textFiles } from 'millrace/sources'
import { ManualClock } from 'millrace/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { OpenedSource, recordsOf, summaryOf } from './opened-source.ts'
import { put } from './written-files.ts'

const START = 1_000_000
let folder: string
let clock: ManualClock

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-files-'))
  clock = new ManualClock(START)
})
afterEach(async () => {
  await OpenedSource.stopAll()
  await rm(folder, { recursive: true, force: true })
})

const open = (options?: TextFilesOptions, path = folder) =>
  OpenedSource.start(textFiles(path, options), { clock })

/** Puts a file that was modified now. */
const putNow = (name: string, content: string | Uint8Array) =>
  put(folder, name, content, clock.wallMs())

describe('files', () => {
  test('are read once each, in the order of their modification', async () => {
    const source = await open()
    await put(folder, 'b', 'first\n', START + 1)
    await put(folder, 'a', 'second\n', START + 2)
    await put(folder, 'c', 'second too\n', START + 2)
    clock.advance(10)
    expect(await source.records()).toEqual(['first', 'second', 'second too'])
    expect(await source.records()).toEqual([])
    await putNow('d', 'third')
    expect(await source.records()).toEqual(['third'])
  })

  test('that are there at the first start are old, and those after it are new', async () => {
    await put(folder, 'old', 'old', START - 1)
    await put(folder, 'at the start', 'old', START)
    const source = await open()
    await put(folder, 'late', 'renamed into the folder after the start', START - 1)
    expect(await source.records()).toEqual(['renamed into the folder after the start'])
  })

  test('that are there at the first start are read with newFilesOnly: false', async () => {
    await put(folder, 'older than remembered', 'no', START - 60_000)
    await put(folder, 'recent', 'yes', START - 59_999)
    const source = await open({ newFilesOnly: false })
    expect(await source.records()).toEqual(['yes'])
  })

  test('of any age are read where existingAgeMax says so, and cost no memory', async () => {
    for (let i = 1; i <= 5; i++) await put(folder, `${i}`, `${i}`, i * 1_000)
    const source = await open({ newFilesOnly: false, existingAgeMax: '365d' })
    expect(await source.records({ recordsMax: 2 })).toEqual(['1', '2'])
    expect(await source.records()).toEqual(['3', '4', '5'])
    expect(JSON.stringify(source.positions)).toContain('\\"taken\\":[]')
  })

  test('of the future are read when their time has come', async () => {
    const source = await open()
    await put(folder, 'soon', 'soon', START + 500)
    clock.advance(499)
    expect(await source.records()).toEqual([])
    clock.advance(1)
    expect(await source.records()).toEqual(['soon'])
  })

  test('older than the remembered time are ignored, counted and told', async () => {
    const source = await open({ remember: '10s' })
    const { ctimeMs } = await stat(folder)
    clock.advance(Math.floor(ctimeMs) - 5_000 - START)
    await source.cut()
    await put(folder, 'old', 'old', clock.wallMs() - 11_000)
    clock.advance(600_000)
    expect(await source.records()).toEqual([])
    expect(source.counts.get('old-files')).toBe(1)
    expect(await source.records()).toEqual([])
    expect(source.counts.get('old-files')).toBe(1)
  })

  test('are forgotten when the remembered time has passed, and never read again', async () => {
    const source = await open({ remember: '10s' })
    await putNow('a', 'a')
    expect(await source.records()).toEqual(['a'])
    for (const content of ['b', 'c', 'd']) {
      clock.advance(9_000)
      await putNow(content, content)
      expect(await source.records()).toEqual([content])
    }
    const { position } = source.positions[0] ?? {}
    expect(JSON.stringify(position)).not.toContain('\\"a\\"')
    expect(await source.records()).toEqual([])
  })

  test('that appear while nothing is asked for longer than remembered are read', async () => {
    const source = await open({ remember: '10s' })
    await source.cut()
    await put(folder, 'a', 'a', START + 1_000)
    clock.advance(600_000)
    expect(await source.records()).toEqual(['a'])
  })

  test('hidden ones, folders and what the filter refuses are left alone', async () => {
    const asked: string[] = []
    const filter = (path: string): boolean => {
      asked.push(path)
      return !path.endsWith('.tmp')
    }
    const source = await open({ filter })
    for (const name of ['.hidden', '_unfinished', 'a.tmp', 'a.txt']) await putNow(name, name)
    await mkdir(join(folder, 'sub'))
    await putNow('sub/deep', 'deep')
    expect(await source.records()).toEqual(['a.txt'])
    expect([...new Set(asked)].sort()).toEqual(['a.tmp', 'a.txt'])
  })

  test('without a line are taken too, and make no record', async () => {
    const source = await open()
    await putNow('a', '')
    const cut = await source.cut()
    expect(recordsOf(cut)).toEqual([])
    expect(await source.cut()).toEqual([])
    await putNow('b', 'b')
    expect(await source.records()).toEqual(['b'])
  })

  test('that change after they were read are told and not read again', async () => {
    const source = await open({ remember: '10s' })
    await putNow('a', 'a\n')
    expect(await source.records()).toEqual(['a'])
    clock.advance(1_000)
    await putNow('a', 'a\nb\n')
    for (let i = 0; i < 15; i++) {
      expect(await source.records()).toEqual([])
      clock.advance(1_000)
    }
    expect(source.counts.get('changed-files')).toBe(1)
  })

  test('that vanish before they were read stop the source', async () => {
    const source = await open()
    await putNow('a', 'a\n'.repeat(10))
    await putNow('b', 'b')
    expect(await source.records({ recordsMax: 10 })).toHaveLength(10)
    await rm(join(folder, 'b'))
    expect(await source.records()).toEqual([])
    expect(source.failures).toMatchObject([{ code: 'SOURCE_GAP' }])
    expect(String(source.failures[0])).toContain('"b"')
  })

  test('that change while they wait stop the source', async () => {
    const source = await open()
    await putNow('a', 'a')
    await putNow('b', 'b')
    expect(await source.records({ recordsMax: 1 })).toEqual(['a'])
    await appendFile(join(folder, 'b'), 'more')
    await source.cut({ recordsMax: 1 })
    expect(source.failures).toMatchObject([{ code: 'SOURCE_REPLAY_DIFFERS' }])
    expect(String(source.failures[0])).toMatch(/had 1 bytes.*5 bytes/)
  })

  test('that change while they are read stop the source', async () => {
    const source = await open()
    const line = `${'x'.repeat(99)}\n`
    await putNow('a', line.repeat(15_000))
    expect(await source.records({ bytesMax: 1_000 })).toHaveLength(10)
    await writeFile(join(folder, 'a'), line.repeat(15_000))
    await source.cut({ bytesMax: 10_000_000 })
    expect(source.failures).toMatchObject([{ code: 'SOURCE_REPLAY_DIFFERS' }])
  })

  test('are as many as rememberedFilesMax allows, and then one a batch', async () => {
    const source = await open({ rememberedFilesMax: 3, remember: '10s' })
    for (let i = 1; i <= 5; i++) await put(folder, `${i}`, `${i}`, START + i)
    clock.advance(10)
    expect(await source.records()).toEqual(['1', '2', '3'])
    expect(source.counts.get('files-held-back')).toBe(2)
    expect(await source.records()).toEqual(['4'])
    expect(await source.records()).toEqual(['5'])
    clock.advance(20_000)
    expect(await source.records()).toEqual([])
    for (let i = 6; i <= 8; i++) await putNow(`${i}`, `${i}`)
    expect(await source.records()).toEqual(['6', '7', '8'])
  })
})

describe('a batch that is late', () => {
  test('takes what had been modified by its time, and leaves the rest', async () => {
    const source = await open()
    for (let i = 1; i <= 4; i++) await put(folder, `${i}`, `${i}`, START + i * 1_000)
    clock.advance(10_000)
    expect(await source.records({ arrivedBy: START + 500 })).toEqual([])
    expect(await source.records({ arrivedBy: START + 2_000 })).toEqual(['1', '2'])
    expect(await source.records({ arrivedBy: START + 3_500 })).toEqual(['3'])
    expect(await source.records()).toEqual(['4'])
  })
})

describe('folders', () => {
  test('that a pattern names are read, and those that appear later', async () => {
    await mkdir(join(folder, '2024'))
    const source = await open({}, `${folder}/*/`)
    await putNow('0', 'in the parent')
    await putNow('2024/a', 'a')
    expect(await source.records()).toEqual(['a'])
    await putNow('2025/b', 'b')
    await putNow('2025/01/c', 'deeper')
    await putNow('.hidden/d', 'hidden')
    expect(await source.records()).toEqual(['b'])
  })

  test.each<[pattern: string, found: string[]]>([
    ['*/logs', ['x-1/logs/a', 'y/logs/a']],
    ['x-*/logs', ['x-1/logs/a']],
    ['{x-?,z}/logs', ['x-1/logs/a']],
    ['[!x]/*', ['y/logs/a']],
    ['x-1/logs', ['a']],
    ['no-*/logs', []],
  ])('fit the pattern %s', async (pattern, found) => {
    for (const name of ['x-1/logs/a', 'y/logs/a', 'y/b']) await putNow(name, name)
    const asked: string[] = []
    await open({ filter: (path) => asked.push(path) > 0 }, join(folder, pattern))
    expect(asked.sort()).toEqual(found)
  })

  test('may be links', async () => {
    await mkdir(join(folder, 'real'))
    await symlink(join(folder, 'real'), join(folder, 'link'))
    const source = await open({}, `${folder}/li*`)
    await putNow('real/a', 'a')
    expect(await source.records()).toEqual(['a'])
  })

  test('that are not there stop the start, and the error says what to check', async () => {
    const missing = OpenedSource.start(textFiles(join(folder, 'no')), { clock })
    await expect(missing).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' })
    await writeFile(join(folder, 'file'), '')
    const file = OpenedSource.start(textFiles(join(folder, 'file')), { clock })
    await expect(file).rejects.toThrow(/it is no folder; make the folder/)
  })

  test('that are away for a while are waited for, and each try is counted', async () => {
    const source = await open()
    await rename(folder, `${folder}-away`)
    expect(await source.records()).toEqual([])
    expect(source.counts.get('folder-scans-failed')).toBe(1)
    await rename(`${folder}-away`, folder)
    await putNow('a', 'a')
    expect(await source.records()).toEqual(['a'])
    expect(source.failures).toEqual([])
  })
})

describe('a restart', () => {
  test('goes on where the committed batch ended, inside a file too', async () => {
    const first = await open()
    await putNow('a', 'a1\na2\na3\n')
    await putNow('b', 'b1\n')
    expect(await first.records({ recordsMax: 2 })).toEqual(['a1', 'a2'])
    const from = first.positions
    await first.records()
    const second = await OpenedSource.start(textFiles(folder), { clock, from })
    expect(await second.records()).toEqual(['a3', 'b1'])
    expect(await second.records()).toEqual([])
  })

  test('reads what appeared while the pipeline was down, however long that was', async () => {
    const first = await open()
    await putNow('a', 'a')
    await first.records()
    await put(folder, 'b', 'b', START + 100)
    await put(folder, 'c', 'c', START + 3_600_000)
    clock.advance(7_200_000)
    const second = await OpenedSource.start(textFiles(folder), { clock, from: first.positions })
    expect(await second.records()).toEqual(['b', 'c'])
  })

  test('finds files again that had waited longer than the remembered time', async () => {
    const options = { remember: '10s' } as const
    const first = await open(options)
    for (const [i, name] of ['a', 'b', 'c'].entries()) {
      await put(folder, name, `${name}1\n${name}2\n`, START + i + 1)
    }
    clock.advance(100_000)
    expect(await first.records({ recordsMax: 3 })).toEqual(['a1', 'a2', 'b1'])
    const from = first.positions
    const second = await OpenedSource.start(textFiles(folder, options), { clock, from })
    expect(await second.records()).toEqual(['b2', 'c1', 'c2'])
    expect(await second.records()).toEqual([])
  })

  test('is refused where the file in which it goes on has changed or is gone', async () => {
    const first = await open()
    await putNow('a', 'a1\na2\n')
    await first.records({ recordsMax: 1 })
    const from = first.positions
    await utimes(join(folder, 'a'), 5, 5)
    const changed = OpenedSource.start(textFiles(folder), { clock, from })
    await expect(changed).rejects.toMatchObject({ code: 'SOURCE_REPLAY_DIFFERS' })
    await rm(join(folder, 'a'))
    const gone = OpenedSource.start(textFiles(folder), { clock, from })
    await expect(gone).rejects.toMatchObject({ code: 'SOURCE_GAP' })
  })

  test('on another folder begins there anew', async () => {
    const first = await open()
    await putNow('a', 'a')
    await first.records()
    await putNow('other/a', 'other')
    const other = join(folder, 'other')
    const second = await OpenedSource.start(textFiles(other), { clock, from: first.positions })
    expect(second.positions.map(({ partition }) => partition)).toEqual([folder, other])
    await putNow('other/b', 'b')
    expect(await second.records()).toEqual(['b'])
  })
})

describe('a replay', () => {
  const ranges: SourceRange[] = []
  let source: OpenedSource
  beforeEach(async () => {
    source = await open()
    await putNow('a', 'a1\na2\na3')
    ranges.splice(0)
    for (const recordsMax of [1, 1, 1]) {
      ranges.push(...(await source.cut({ recordsMax })).map(({ range }) => range))
    }
  })

  test('gives the records of each range again', async () => {
    const again = await source.receiver.replay(ranges.slice(1, 2))
    expect(recordsOf(again)).toEqual(['a2'])
    expect(summaryOf(again)).toMatchObject([{ crc: ranges[1]?.crc }])
  })

  test('is refused where the file has vanished', async () => {
    await rm(join(folder, 'a'))
    await expect(source.receiver.replay(ranges)).rejects.toMatchObject({ code: 'SOURCE_GAP' })
  })

  test('is refused where the file has changed', async () => {
    await putNow('a', 'other')
    const code = 'SOURCE_REPLAY_DIFFERS'
    await expect(source.receiver.replay(ranges)).rejects.toMatchObject({ code })
  })
})

describe('options that cannot work are refused where they are written', () => {
  test.each<[options: TextFilesOptions, message: RegExp]>([
    [{ remember: '0s' }, /remember/],
    [{ existingAgeMax: '1h' }, /with newFilesOnly no existing file is read/],
    [{ lineBytesMax: 0 }, /lineBytesMax/],
    [{ lineBytesMax: 8 * 1_048_576 }, /lineBytesMax/],
    [{ rememberedFilesMax: 0 }, /rememberedFilesMax/],
    [{ onLongLine: 'cut' as 'drop' }, /'stop' or 'drop'/],
  ])('%o', (options, message) => {
    expect(() => textFiles('./in', options)).toThrow(message)
  })

  test('a folder', () => {
    expect(() => textFiles('')).toThrow(/give its path/)
    expect(() => textFiles('./[z-a]')).toThrow(/a pattern may have/)
  })
})
