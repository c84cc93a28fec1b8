// The estimator computes what Spark's does: its suite's tables, and its properties at random.

import fc from 'fast-check'
import { pipeline } from 'millrace'
import { describe, expect, test } from 'vitest'
import { settingsOf } from '../../src/scheduler/options.ts'
import { type PidOptions, PidRateEstimator } from '../../src/scheduler/rate-estimator.ts'
import { casesOf, type SparkCase } from '../parity/cases.ts'

const INTERVAL_MS = 20
const only = { proportional: 1, integral: 0, derivative: 0, rateMin: 10 }

function estimator(options: Partial<PidOptions> = {}): PidRateEstimator {
  return new PidRateEstimator({ batchIntervalMs: INTERVAL_MS, ...only, ...options })
}

function optionsOf(params: SparkCase['params']): PidOptions {
  const { batchIntervalMs, proportional, integral, derivative, minRate } = params as Readonly<
    Record<string, number>
  >
  return { batchIntervalMs, proportional, integral, derivative, rateMin: minRate } as PidOptions
}

type Row = readonly [endTime: number, records: number, processing: number, scheduling: number]

function compute(estimates: PidRateEstimator, rows: readonly Row[]): (number | null)[] {
  return rows.map(([endTime, records, processingDelayMs, schedulingDelayMs]) => {
    return estimates.compute({ endTime, records, processingDelayMs, schedulingDelayMs }) ?? null
  })
}

const suite = casesOf('pidrateestimatorsuite')

describe('PidRateEstimator as in Spark', () => {
  const tables = suite.filter(({ columns }) => columns?.[0] === 'timeMs')
  test.each(tables.map((c) => [c.name, c] as const))('%s', (_name, c) => {
    const computed = compute(new PidRateEstimator(optionsOf(c.params)), c.input as unknown as Row[])
    expect(computed).toEqual(c.expected)
  })

  const ranges = suite.find(({ name }) => name === 'estimator checks ranges')
  test.each(ranges?.input as [number, number, number, number, number][])(
    'refuses the settings %d, %d, %d, %d, %d',
    (batchIntervalMs, proportional, integral, derivative, rateMin) => {
      const options = { batchIntervalMs, proportional, integral, derivative, rateMin }
      expect(() => new PidRateEstimator(options)).toThrow(/Cannot use .* of backpressure/)
    },
  )

  test('has the defaults of Spark where backpressure is true', () => {
    const options = { batchInterval: 1_000, checkpoint: false, backpressure: true } as const
    expect(settingsOf('p', options).rate).toEqual({
      rateMax: undefined,
      initialRate: undefined,
      pid: { batchIntervalMs: 1_000, proportional: 1, integral: 0.2, derivative: 0, rateMin: 100 },
    })
  })

  test('is used only where backpressure is asked for', () => {
    expect(settingsOf('p', { batchInterval: 1_000, checkpoint: false }).rate.pid).toBeUndefined()
  })
})

describe('PidRateEstimator', () => {
  const interval = (n: number): number => (n + 1) * INTERVAL_MS

  test('follows the speed of the last batch where only that counts', () => {
    const records = fc.array(fc.integer({ min: 1, max: 10_000 }), { minLength: 2, maxLength: 50 })
    fc.assert(
      fc.property(records, (counts) => {
        const rows = counts.map((n, i): Row => [interval(i), n, INTERVAL_MS, 0])
        const [first, ...rest] = compute(estimator({ rateMin: 1 }), rows)
        expect(first).toBeNull()
        for (const [i, rate] of rest.entries()) {
          expect(rate).toBeCloseTo(((counts[i + 1] ?? 0) / INTERVAL_MS) * 1_000, 6)
        }
      }),
    )
  })

  test('stays below the speed where records have piled up', () => {
    const rows = Array.from({ length: 20 }, (_, i): Row => [interval(i), 400, INTERVAL_MS, 25])
    const [, ...rates] = compute(estimator({ integral: 0.5 }), rows)
    for (const rate of rates) expect(rate).toBeLessThan((400 / INTERVAL_MS) * 1_000)
  })

  test('never gives less than the minimum', () => {
    const row = fc.tuple(fc.nat(1_000), fc.nat(1_000), fc.nat(1_000), fc.nat(1_000_000))
    fc.assert(
      fc.property(fc.array(row, { maxLength: 50 }), (rows) => {
        for (const rate of compute(estimator({ integral: 1, derivative: 1 }), rows)) {
          if (rate !== null) expect(rate).toBeGreaterThanOrEqual(10)
        }
      }),
    )
  })

  test('weighs how fast the error changes', () => {
    const rows: Row[] = [
      [0, 20, 20, 0],
      [1_000, 40, 20, 0],
      [2_000, 50, 20, 0],
    ]
    expect(compute(estimator({ derivative: 0.5 }), rows)).toEqual([null, 2_500, 2_000])
  })

  test('says nothing about a batch without records', () => {
    const rows: Row[] = [
      [0, 10, 10, 0],
      [10, 0, 10, 0],
    ]
    expect(compute(estimator(), rows)).toEqual([null, null])
  })
})

describe('the options of rates', () => {
  const options = { batchInterval: '1s', checkpoint: false } as const
  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('a rateMax of %s is refused', (rate) => {
    expect(() => pipeline('p', { ...options, rateMax: rate }, () => undefined)).toThrow(/rateMax/)
  })

  test.each([
    [{ initialRate: 0 }, /Cannot use 0 as initialRate/],
    [{ rateMin: 0 }, /Cannot use 0 as rateMin/],
    [{ proportional: -1 }, /Cannot use -1 as proportional/],
    [{ integral: Number.NaN }, /Cannot use NaN as integral/],
  ] as const)('backpressure of %o is refused', (backpressure, message) => {
    expect(() => pipeline('p', { ...options, backpressure }, () => undefined)).toThrow(message)
  })
})
