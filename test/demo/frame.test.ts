import { stripVTControlCharacters } from 'node:util'
import { describe, expect, test } from 'vitest'
import { phaseAfter } from '../../demo/engine-process.ts'
import { frameOf, plainLine, type View } from '../../demo/frame.ts'
import { sentencesOf } from '../../demo/speeches.ts'
import { engineLine, killLine } from '../../demo/verdict.ts'
import { wordsOf } from '../../demo/words.ts'

const VIEW: View = {
  status: '12 s left, then the check',
  batchId: 42,
  recordsPerSecond: 1_204.4,
  lagMs: 420,
  schedulingDelayMs: 1.2,
  processingDelayMs: 34,
  wordsSent: 123_456,
  wordsCounted: 121_003,
  speaker: 'Abraham Lincoln, 1862',
  kills: 2,
  killsPlanned: 5,
  top: [
    ['the', 800],
    ['of', 400],
    ['union', 1],
  ],
}

const linesOf = (view: View, columns: number, rows: number) =>
  frameOf(view, columns, rows).map(stripVTControlCharacters)

describe('frameOf()', () => {
  test('shows figures, and bars in proportion', () => {
    const lines = linesOf(VIEW, 60, 24)
    const text = lines.join('\n')
    expect(text).toMatch(/batch +42/)
    expect(text).toMatch(/records\/s +1,204/)
    expect(text).toContain('lag 0.4 s')
    const bars = lines.filter((line) => /[█▏]/.test(line))
    expect(bars.map((line) => [...line].filter((char) => char === '█').length)).toEqual([33, 16, 0])
    expect(bars[2]).toContain('▏ 1')
  })

  test.each([10, 40, 200])('fits into %i columns', (columns) => {
    for (const line of linesOf(VIEW, columns, 24)) expect(line.length).toBeLessThan(columns)
  })

  test('shows fewer words on a low terminal', () => {
    expect(linesOf(VIEW, 80, 9)).toHaveLength(8)
  })
})

test('plainLine() says the same in one line', () => {
  expect(plainLine(VIEW)).toBe(
    'batch 42  1,204 records/s  lag 0.4 s  scheduling 1 ms  processing 34 ms  ' +
      'sent 123,456 words  counted 121,003  kills 2 of 5  the 800, of 400, union 1',
  )
})

test('killLine() says in which phase a kill hit', () => {
  const line = (hit: Parameters<typeof killLine>[0]) =>
    stripVTControlCharacters(killLine(hit, 2, 5, 12_340))
  expect(line({ phase: 'sink', pid: 77, batchId: 9 })).toMatch(/12\.3 s .*phase: sink, batch 9$/)
  expect(line({ phase: 'idle', pid: 77, batchId: 9 })).toMatch(/phase: idle, after batch 9$/)
  expect(line({ phase: 'starting', pid: 77, batchId: undefined })).toMatch(/phase: starting$/)
})

test('engineLine() shows the message of a log line, and any other line as it is', () => {
  const line = (text: string) => stripVTControlCharacters(engineLine(text)).trim()
  expect(line('{"level":40,"msg":"Retrying"}')).toBe('engine: Retrying')
  expect(line('{"level":40}')).toBe('engine: {"level":40}')
  expect(line('Error: no')).toBe('engine: Error: no')
})

test('phaseAfter() knows the phase that each event begins', () => {
  expect(phaseAfter('batch-planned')).toBe('running')
  expect(phaseAfter('batch-completed')).toBe('idle')
  expect(phaseAfter('batches-skipped')).toBeUndefined()
})

test('wordsOf() gives lower-case words and keeps apostrophes within them', () => {
  expect(wordsOf('“Don’t tread” on U.S. 1812—really!')).toEqual([
    "don't",
    'tread',
    'on',
    'u',
    's',
    '1812',
    'really',
  ])
})

test('sentencesOf() loses no word and keeps each piece below 1,000 bytes', () => {
  const text = `One. ${'two '.repeat(600)}three!\n\nFour`
  const sentences = sentencesOf(text)
  expect(sentences.map((sentence) => sentence.length).every((length) => length <= 1_000)).toBe(true)
  expect(sentences.flatMap(wordsOf)).toEqual(wordsOf(text))
})
