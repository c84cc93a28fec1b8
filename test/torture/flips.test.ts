import { expect, test } from 'vitest'
import { flips } from './flips.ts'
import { describeFindings, runTorture } from './torture.ts'

test.each(flips.stores)(
  'a bit flip in a checkpoint is made up for or refused, never silent: %s',
  {
    timeout: 120_000,
  },
  async (store) => {
    const report = await runTorture(flips, { store, count: flips.counts.ci / 2 })
    expect(describeFindings(report)).toEqual([])
    expect(report.to).toBe(500)
  },
)
