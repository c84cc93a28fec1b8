import { expect, test } from 'vitest'
import { mutants } from './mutants.ts'
import { describeFindings, runTorture } from './torture.ts'

test('every planted mistake is caught by the suite that should', { timeout: 400_000 }, async () => {
  const report = await runTorture(mutants)
  expect(describeFindings(report)).toEqual([])
  expect(report.outcomes.get('caught')).toBe(report.to - 1)
})
