import { expect, test } from 'vitest'
import { INSTALL_MOTO } from '../integration/moto-command.ts'
import { leaveOut } from '../left-out.ts'
import { kill } from './kill.ts'
import { hasMoto } from './moto-server.ts'
import { describeFindings, runTorture } from './torture.ts'

const stores = kill.stores.filter((store) => store !== 's3' || hasMoto())
if (stores.length < kill.stores.length) leaveOut('tests that need moto', INSTALL_MOTO)

test.each(stores)(
  'an engine that is killed in each phase loses and doubles nothing: %s',
  {
    timeout: 180_000,
  },
  async (store) => {
    const report = await runTorture(kill, { store })
    expect(describeFindings(report)).toEqual([])
    expect(report.to).toBe(15)
  },
)
