import { expect, test } from 'vitest'
import { torn } from './torn.ts'
import { describeFindings, runTorture } from './torture.ts'

test('a checkpoint cut at any byte is never restored wrongly, and never in silence', {
  timeout: 300_000,
}, async () => {
  const report = await runTorture(torn)
  expect(describeFindings(report)).toEqual([])
  expect(report.to).toBeGreaterThan(8_192)
  expect(report.outcomes.get('warned')).toBeGreaterThan(0)
})
