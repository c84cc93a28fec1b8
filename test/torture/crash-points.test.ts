import { expect, test } from 'vitest'
import { crashPoints } from './crash-points.ts'
import { describeFindings, runTorture } from './torture.ts'

test('a death before or after any call that changes the disk loses and doubles nothing', {
  timeout: 300_000,
}, async () => {
  const report = await runTorture(crashPoints)
  expect(describeFindings(report)).toEqual([])
  expect(report.outcomes.get('died twice')).toBeGreaterThan(report.to / 2)
})
