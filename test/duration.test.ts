// Lengths of time as a user writes them.

import { expect, test } from 'vitest'
import { type Duration, durationMs } from '../src/duration.ts'

test.each([
  ['16.1s', 16_100],
  ['1.001s', 1_001],
  ['4.35s', 4_350],
  ['0.57s', 570],
  ['1.15m', 69_000],
  ['1000.1d', 86_408_640_000],
  ['0.30000000000000004s', 300],
  ['1.5h', 5_400_000],
] as const)('%s is %d ms', (duration, ms) => {
  expect(durationMs(duration, 'timeout')).toBe(ms)
})

test.each(['0.5ms', '1.0005s', 1.5, Number.NaN, '1 s', 's', -1] as Duration[])(
  '%s is refused, with the rule',
  (duration) => {
    const rule = /as timeout: a duration is a whole number of milliseconds/
    expect(() => durationMs(duration, 'timeout')).toThrow(rule)
  },
)
