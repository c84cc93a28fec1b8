import { expect, test } from 'vitest'
import { clock } from './clock.ts'
import { describeFindings, runTorture } from './torture.ts'

test('a wall clock that jumps, stands still or goes back loses and doubles nothing', {
  timeout: 60_000,
}, async () => {
  const report = await runTorture(clock)
  expect(describeFindings(report)).toEqual([])
  const fates = ['forced', 'handed over', 'paused', 'cut off', 'dead']
  for (const fate of fates) expect(report.outcomes.get(fate)).toBeGreaterThan(0)
})
