import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { FaultedCase } from './faults/faulted-case.ts'
import { faults } from './faults.ts'
import { describeFindings, runTorture } from './torture.ts'

test('calls that fail in every way lose and double nothing, and never pass the limits of a shard', {
  timeout: 120_000,
}, async () => {
  const report = await runTorture(faults)
  expect(describeFindings(report)).toEqual([])
  expect(report.to).toBe(20_000)
})

test('a seed gives the same calls in each run', { timeout: 60_000 }, async () => {
  const callsOf = async (seed: number): Promise<string> => {
    const hash = createHash('sha256')
    await new FaultedCase(seed, (call) => hash.update(JSON.stringify(call))).run(200)
    return hash.digest('hex')
  }
  const first = await callsOf(5)
  expect(await callsOf(5)).toBe(first)
  expect(await callsOf(6)).not.toBe(first)
})
