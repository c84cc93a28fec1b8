import { expect, test } from 'vitest'
import type { Outcome } from './damaged-checkpoint.ts'
import { torn } from './torn.ts'
import { describeFindings, runTorture } from './torture.ts'

/** Where objects do not grow, nothing is taken for torn: there is no state to go back to. */
const OUTCOMES: readonly [string, readonly Outcome[]][] = [
  ['memory', ['as it was before', 'not needed', 'refused', 'warned', 'warned and went back']],
  ['memory-objects', ['not needed', 'refused', 'warned']],
]

test.each(OUTCOMES)(
  'a checkpoint cut at any byte is never restored wrongly, nor in silence, nor far back: %s',
  { timeout: 300_000 },
  async (store, outcomes) => {
    const report = await runTorture(torn, { store })
    expect(describeFindings(report)).toEqual([])
    expect(report.to).toBeGreaterThan(8_192)
    expect([...report.outcomes.keys()].sort()).toEqual(outcomes)
  },
)
