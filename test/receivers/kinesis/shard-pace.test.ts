import { ManualClock } from 'millrace/testing'
import { describe, expect, test } from 'vitest'
import { ShardPace } from '../../../src/receivers/kinesis/shard-pace.ts'

const SETTINGS = { pollIntervalMs: 200, idlePollIntervalMs: 1_000 }
const FULL = { records: 1, bytes: 10, behindMs: 5 }
const EMPTY = { records: 0, bytes: 0, behindMs: 0 }

function pacing(random = 0) {
  const clock = new ManualClock()
  const pace = new ShardPace(SETTINGS, clock, () => random)
  /** Makes one read, and gives the wait before the next. */
  const read = (figures: typeof FULL): number => {
    clock.advance(pace.waitMs)
    pace.began()
    pace.gave(figures)
    return pace.waitMs
  }
  return { clock, pace, read }
}

describe('the pace of a shard', () => {
  test('is one read in 200 ms', () => {
    const { pace, read } = pacing()
    expect(pace.waitMs).toBe(0)
    expect([read(FULL), read(FULL)]).toEqual([200, 200])
  })

  test('pays a page off at 2 MiB a second', () => {
    const { read } = pacing()
    expect(read({ ...FULL, bytes: 10 * 1_048_576 })).toBe(5_001)
    expect(read({ ...FULL, bytes: 1_048_576 })).toBe(501)
  })

  test('is halved by each refusal, and comes back step by step', () => {
    const { pace, read } = pacing()
    pace.throttled()
    expect([pace.rate, pace.waitMs]).toEqual([2.5, 400])
    pace.throttled()
    expect([pace.rate, pace.waitMs]).toEqual([1.25, 800])
    for (let i = 0; i < 10; i++) read(FULL)
    expect(pace.rate).toBeCloseTo(2.25)
    for (let i = 0; i < 100; i++) read(FULL)
    expect([pace.rate, read(FULL)]).toEqual([5, 200])
  })

  test('is never slower than one read in 5 s for refusals, and a random part of one more', () => {
    const { pace } = pacing(0.5)
    for (let i = 0; i < 20; i++) pace.throttled()
    expect([pace.rate, pace.waitMs]).toEqual([0.2, 7_500])
  })

  test('slows down where nothing comes, up to its bound, until a record comes', () => {
    const { read } = pacing()
    const waits = Array.from({ length: 9 }, () => read(EMPTY))
    expect(waits).toEqual([200, 200, 200, 200, 200, 400, 800, 1_000, 1_000])
    expect(read(FULL)).toBe(200)
  })

  test('does not slow down on empty reads with records behind them', () => {
    const { read } = pacing()
    const waits = Array.from({ length: 9 }, () => read({ ...EMPTY, behindMs: 1_000 }))
    expect(new Set(waits)).toEqual(new Set([200]))
  })
})
