import { describe, expect, test } from 'vitest'
import { decode, encode } from '../../src/batch/codec.ts'
import { type Column, columnLength, fromColumn, toColumn } from '../../src/batch/columns.ts'

const cases: Readonly<Record<string, readonly [Column['kind'], readonly unknown[]]>> = {
  numbers: ['numbers', [1, -0, Number.NaN, 2 ** 53, Number.NEGATIVE_INFINITY]],
  'Latin-1 texts': ['latin1', ['', 'a', 'ÿ', 'longer than twelve characters', '\u0000']],
  'wide texts': ['utf16', ['', 'a', '€', '\ud800', '😀', 'longer than twelve characters']],
  'texts of more than one run': ['latin1', Array.from({ length: 40_000 }, (_, i) => `key ${i}`)],
  'a text longer than a run': ['utf16', ['x', '€'.repeat(200_000), 'y']],
  'numbers and texts': ['packed', [1, 'a', -0, '\ud800']],
  'texts and numbers': ['packed', ['a', 1]],
  objects: ['packed', [{ n: -0 }, [1, 'a'], new Map([['a', { b: 1 }]])]],
  'what is none': ['packed', [undefined, null, true, 1n]],
  nothing: ['numbers', []],
}

describe('a column gives back what it was made of', () => {
  test.each(Object.entries(cases))('%s', (_name, [kind, values]) => {
    const column = toColumn(values, 'a value')
    expect(column.kind).toBe(kind)
    expect(columnLength(column)).toBe(values.length)
    expect(fromColumn(column)).toStrictEqual(values)
    const stored = decode(encode(column, 'a column')) as Column
    expect(fromColumn(stored)).toStrictEqual(values)
    expect(fromColumn(structuredClone(column))).toStrictEqual(values)
  })
})

test('a column gives fresh objects each time', () => {
  const column = toColumn([{ n: 1 }], 'a value')
  const [first] = fromColumn(column) as { n: number }[]
  if (first !== undefined) first.n = 2
  expect(fromColumn(column)).toEqual([{ n: 1 }])
})
