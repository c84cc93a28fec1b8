// A log in a store whose objects cannot grow: each group of commits is a slot.

import { expect, test } from 'vitest'
import { FaultyStore } from '../../src/testing/faulty-store.ts'
import { MemoryStore } from '../../src/testing/memory-store.ts'
import {
  changesOf,
  commitOf,
  committedIds,
  openLog,
  Processes,
  planOf,
  recover,
  redoIds,
  runBatches,
  timeOf,
  writeSnapshot,
  ZERO_TIME,
} from './logs.ts'

const storeWithoutAppends = (): MemoryStore => new MemoryStore(undefined, { appends: false })

test('a log of groups gives the next run what was committed and what was planned', async () => {
  const store = storeWithoutAppends()
  const { log } = await openLog(store)
  await runBatches(log, 1, 2)
  await log.plan(planOf(3))
  await log.sync()
  await log.commit(commitOf(3))

  const recovered = await recover(store, { zeroTime: () => 0 })
  expect(recovered).toMatchObject({ fresh: false, epoch: 2, zeroTime: ZERO_TIME, lastBatchId: 2 })
  expect(recovered.changes.at(-1)).toEqual({ batchId: 2, time: timeOf(2), changes: changesOf(2) })
  expect(redoIds(recovered)).toEqual([3])
  expect(recovered.warnings).toEqual([])
})

test('a log of groups makes one object of all that is synced together', async () => {
  const store = new FaultyStore(storeWithoutAppends(), [])
  const { log } = await openLog(store)
  const before = store.callsOf('createIfAbsent')
  for (const batchId of [1, 2, 3]) await log.plan(planOf(batchId))
  await log.sync()
  for (const batchId of [1, 2, 3]) await log.commit(commitOf(batchId))
  await log.plan(planOf(4))
  await log.sync()
  await log.sync()
  expect(store.callsOf('createIfAbsent') - before).toBe(2)
  expect(store.callsOf('append') + store.callsOf('sync')).toBe(0)
})

test('a log of groups is bounded in the bytes of a group', async () => {
  const store = storeWithoutAppends()
  const { log } = await openLog(store, { segmentBytesMax: 2_000 })
  for (let batchId = 1; batchId <= 30; batchId += 1) {
    await log.plan(planOf(batchId))
    await log.commit(commitOf(batchId))
  }
  await log.close()
  for (const name of await store.list('slots/')) {
    expect((await store.read(name))?.length).toBeLessThan(3_000)
  }
  expect((await recover(store)).lastBatchId).toBe(30)
})

test('a log of groups goes on through many runs, closed or not', async () => {
  const store = storeWithoutAppends()
  for (let run = 0; run < 5; run += 1) {
    const { log, recovered } = await openLog(store)
    expect(recovered.lastBatchId).toBe(run * 3)
    await runBatches(log, run * 3 + 1, run * 3 + 3)
    if (run % 2 === 0) await log.close()
  }
  expect(committedIds(await recover(store))).toHaveLength(15)
})

test('a log of groups is let go by a close, and by a start that failed', async () => {
  const store = storeWithoutAppends()
  const host = new Processes().start()
  const { log } = await openLog(store, { host })
  await log.close()
  const zeroTime = (): number => {
    throw new Error('no zero time')
  }
  const other = storeWithoutAppends()
  await expect(openLog(other, { host, zeroTime })).rejects.toThrow('no zero time')
  for (const one of [store, other]) {
    await openLog(one, { takeover: 'refuse', host: new Processes().start('b') })
  }
})

test('a log of groups forgets and deletes what the two newest snapshots do not need', async () => {
  const store = storeWithoutAppends()
  const { log } = await openLog(store)
  for (let batchId = 1; batchId <= 60; batchId += 1) {
    await runBatches(log, batchId, batchId)
    if (batchId % 10 === 0) await writeSnapshot(log, Buffer.from(`state ${batchId}`))
  }
  await log.close()
  expect((await store.list('slots/')).length).toBeLessThan(30)
  const recovered = await recover(store)
  expect(recovered.snapshot?.batchId).toBe(60)
  expect(recovered.lastBatchId).toBe(60)
})

test('a group that is not whole is never read around, wherever it is changed or cut', async () => {
  const store = storeWithoutAppends()
  const { log } = await openLog(store)
  await runBatches(log, 1, 2)
  await log.plan(planOf(3))
  await log.sync()
  const newest = (await store.list('slots/')).at(-1) ?? ''
  const whole = Buffer.from((await store.read(newest)) ?? [])
  const refuse = async (bytes: Buffer) => {
    store.damage(newest, () => bytes)
    await expect(recover(new Copy(store))).rejects.toMatchObject({ code: 'CHECKPOINT_CORRUPT' })
  }
  for (let at = 0; at < whole.length; at += 1) {
    const changed = Buffer.from(whole)
    changed.writeUInt8(changed.readUInt8(at) ^ 4, at)
    await refuse(changed)
    await refuse(whole.subarray(0, at))
  }
  store.damage(newest, () => whole)
  expect(redoIds(await recover(new Copy(store)))).toEqual([3])
})

/** Reads what another store holds, and keeps what is written to itself. */
class Copy extends MemoryStore {
  readonly #from: MemoryStore

  constructor(from: MemoryStore) {
    super(undefined, { appends: false })
    this.#from = from
  }

  override async open(): Promise<void> {
    for (const name of await this.#from.list('')) {
      await this.createIfAbsent(name, (await this.#from.read(name)) ?? new Uint8Array())
    }
  }
}
