import { expect, test } from 'vitest'
import { FAULTS_MIN, simulate } from './sim/simulation.ts'
import { sim } from './sim.ts'
import { describeFindings, runTorture } from './torture.ts'

test.each(sim.stores)(
  'whatever goes wrong in a simulation, nothing is lost or doubled, and nothing hangs: %s',
  {
    timeout: 200_000,
  },
  async (store) => {
    const report = await runTorture(sim, { store, count: sim.counts.ci / 2 })
    expect(describeFindings(report)).toEqual([])
    expect(report.to).toBe(100)
  },
)

test.each(['local', 's3'] as const)('a seed gives the same run again: %s', async (kind) => {
  const first = await simulate(7, kind)
  const other = await simulate(8, kind)
  const again = await simulate(7, kind)
  expect(again).toEqual(first)
  expect(other.trace).not.toBe(first.trace)
  expect(first.faults).toBeGreaterThanOrEqual(FAULTS_MIN)
})

// What they found is mended; they may take another course since.
test.each([
  ['s3', 1192],
  ['s3', 3153],
  ['s3', 3722],
  ['s3', 5835],
] as const)('a seed that has found a mistake finds none: %s, %i', async (store, seed) => {
  const report = await runTorture(sim, { store, seed, count: 1 })
  expect(describeFindings(report)).toEqual([])
})
