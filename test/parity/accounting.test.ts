// No case of Spark's suites is forgotten: each is run by a test file that names it, or left out for
// a reason.

import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { leftOut, placeOf } from './accounting.ts'
import { type Case, sparkCases } from './cases.ts'

const LEFT_OUT_MAX = 10
const GENERIC = 'test/parity/operators.test.ts'

/** True if the file runs the case: by its kind, or by its id or the beginning of it. */
function runs(file: string, { id, kind, suite = '' }: Case): boolean {
  const path = new URL(`../../${file}`, import.meta.url)
  if (!existsSync(path)) return false
  if (file === GENERIC) return kind === 'stream' || kind === 'error'
  const text = readFileSync(path, 'utf8')
  const prefix = suite.toLowerCase().replaceAll(/[^a-z]+/g, '-')
  return text.includes(`'${id}`) || text.includes(`casesOf('${prefix}`)
}

test('each case of operators.json has a place, and the file there runs it', () => {
  const lost = sparkCases.filter((c) => {
    const place = placeOf(c)
    return place === undefined || ('runIn' in place && !runs(place.runIn, c))
  })
  expect(lost.map(({ id }) => id)).toEqual([])
})

test('at most ten cases of streams and errors are left out', () => {
  const pipelines = sparkCases.filter(({ kind }) => kind === 'stream' || kind === 'error')
  const without = pipelines.filter((c) => leftOut(c) !== undefined)
  expect(without.length).toBeLessThanOrEqual(LEFT_OUT_MAX)
})

test('each case that is left out has a reason in words', () => {
  const reasons = sparkCases.flatMap((c) => leftOut(c) ?? [])
  expect(reasons.filter((reason) => reason.split(' ').length < 3)).toEqual([])
})
