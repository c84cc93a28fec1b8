// The input of the bench: the same bytes from the same seed, and every line in one part.

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { campaignsOf } from '../../bench/closures.ts'
import { adsBatches, campaignsTable } from '../../bench/input/ads.ts'
import { eventsBatches } from '../../bench/input/events.ts'
import { batchFile, inputFiles } from '../../bench/input/input-files.ts'
import { linesBatches } from '../../bench/input/lines.ts'
import { LinesBlock } from '../../bench/input/lines-block.ts'
import { readBlocks, readTexts } from '../../bench/input/read-part.ts'
import { Lines } from '../../src/batch/lines.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  vi.stubEnv('TMPDIR', folder)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

describe('the generator', () => {
  test('gives the bytes that earlier results were measured with', () => {
    expect(crc32(linesBatches(1_000, 1)(3))).toBe(764_699_105)
    expect(crc32(adsBatches(1_000, 1)(3))).toBe(3_202_605_482)
    expect(crc32(eventsBatches(1_000, 2)(3))).toBe(1_196_176_592)
    expect(crc32(campaignsTable())).toBe(40_842_696)
  })

  test('makes lines of 100 bytes, one in a hundred with a needle', () => {
    const lines = linesBatches(10_000, 7)(0).toString('latin1').trimEnd().split('\n')
    expect(new Set(lines.map((line) => line.length))).toEqual(new Set([99]))
    const found = lines.filter((line) => line.includes('needle')).length
    expect(found).toBeGreaterThan(50)
    expect(found).toBeLessThan(150)
  })

  test('makes events of the Yahoo benchmark of a thousand ads', () => {
    const lines = adsBatches(2_000, 1)(2).toString('latin1').trimEnd().split('\n')
    const ads = lines.map((line) => JSON.parse(line) as Record<string, string>)
    const table = campaignsOf(campaignsTable())
    expect([table.size, new Set(table.values()).size]).toEqual([1_000, 100])
    expect(ads.every((ad) => table.has(ad['ad_id'] ?? ''))).toBe(true)
    expect(new Set(ads.map((ad) => ad['event_type']))).toEqual(
      new Set(['view', 'click', 'purchase']),
    )
  })
})

describe('inputFiles', () => {
  test('writes a set once', () => {
    const set = { kind: 'events', records: 10, files: 2, seed: 1 } as const
    const { path } = inputFiles(set)
    rmSync(batchFile(path, 1))
    expect(inputFiles(set).path).toBe(path)
    expect(readdirSync(path)).toEqual(['batch-00000.txt'])
  })

  test('refuses a set that is larger than all may be', () => {
    const set = { kind: 'lines', records: 1e8, files: 1, seed: 1 } as const
    expect(() => inputFiles(set)).toThrow(/Cannot write 1 files of 100000000 lines: .* --records/)
  })
})

describe('readTexts', () => {
  test('gives each line to one part, whatever the number of parts', () => {
    const lines = Array.from({ length: 57 }, (_, i) => `line ${'x'.repeat(i % 9)} ${i}\n`).join('')
    const path = join(folder, 'lines.txt')
    writeFileSync(path, lines)
    for (const parts of [1, 2, 3, 40, 100]) {
      const all = Array.from({ length: parts }, (_, part) => readTexts(path, part, parts).join(''))
      expect(all.join('')).toBe(lines)
      for (const part of all) expect(part).toMatch(/^(.+\n)*$/)
    }
  })

  test('gives blocks of whole lines within the bound, each in memory of its own', () => {
    const path = join(folder, 'lines.txt')
    const lines = linesBatches(1_000, 1)(0)
    writeFileSync(path, lines)
    const blocks = readBlocks(path, 0, 1, 16_384)
    expect(Buffer.concat(blocks).equals(lines)).toBe(true)
    for (const block of blocks) {
      expect(block.length).toBeLessThanOrEqual(16_384)
      expect(block.at(-1)).toBe(10)
      expect(block.buffer.byteLength).toBe(block.length)
    }
  })
})

describe('LinesBlock', () => {
  const block = new LinesBlock(new Lines(Buffer.from('a\n\nlong line\nb\n')))

  test('gives its lines, and those of a slice', () => {
    expect(Array.from({ length: block.length }, (_, i) => block.at(i))).toEqual([
      ...['a', '', 'long line', 'b'],
    ])
    expect(block.slice(1, 3).at(1)).toBe('long line')
    expect(block.slice(1, 3).length).toBe(2)
  })

  test('has the same checksum however it is cut', () => {
    expect(block.slice(2, 4).crc(block.slice(0, 2).crc(0))).toBe(block.crc(0))
  })

  test('is the same in another thread', () => {
    const { content, buffers } = block.slice(2, 4).toParcel()
    const arrived = LinesBlock.fromParcel(structuredClone(content, { transfer: [...buffers] }))
    expect([arrived.at(0), arrived.at(1), arrived.positionAt(1)]).toEqual([
      'long line',
      'b',
      'line 3',
    ])
  })
})
