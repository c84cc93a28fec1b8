import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { binaryFiles, binaryRecords } from 'millrace/sources'
import { ManualClock } from 'millrace/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { OpenedSource, recordsOf, summaryOf } from './opened-source.ts'
import { put } from './written-files.ts'

const START = 1_000_000
let folder: string
let clock: ManualClock

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-binary-'))
  clock = new ManualClock(START)
})
afterEach(async () => {
  await OpenedSource.stopAll()
  await rm(folder, { recursive: true, force: true })
})

const bytes = (...values: number[]): Uint8Array => new Uint8Array(values)
const putNow = (name: string, content: Uint8Array) => put(folder, name, content, clock.wallMs())

describe('binaryFiles', () => {
  test('gives each file as one record, empty ones too', async () => {
    const source = await OpenedSource.start(binaryFiles(folder), { clock })
    await putNow('a', bytes(1, 2))
    await putNow('b', bytes())
    await putNow('c', bytes(3))
    const cut = await source.cut()
    expect(recordsOf(cut)).toEqual([bytes(1, 2), bytes(), bytes(3)])
    const again = await source.receiver.replay(cut.map(({ range }) => range))
    expect(recordsOf(again)).toEqual(recordsOf(cut))
    expect(summaryOf(again)).toEqual(summaryOf(cut))
  })

  test('gives a copy on each read', async () => {
    const source = await OpenedSource.start(binaryFiles(folder), { clock })
    await putNow('a', bytes(1))
    const cut = await source.cut()
    for (const record of recordsOf(cut) as Uint8Array[]) record[0] = 9
    expect(recordsOf(cut)).toEqual([bytes(1)])
  })

  test('takes no more files than a batch may have bytes', async () => {
    const source = await OpenedSource.start(binaryFiles(folder), { clock })
    for (const name of ['a', 'b', 'c']) await putNow(name, new Uint8Array(60))
    expect(await source.records({ bytesMax: 100 })).toHaveLength(1)
    expect(await source.records({ bytesMax: 120 })).toHaveLength(2)
  })

  test('stops at a file that is longer than fileBytesMax', async () => {
    const source = await OpenedSource.start(binaryFiles(folder, { fileBytesMax: 2 }), { clock })
    await putNow('a', bytes(1, 2))
    await putNow('b', bytes(1, 2, 3))
    expect(await source.records()).toEqual([bytes(1, 2)])
    expect(source.failures).toMatchObject([{ code: 'RECORD_INVALID' }])
    expect(String(source.failures[0])).toMatch(/"b": it has 3 bytes, .* fileBytesMax \(2\)/)
  })
})

describe('binaryRecords', () => {
  test('gives records of one length, and a batch may end inside a file', async () => {
    const source = await OpenedSource.start(binaryRecords(folder, { recordBytes: 2 }), { clock })
    await putNow('a', bytes(1, 2, 3, 4, 5, 6))
    await putNow('b', bytes())
    await putNow('c', bytes(7, 8))
    const first = await source.cut({ recordsMax: 2 })
    expect(recordsOf(first)).toEqual([bytes(1, 2), bytes(3, 4)])
    const second = await source.cut()
    expect(recordsOf(second)).toEqual([bytes(5, 6), bytes(7, 8)])
    for (const cut of [first, second]) {
      const again = await source.receiver.replay(cut.map(({ range }) => range))
      expect(recordsOf(again)).toEqual(recordsOf(cut))
      expect(summaryOf(again)).toEqual(summaryOf(cut))
    }
    expect(second[0]?.blocks.at(-1)?.positionAt(0)).toBe('c, byte 0')
  })

  test('reads long files in blocks', async () => {
    const source = await OpenedSource.start(binaryRecords(folder, { recordBytes: 1_000 }), {
      clock,
    })
    await putNow('a', new Uint8Array(3_000_000))
    const cut = await source.cut({ bytesMax: 10_000_000 })
    expect(cut[0]?.range.records).toBe(3_000)
    expect(cut[0]?.blocks.length).toBe(3)
  })

  test('stops at a file whose length is no multiple of the records', async () => {
    const source = await OpenedSource.start(binaryRecords(folder, { recordBytes: 2 }), { clock })
    await putNow('a', bytes(1, 2, 3))
    expect(await source.records()).toEqual([])
    expect(source.failures).toMatchObject([{ code: 'RECORD_INVALID' }])
    expect(String(source.failures[0])).toMatch(/3 bytes must be a multiple of recordBytes \(2\)/)
  })

  test.each([0, -1, 1.5, 9 * 1_048_576])('refuses recordBytes %s', (recordBytes) => {
    expect(() => binaryRecords(folder, { recordBytes })).toThrow(/recordBytes/)
  })
})

test.each([0, 2 ** 31])('binaryFiles refuses fileBytesMax %s', (fileBytesMax) => {
  expect(() => binaryFiles(folder, { fileBytesMax })).toThrow(/fileBytesMax/)
})
