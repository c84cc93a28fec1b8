import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { planKills } from '../../demo/kill-plan.ts'

describe('planKills()', () => {
  test('gives the same plan for the same seed, and another for another', () => {
    expect(planKills(5, 40, 3)).toEqual(planKills(5, 40, 3))
    expect(planKills(5, 40, 3)).not.toEqual(planKills(5, 40, 4))
  })

  test('keeps every kill within the run and in order', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), fc.nat(), fc.nat(100), (kills, seed, more) => {
        const seconds = kills * 2 + 2 + more
        const times = planKills(kills, seconds, seed).map(({ atMs }) => atMs)
        expect(times).toHaveLength(kills)
        expect(times).toEqual(times.toSorted((a, b) => a - b))
        expect(times[0]).toBeGreaterThanOrEqual(1_500)
        expect(times.at(-1)).toBeLessThan(seconds * 1_000)
      }),
    )
  })

  test('aims at every step of a batch and at none', () => {
    const aims = planKills(60, 300, 1).map(({ aim }) => aim)
    expect(new Set(aims).size).toBe(5)
  })
})
