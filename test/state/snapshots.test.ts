// Snapshots that are written while batches go on, and what restarts make of them.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Life, Lives } from './lives.ts'

const RUNS = Math.ceil(Number(process.env['PROPERTY_RUNS'] ?? 1_000) / 100)
const BATCHES = 16
const UNDISTURBED: Life = {
  workers: 0,
  batches: BATCHES,
  diesAt: null,
  snapshotEvery: 1_000,
  snapshotBytesPerSecond: 1,
}

const line = fc.tuple(fc.nat(60), fc.nat(9)).map(([key, n]) => `key-${key} ${n}`)
const script = fc.array(fc.array(line, { maxLength: 40 }), {
  minLength: BATCHES,
  maxLength: BATCHES,
})
const life: fc.Arbitrary<Life> = fc.record({
  workers: fc.constantFrom(0, 1, 2, 3),
  batches: fc.integer({ min: 1, max: 7 }),
  diesAt: fc.constantFrom('planned', 'ran', 'sinks', 'committed', null),
  snapshotEvery: fc.integer({ min: 1, max: 4 }),
  snapshotBytesPerSecond: fc.constantFrom(30_000, 200_000, 1e9),
})

/** Workers start and import the pipeline, slowly on a loaded machine. */
const TIMEOUT_MS = 120_000

describe('a snapshot that is written while batches go on', { timeout: TIMEOUT_MS }, () => {
  test('gives the state back, whatever dies and with how many workers it goes on', async () => {
    let snapshots = 0
    const property = fc.asyncProperty(
      script,
      fc.array(life, { maxLength: 5 }),
      async (input, all) => {
        const lives = new Lives(input)
        for (const one of all) await lives.live(one)
        await lives.live(UNDISTURBED)
        snapshots += lives.snapshots
        const expected = new Lives(input)
        await expected.live({ ...UNDISTURBED, batches: lives.last })
        expect(lives.outputs).toStrictEqual(expected.outputs)
      },
    )
    await fc.assert(property, { numRuns: RUNS, seed: 5 })
    expect(snapshots).toBeGreaterThan(RUNS / 2)
  })
})
