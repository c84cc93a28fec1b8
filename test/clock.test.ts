// The machine's clock: a timer of the system holds 24.8 days at most, and fires at once beyond.

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { systemClock } from '../src/clock.ts'

const DAY_MS = 86_400_000

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test.each([25, 30, 80])('a wait of %d days ends after as many days', (days) => {
  const fire = vi.fn()
  systemClock.after(days * DAY_MS, fire)
  vi.advanceTimersByTime(days * DAY_MS - 1)
  expect(fire).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1)
  expect(fire).toHaveBeenCalledOnce()
  expect(vi.getTimerCount()).toBe(0)
})

test('a long wait is cancelled in whichever part it is', () => {
  const fire = vi.fn()
  const cancel = systemClock.after(60 * DAY_MS, fire)
  vi.advanceTimersByTime(30 * DAY_MS)
  cancel()
  expect(vi.getTimerCount()).toBe(0)
  vi.advanceTimersByTime(60 * DAY_MS)
  expect(fire).not.toHaveBeenCalled()
})

test('a time that is over is waited for no longer than a turn', () => {
  const fire = vi.fn()
  systemClock.after(-5, fire)
  vi.advanceTimersByTime(0)
  expect(fire).toHaveBeenCalledOnce()
})
