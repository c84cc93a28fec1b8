import { expect, test } from 'vitest'
import { hasMoto, INSTALL_MOTO } from '../integration/moto.ts'
import { leaveOut } from '../left-out.ts'
import { describeFindings, runTorture } from './torture.ts'
import { zombie } from './zombie.ts'

const stores = zombie.stores.filter((store) => store !== 's3' || hasMoto())
if (stores.length < zombie.stores.length) leaveOut('tests that need moto', INSTALL_MOTO)

test.each(stores)(
  'a driver that slept past its lease does no harm: %s',
  {
    timeout: 120_000,
  },
  async (store) => {
    const report = await runTorture(zombie, { store })
    expect(describeFindings(report)).toEqual([])
    expect(report.outcomes.get('fenced')).toBe(3)
  },
)
