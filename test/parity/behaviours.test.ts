// Each behaviour that Spark's suites check, by number: the test that shows it here, or the line of
// docs/from-spark.md that says why there is none.

import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

interface Behaviour {
  readonly n: number
  readonly says: string
  /** The file of the test that shows it, and the test's name or a part of it. */
  readonly test?: string
  readonly named?: string
}

const BEHAVIOURS = 190
const root = new URL('../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')
const behaviours = JSON.parse(read('test/parity/behaviours.json')) as readonly Behaviour[]

/** The numbers that docs/from-spark.md has in brackets, or in lines such as `- 3, 5–7: why`. */
function explained(): Set<number> {
  const page = read('docs/from-spark.md')
  const lists = [...page.matchAll(/\(([\d, –]+)\)/g), ...page.matchAll(/^- ([\d, –]+): \S/gm)]
  return new Set(lists.flatMap((list) => (list[1] as string).split(', ').flatMap(rangeOf)))
}

function rangeOf(text: string): number[] {
  const [first = 0, last = first] = text.split('–').map(Number)
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
}

test('behaviours.json has each number once, in order, in words', () => {
  const numbers = Array.from({ length: BEHAVIOURS }, (_, i) => i + 1)
  expect(behaviours.map(({ n }) => n)).toEqual(numbers)
  expect(behaviours.filter(({ says }) => says.length < 10)).toEqual([])
})

test('each behaviour has a test that exists, or a line in docs/from-spark.md', () => {
  const shown = behaviours.filter((behaviour) => behaviour.test !== undefined)
  const missing = shown.filter(({ test: file = '', named = '' }) => {
    return !existsSync(new URL(file, root)) || !names(read(file), named)
  })
  expect(missing).toEqual([])
  const numbers = explained()
  const others = behaviours.filter((behaviour) => behaviour.test === undefined)
  expect(others.filter(({ n }) => !numbers.has(n))).toEqual([])
})

/** True if a file has the name of a test as a string. */
function names(text: string, name: string): boolean {
  return ["'", '"', '`'].some((quote) => text.includes(`${quote}${name}`))
}
