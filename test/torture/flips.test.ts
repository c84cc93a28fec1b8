import { expect, test } from 'vitest'
import { flips } from './flips.ts'
import { describeFindings, runTorture } from './torture.ts'

test('a bit flip in a checkpoint is made up for or refused, and never silent', {
  timeout: 120_000,
}, async () => {
  const report = await runTorture(flips)
  expect(describeFindings(report)).toEqual([])
  expect(report.to).toBe(1_000)
})
