import { expect, test } from 'vitest'
import { disk } from './disk.ts'
import { describeFindings, runTorture } from './torture.ts'

test('a disk that refuses or is slow stops the run cleanly or makes it wait; one batch is redone', {
  timeout: 120_000,
}, async () => {
  const report = await runTorture(disk)
  expect(describeFindings(report)).toEqual([])
  const stopped = [...report.outcomes.keys()].filter((outcome) => outcome.includes('stopped'))
  expect(stopped.length).toBeGreaterThan(0)
})
