import { ManualClock } from 'millrace/testing'
import { expect, test } from 'vitest'
import { answerWithin, NoAnswer } from '../src/service-calls.ts'

const never = (): Promise<never> => new Promise(() => undefined)

test('gives the answer, and does not abort what has been answered', async () => {
  const clock = new ManualClock()
  let signal: AbortSignal | undefined
  const answer = answerWithin(clock, 100, (given) => {
    signal = given
    return Promise.resolve(7)
  })
  await expect(answer).resolves.toBe(7)
  clock.advance(100)
  expect(signal?.aborted).toBe(false)
})

test('gives a call up after its time, though the client ignores the signal', async () => {
  const clock = new ManualClock()
  let signal: AbortSignal | undefined
  const answer = answerWithin(clock, 100, (given) => {
    signal = given
    return never()
  })
  clock.advance(100)
  await expect(answer).rejects.toThrow(new NoAnswer('no answer within 100 ms'))
  expect(signal?.aborted).toBe(true)
})

test('gives a call up at a stop, though the client ignores the signal', async () => {
  const stop = new AbortController()
  const answer = answerWithin(new ManualClock(), 100, never, stop.signal)
  stop.abort(new Error('the run ends'))
  await expect(answer).rejects.toThrow('the run ends')
})
