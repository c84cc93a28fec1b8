// The simulator gives what other Kinesis servers give, but for differences that are known, and of
// which AWS's documentation says who is right (differential/rules.ts).

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { differential } from '../torture/differential.ts'
import { describeFindings, runTorture } from '../torture/torture.ts'
import { differencesOf } from './differential/differences.ts'
import { PAGE, pageText } from './differential/page.ts'
import { RULES, ruleFor } from './differential/rules.ts'

test('the same calls give the same, on the simulator and on every server', {
  timeout: 240_000,
}, async () => {
  const report = await runTorture(differential)
  expect(describeFindings(report)).toEqual([])
  expect(report.to).toBe(differential.counts.ci)
})

test('the page of the differences is current', () => {
  const write = 'run `node --conditions=millrace-src test/integration/differential/write-page.ts`'
  expect(readFileSync(PAGE, 'utf8'), write).toBe(pageText())
})

test('each rule names operations of its own and a page of the documentation', () => {
  for (const { what, page, servers } of RULES) {
    expect(what).toMatch(/^[A-Z`0-9].*[^.]$/)
    expect(page).toMatch(/^(kinesis|cli)\/.*\.html$/)
    expect(servers.length).toBeGreaterThan(0)
  }
  expect(new Set(RULES.map(({ what }) => what)).size).toBe(RULES.length)
})

test('a difference that nobody has classified is found and matches no rule', () => {
  const ours = {
    answer: { Records: [{ Data: 'a' }, { Data: 'b' }], MillisBehindLatest: 'at the tip' },
  }
  const theirs = {
    answer: { Records: [{ Data: 'a' }, { Data: 'c' }], NextShardIterator: 'a token' },
  }
  const found = differencesOf(ours, theirs)
  expect(found).toEqual([
    { path: 'Records[].Data', ours: 'b', theirs: 'c' },
    { path: 'MillisBehindLatest', ours: 'at the tip', theirs: 'missing' },
    { path: 'NextShardIterator', ours: 'missing', theirs: 'a token' },
  ])
  const call = { operation: 'GetRecords', input: {} }
  for (const one of found) expect(ruleFor('kinesalite', one, call, [])).toBeUndefined()
})
