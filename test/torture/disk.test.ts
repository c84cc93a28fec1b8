import { expect, test } from 'vitest'
import { disk } from './disk.ts'
import { describeFindings, runTorture } from './torture.ts'

const cases = { local: 18, s3: 10 }

test.each(disk.stores)(
  'a medium that refuses or is slow stops the run or makes it wait; one batch is redone: %s',
  { timeout: 120_000 },
  async (store) => {
    const count = cases[store as keyof typeof cases]
    const report = await runTorture(disk, { store, count })
    expect(describeFindings(report)).toEqual([])
    const stopped = [...report.outcomes.keys()].filter((outcome) => outcome.includes('stopped'))
    expect(stopped.length).toBeGreaterThan(0)
  },
)
