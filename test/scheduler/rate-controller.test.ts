import { describe, expect, test } from 'vitest'
import { RateController } from '../../src/scheduler/rate-controller.ts'
import type { RateEstimator } from '../../src/scheduler/rate-estimator.ts'
import { casesOf } from '../parity/cases.ts'

const figures = { endTime: 1, records: 1, processingDelayMs: 1, schedulingDelayMs: 0 }
const giving = (...rates: (number | undefined)[]): RateEstimator => ({
  compute: () => rates.shift(),
})

describe('RateController', () => {
  const [limiter] = casesOf('ratelimitersuite')
  const rows = (limiter?.input ?? []) as [number | null, number][]
  const expected = limiter?.expected as number[]
  test.each(rows.map(([rateMax, update], i) => [rateMax, update, expected[i]] as const))(
    'with a rateMax of %s and an estimate of %d allows %d, as in Spark',
    (rateMax, update, rate) => {
      const options = { initialRate: undefined, rateMax: rateMax ?? undefined }
      const controller = new RateController({ estimator: giving(update), ...options })
      controller.batchCompleted(figures)
      expect(controller.recordsPerSecond).toBe(rate)
    },
  )

  test('begins with the initial rate, unless rateMax is lower', () => {
    const begin = (initialRate: number | undefined, rateMax: number | undefined) =>
      new RateController({ estimator: undefined, initialRate, rateMax }).recordsPerSecond
    expect(begin(50, undefined)).toBe(50)
    expect(begin(50, 20)).toBe(20)
    expect(begin(undefined, 20)).toBe(20)
    expect(begin(undefined, undefined)).toBe(Number.POSITIVE_INFINITY)
  })

  test('says whether the rate is another one', () => {
    const estimator = giving(100, 100, undefined, 300, 400)
    const controller = new RateController({ estimator, initialRate: undefined, rateMax: 250 })
    const changes = [1, 2, 3, 4, 5].map(() => controller.batchCompleted(figures))
    expect(changes).toEqual([true, false, false, true, false])
  })

  test.each([
    [1_001, 100, 100],
    [15, 100, 1],
    [1, 100, 1],
    [0.5, 10_000, 5],
  ])('at %d records a second gives a batch of %d ms %d records', (rateMax, intervalMs, records) => {
    const options = { estimator: undefined, initialRate: undefined, rateMax }
    expect(new RateController(options).recordsMax(intervalMs)).toBe(records)
  })
})
