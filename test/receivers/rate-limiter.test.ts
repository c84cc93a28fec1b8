import { ManualClock } from 'millrace/testing'
import { describe, expect, test } from 'vitest'
import { RateLimiter } from '../../src/receivers/rate-limiter.ts'

describe('RateLimiter', () => {
  test('holds nothing without a rate', () => {
    const limiter = new RateLimiter(new ManualClock())
    expect([limiter.rate, limiter.grant(1_000_000), limiter.waitMs]).toEqual([
      Infinity,
      1_000_000,
      0,
    ])
  })

  test('lets records pass at its rate, the first one at once', () => {
    const clock = new ManualClock()
    const limiter = new RateLimiter(clock, 100)
    expect(limiter.grant(5)).toBe(1)
    expect(limiter.waitMs).toBe(10)
    clock.advance(9)
    expect(limiter.grant(5)).toBe(0)
    clock.advance(1)
    expect(limiter.grant(5)).toBe(1)
    clock.advance(50)
    expect(limiter.grant(10)).toBe(5)
  })

  test('keeps its rate over time, however late and in whatever portions it is asked', () => {
    const clock = new ManualClock()
    const limiter = new RateLimiter(clock, 1_001)
    let passed = 0
    for (let ms = 0; ms < 2_000; ms += 7) {
      passed += limiter.grant(1_000)
      clock.advance(7)
    }
    expect(passed).toBeGreaterThan(1_990)
    expect(passed).toBeLessThanOrEqual(2_003)
  })

  test('gives what was not used later, but not more than for a second', () => {
    const clock = new ManualClock()
    const limiter = new RateLimiter(clock, 100)
    clock.advance(60_000)
    expect(limiter.grant(1_000)).toBe(101)
    expect(limiter.grant(1_000)).toBe(0)
  })

  test('waits no longer than its new rate asks', () => {
    const clock = new ManualClock()
    const limiter = new RateLimiter(clock)
    limiter.setRate(0.1)
    expect(limiter.grant(1)).toBe(1)
    expect(limiter.waitMs).toBe(10_000)
    limiter.setRate(100)
    expect(limiter.waitMs).toBe(10)
  })

  test.each([0, -5, Number.NaN])('ignores a rate of %s', (rate) => {
    const limiter = new RateLimiter(new ManualClock(), 100)
    limiter.setRate(rate)
    expect(limiter.rate).toBe(100)
  })
})
