// The signs of life of an owner, and which thread gives them.

import { expect, test } from 'vitest'
import { Heartbeat } from '../../src/checkpoint/heartbeat.ts'
import { Lease } from '../../src/checkpoint/lease.ts'
import { Pulse, PulseWatch, STUCK_MS } from '../../src/checkpoint/pulse.ts'
import { StreamingError } from '../../src/errors.ts'
import { FaultyStore } from '../../src/testing/faulty-store.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { MemoryStore } from '../../src/testing/memory-store.ts'
import { quietLogger } from '../../src/testing/quiet-logger.ts'
import { listeningLogger, settle } from './logs.ts'

const NAME = 'epoch-3/heartbeat'
const logger = quietLogger
const written = (): number => 0

async function pass(clock: ManualClock, ms: number): Promise<void> {
  for (let at = 0; at < ms; at += 500) {
    clock.advance(500)
    await settle()
  }
}

test('a heartbeat changes its object several times within a lease, until its end', async () => {
  const clock = new ManualClock()
  const store = new FaultyStore(new MemoryStore(), [])
  const heartbeat = new Heartbeat({ store, epoch: 3, clock, logger, written })
  await pass(clock, 10_000)
  expect(store.callsOf('put')).toBe(4)
  expect(String(await store.read(NAME))).toBe('4')
  await heartbeat.stop()
  await pass(clock, 10_000)
  expect(store.callsOf('put')).toBe(4)
})

test('a heartbeat is left out where the log was written, which is a sign as well', async () => {
  const clock = new ManualClock()
  const store = new FaultyStore(new MemoryStore(), [])
  const lease = new Lease({ store, epoch: 3, clock, logger })
  for (let second = 0; second < 10; second += 1) {
    lease.flushed()
    await pass(clock, 1_000)
  }
  expect(store.callsOf('put')).toBe(0)
  await pass(clock, 5_000)
  expect(store.callsOf('put')).toBeGreaterThan(0)
  await lease.stop()
})

test('a heartbeat goes on after the store failed, and says so', async () => {
  const clock = new ManualClock()
  const error = new StreamingError('CHECKPOINT_UNWRITABLE', 'no answer')
  const store = new FaultyStore(new MemoryStore(), [{ operation: 'put', error }])
  const told = listeningLogger()
  const heartbeat = new Heartbeat({ store, epoch: 3, clock, logger: told, written })
  await pass(clock, 5_000)
  expect(told.warnings).toHaveLength(1)
  expect(String(await store.read(NAME))).toBe('2')
  await heartbeat.stop()
})

test('a sign that takes long does not delay the next one', async () => {
  const clock = new ManualClock()
  const begun: number[] = []
  const store = new MemoryStore()
  store.put = async () => {
    begun.push(clock.monotonicMs())
    const ms = begun.length === 2 ? 3_000 : 1_000
    await new Promise<void>((resolve) => clock.after(ms, resolve))
  }
  const heartbeat = new Heartbeat({ store, epoch: 3, clock, logger, written })
  await pass(clock, 12_000)
  expect(begun).toEqual([2_500, 5_000, 8_000, 10_500])
  const stopped = heartbeat.stop()
  await pass(clock, 1_000)
  await stopped
})

test('another thread gives the signs while the event loop of the driver turns', async () => {
  const driver = new ManualClock()
  const other = new ManualClock()
  const pulse = new Pulse(driver)
  const watch = new PulseWatch(pulse.memory, other)
  for (let minute = 0; minute < 5; minute += 1) {
    driver.advance(1_000)
    other.advance(STUCK_MS - 1)
    expect(watch.isAlive()).toBe(true)
  }
  other.advance(STUCK_MS)
  expect(watch.isAlive()).toBe(false)
  driver.advance(1_000)
  expect(watch.isAlive()).toBe(true)
  pulse.stop()
})

test('a lease that was handed over gives no signs itself', async () => {
  const clock = new ManualClock()
  const store = new FaultyStore(new MemoryStore(), [])
  const lease = new Lease({ store, epoch: 3, clock, logger })
  expect(lease.elsewhere).toBeUndefined()
  await lease.handOver()
  await pass(clock, 10_000)
  expect(store.callsOf('put')).toBe(0)
  await lease.stop()
})
