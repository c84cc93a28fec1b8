import { expect, test } from 'vitest'
import { hasPostgres } from '../integration/postgres-server.ts'
import { crashPoints } from './crash-points.ts'
import { describeFindings, runTorture } from './torture.ts'

const stores = crashPoints.stores.filter((store) => store !== 'postgres' || hasPostgres())

test.each(stores)(
  'a death at any call that changes something loses and doubles nothing: %s',
  {
    timeout: 300_000,
  },
  async (store) => {
    const report = await runTorture(crashPoints, { store })
    expect(describeFindings(report)).toEqual([])
    expect(report.outcomes.get('died twice')).toBeGreaterThan(report.to / 2)
  },
)
