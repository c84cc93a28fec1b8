import { ManualClock } from 'millrace/testing'
import { expect, test } from 'vitest'
import { mulberry32 } from '../../src/batch/recipes.ts'

test('timers fire in order of their times, and of their setting, whatever is cancelled', () => {
  const random = mulberry32(5)
  const clock = new ManualClock()
  const expected: { readonly at: number; readonly n: number }[] = []
  const fired: number[] = []
  const cancels: (() => void)[] = []
  for (let n = 0; n < 2_000; n++) {
    const at = Math.floor(random() * 300)
    const cancel = clock.after(at, () => fired.push(n))
    if (random() < 0.6) cancels.push(cancel)
    else expected.push({ at, n })
    if (random() < 0.5) cancels.splice(Math.floor(random() * cancels.length), 1)[0]?.()
  }
  for (const cancel of cancels) cancel()
  clock.advance(300)
  expect(fired).toEqual(expected.sort((a, b) => a.at - b.at || a.n - b.n).map(({ n }) => n))
})

test('a timer that fires may set another for the same time, and cancel those that come', () => {
  const clock = new ManualClock()
  const fired: string[] = []
  const cancel = clock.after(20, () => fired.push('cancelled'))
  clock.after(10, () => {
    fired.push('first')
    clock.after(0, () => fired.push('second'))
    cancel()
  })
  clock.advance(20)
  expect(fired).toEqual(['first', 'second'])
})
