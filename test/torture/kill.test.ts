import { expect, test } from 'vitest'
import { hasMoto, INSTALL_MOTO } from '../integration/moto.ts'
import { leaveOut } from '../left-out.ts'
import { kill } from './kill.ts'
import { describeFindings, runTorture } from './torture.ts'

const stores = kill.stores.filter((store) => store !== 's3' || hasMoto())
if (stores.length < kill.stores.length) leaveOut('tests that need moto', INSTALL_MOTO)

// 15 in all.
const kills = { local: 10, s3: 5 }

test.each(stores)(
  'an engine that is killed in each phase loses and doubles nothing: %s',
  {
    timeout: 400_000,
  },
  async (store) => {
    const count = kills[store as keyof typeof kills]
    const report = await runTorture(kill, { store, count })
    expect(describeFindings(report)).toEqual([])
    expect(report.to).toBe(count)
  },
)
