import { expect, test } from 'vitest'
import { clock } from './clock.ts'
import { describeFindings, runTorture } from './torture.ts'

test('a wall clock that jumps, stands still or goes back loses and doubles nothing', {
  timeout: 60_000,
}, async () => {
  const report = await runTorture(clock)
  expect(describeFindings(report)).toEqual([])
  expect(report.outcomes.get('with a second process')).toBeGreaterThan(0)
})
