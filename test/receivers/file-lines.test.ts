// What the lines of a text file are, wherever a batch, a block or a run ends.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { type TextFilesOptions, textFiles } from 'millrace/sources'
import { ManualClock } from 'millrace/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { OpenedSource, recordsOf, summaryOf } from './opened-source.ts'
import { put } from './written-files.ts'

const START = 1_000_000
const CUT = { bytesMax: 100_000 }
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

const open = (options?: TextFilesOptions) =>
  OpenedSource.start(textFiles(folder, options), { clock })

/** Puts a file that was modified now. */
const putNow = (name: string, content: string | Uint8Array) =>
  put(folder, name, content, clock.wallMs())

describe('lines', () => {
  const text = async (content: string | Uint8Array, options?: TextFilesOptions) => {
    const source = await open(options)
    await putNow('a', content)
    return source.records()
  }

  test.each<[name: string, content: string, lines: string[]]>([
    ['that end with \\n', 'one\ntwo\n', ['one', 'two']],
    ['that end with \\r\\n, mixed', 'one\r\ntwo\nthree\r\n', ['one', 'two', 'three']],
    ['of which the last has no ending', 'one\ntwo', ['one', 'two']],
    ['that are empty', '\n\na\n\n', ['', '', 'a', '']],
    ['with a \\r inside', 'a\rb\n', ['a\rb']],
    ['of text that is not ASCII', 'grün\n日本\n😀\r\nx', ['grün', '日本', '😀', 'x']],
    ['after a byte order mark', '\u{feff}one\ntwo\n', ['one', 'two']],
    ['with a byte order mark that is not the first character', 'a\u{feff}\n', ['a\u{feff}']],
  ])('are read %s', async (_name, content, lines) => {
    expect(await text(content)).toEqual(lines)
  })

  test('of bytes that are not UTF-8 keep their number and their ends', async () => {
    const content = new Uint8Array([0xe2, 0x82, 0x0a, 0x61, 0x0a, 0xff, 0x0a])
    expect(await text(content)).toEqual(['\u{fffd}', 'a', '\u{fffd}'])
  })

  test('longer than lineBytesMax stop the source, and the error says where', async () => {
    const source = await open({ lineBytesMax: 3 })
    await putNow('a', 'abc\r\nabcd\n')
    expect(await source.records()).toEqual([])
    expect(source.failures).toMatchObject([{ code: 'RECORD_INVALID' }])
    expect(String(source.failures[0])).toMatch(/line at byte 5 is longer than lineBytesMax \(3/)
  })

  test('longer than lineBytesMax are dropped and counted where that is asked for', async () => {
    const source = await open({ lineBytesMax: 3, onLongLine: 'drop' })
    await putNow('a', 'abcd\nabc\nabcde\n\nxyzq')
    const first = await source.cut()
    expect(recordsOf(first)).toEqual(['abc', ''])
    expect(source.counts.get('lines-dropped')).toBe(3)
    expect(summaryOf(await source.receiver.replay(first.map(({ range }) => range)))).toEqual(
      summaryOf(first),
    )
  })

  test('longer than a read are found too', async () => {
    const source = await open({ lineBytesMax: 10, onLongLine: 'drop' })
    const long = 'x'.repeat(3_000_000)
    await putNow('a', `before\n${long}\nafter\n${long}`)
    expect(await source.records({ bytesMax: 10_000_000 })).toEqual(['before', 'after'])
    expect(source.counts.get('lines-dropped')).toBe(2)
  })

  test('say in errors which byte of which file they begin at', async () => {
    const source = await open()
    await putNow('a', 'one\ntwo\n')
    const [data] = await source.cut()
    expect(data?.blocks[0]?.positionAt(1)).toBe('a, byte 4')
  })

  test('of a long file are the same wherever a read ends', async () => {
    const written = Array.from({ length: 60_000 }, (_, i) => `${'ä'.repeat(i % 37)} line ${i}`)
    const source = await open()
    await putNow('a', written.join('\r\n'))
    const read: unknown[] = []
    for (let cut = await source.cut(CUT); cut.length > 0; cut = await source.cut(CUT)) {
      read.push(...recordsOf(cut))
      const bytes = cut[0]?.blocks.reduce((n, block) => n + block.bytes, 0)
      // Blocks are cut by the mean length of their records.
      expect(bytes).toBeLessThan(CUT.bytesMax * 1.01)
    }
    expect(read).toEqual(written)
  })
})

/** What a text file holds, with a limit of 6 bytes a line. */
function linesOf(text: string): string[] {
  const split = text.replace(/^\u{feff}/u, '').split('\n')
  const lines = split.at(-1) === '' ? split.slice(0, -1) : split
  return lines.map((line) => line.replace(/\r$/, '')).filter((line) => Buffer.byteLength(line) <= 6)
}

interface Step {
  readonly recordsMax: number
  readonly restart: boolean
}

const text = fc.string({
  unit: fc.constantFrom('a', '\r', '\n', '\n', 'ü', '😀', '\u{feff}'),
  maxLength: 40,
})
const step = fc.record({ recordsMax: fc.integer({ min: 1, max: 4 }), restart: fc.boolean() })

describe('any text', () => {
  /** Reads the folder in the given steps; each cut is also replayed. */
  async function readAll(steps: readonly Step[], options: TextFilesOptions, first: OpenedSource) {
    let reader = first
    const read: unknown[] = []
    for (const { recordsMax, restart } of [...steps, { recordsMax: 1_000, restart: true }]) {
      const cut = await reader.cut({ recordsMax })
      read.push(...recordsOf(cut))
      const again = await reader.receiver.replay(cut.map(({ range }) => range))
      expect(recordsOf(again)).toEqual(recordsOf(cut))
      expect(summaryOf(again)).toEqual(summaryOf(cut))
      if (!restart) continue
      await reader.receiver.stop()
      const from = reader.positions
      reader = await OpenedSource.start(textFiles(folder, options), { clock, from })
    }
    read.push(...(await reader.records()))
    expect(await reader.records()).toEqual([])
    await reader.receiver.stop()
    return read
  }

  test('is read once and replayed the same, cut and restarted anywhere', async () => {
    const options = { lineBytesMax: 6, onLongLine: 'drop' } as const
    let files = 0
    const property = async (contents: string[], steps: Step[]) => {
      const reader = await open(options)
      clock.advance(100_000)
      for (const content of contents) {
        files += 1
        await putNow(`file-${String(files).padStart(6, '0')}`, content)
      }
      expect(await readAll(steps, options, reader)).toEqual(contents.flatMap(linesOf))
    }
    const contents = fc.array(text, { maxLength: 4 })
    await fc.assert(fc.asyncProperty(contents, fc.array(step, { maxLength: 6 }), property), {
      numRuns: 60,
    })
  })
})
