import { expect, test } from 'vitest'
import { Coverage } from './reshard/coverage.ts'
import { World } from './reshard/world.ts'
import { reshard } from './reshard.ts'
import { describeFindings, runTorture } from './torture.ts'

test('shards that change under load, and kills, lose and double nothing', {
  timeout: 60_000,
}, async () => {
  const report = await runTorture(reshard)
  expect(describeFindings(report)).toEqual([])
  expect(report.to).toBe(20)
})

test('a seed of reshard repeats call by call', { timeout: 60_000 }, async () => {
  const logOf = async (): Promise<string> => {
    const world = new World(7, 2, new Coverage())
    await world.run()
    return world.log
  }
  expect(await logOf()).toBe(await logOf())
})
