// Lines are decoded in runs: where one ends shows in no line.

import { expect, test } from 'vitest'
import { Lines } from '../../src/batch/lines.ts'

const RUN_BYTES = 2 ** 16

function both(text: string): { one: string[]; runs: string[] } {
  const lines = new Lines(new Uint8Array(Buffer.from(text)))
  const one = Array.from({ length: lines.length }, (_, i) => lines.at(i))
  const runs = [...lines.texts()].flatMap(({ length, text: run, starts, ends }) =>
    Array.from({ length }, (_, i) => run.slice(starts[i], ends[i])),
  )
  return { one, runs }
}

const cases: [string, string[]][] = [
  ['many short ones', Array.from({ length: 30_000 }, (_, i) => `line ${i}`)],
  ['one that is longer than a run', ['a', 'b'.repeat(3 * RUN_BYTES), '', 'c']],
  ['ones that fill a run to the byte', ['a'.repeat(RUN_BYTES - 1), 'b'.repeat(RUN_BYTES - 1), 'c']],
  ['none', []],
  [
    'other characters in some of the runs',
    Array.from({ length: 9_000 }, (_, i) => (i % 4_000 === 0 ? `😀 ü ${i}` : `plain ${i}`)),
  ],
]

for (const ending of ['\n', '\r\n']) {
  test.each(cases)(`lines that end with ${JSON.stringify(ending)}: %s`, (_name, lines) => {
    const { one, runs } = both(lines.map((line) => line + ending).join(''))
    expect(one).toEqual(lines)
    expect(runs).toEqual(lines)
  })
}

test('lines can be read in any order, and part of them as runs', () => {
  const lines = new Lines(Buffer.from(Array.from({ length: 20_000 }, (_, i) => `${i}\n`).join('')))
  for (const index of [19_999, 0, 12_345, 12_346, 5]) expect(lines.at(index)).toBe(String(index))
  const [part] = lines.texts(7, 9)
  expect(part).toMatchObject({ length: 2, text: '7\n8\n' })
})
