import { ManualClock } from 'millrace/testing'
import { expect, test } from 'vitest'
import { Prefetch } from '../../../src/receivers/kinesis/prefetch.ts'

const small = { waiting: 0, pageBytes: () => 10 }

// Found by `npm run torture -- faults --seed 456001 --count 1`: a receiver that never stopped.
test('the end lets a waiting read go on, though no byte is free', async () => {
  const prefetch = new Prefetch(100, new ManualClock(), () => 30)
  prefetch.bound.add(95)
  prefetch.cutTook(10)
  const admitted = prefetch.admit({ ...small, waiting: 30 })
  prefetch.release()
  await expect(admitted).resolves.toHaveProperty('records', 10_000)
})

test('after the end a cut holds back no read', async () => {
  const prefetch = new Prefetch(100, new ManualClock(), () => 30)
  prefetch.release()
  prefetch.cutTook(10)
  await expect(prefetch.admit({ ...small, waiting: 30 })).resolves.toHaveProperty('records', 10_000)
})

test('calls in flight share the records that two cuts take, and bring one at least', async () => {
  const prefetch = new Prefetch(1_000, new ManualClock(), () => 0)
  prefetch.cutTook(10)
  const leaves = await Promise.all(Array.from({ length: 8 }, () => prefetch.admit(small)))
  expect(leaves.map(({ records }) => records)).toEqual([10, 5, 3, 1, 1, 1, 1, 1])
  for (const leave of leaves) prefetch.giveBack(leave)
  expect((await prefetch.admit(small)).records).toBe(10)
})

test('who waits for records goes on when a call brings less than it might have', async () => {
  const prefetch = new Prefetch(1_000, new ManualClock(), () => 1)
  prefetch.cutTook(1)
  const first = await prefetch.admit({ ...small, waiting: 1 })
  let goesOn = false
  const second = prefetch.admit({ ...small, waiting: 1 }).then(() => {
    goesOn = true
  })
  await Promise.resolve()
  expect(goesOn).toBe(false)
  prefetch.giveBack(first)
  await second
})

test('who has waited long asks for what may have been written meanwhile', async () => {
  const clock = new ManualClock()
  const prefetch = new Prefetch(100, clock, () => 0)
  const growing = { waiting: 0, pageBytes: (nowMs: number) => (nowMs >= 5_000 ? 60 : 10) }
  prefetch.bound.add(95)
  const admitted = prefetch.admit(growing)
  clock.advance(clock.wallMs() + 5_000)
  prefetch.bound.add(-90)
  expect((await admitted).bytes).toBe(60)
})

// Found by `npm run torture -- faults --seed 584001 --count 1`: a read that failed for minutes.
test('before each attempt room is kept for what may have been written since', async () => {
  const clock = new ManualClock(0)
  const prefetch = new Prefetch(100, clock, () => 0)
  const growing = { waiting: 0, pageBytes: (nowMs: number) => (nowMs >= 5_000 ? 60 : 10) }
  const leave = await prefetch.admit(growing)
  prefetch.bound.add(45)
  clock.advance(5_000)
  let isRenewed = false
  const renewed = prefetch.renew(leave, growing).then(() => {
    isRenewed = true
  })
  await Promise.resolve()
  expect(isRenewed).toBe(false)
  prefetch.bound.add(-5)
  await renewed
  expect(leave.bytes).toBe(60)
  prefetch.giveBack(leave)
  expect((await prefetch.admit({ waiting: 0, pageBytes: () => 60 })).bytes).toBe(60)
})
