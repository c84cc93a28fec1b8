// What becomes of a run whose log another one took.

import { expect, test } from 'vitest'
import type { CheckpointStore } from '../../src/checkpoint/store.ts'
import { FaultyStore } from '../../src/testing/faulty-store.ts'
import { MemoryStore } from '../../src/testing/memory-store.ts'
import {
  changesOf,
  commitOf,
  committedIds,
  HEAD,
  openLog,
  Processes,
  planOf,
  recover,
  redoIds,
  runBatches,
  writeSnapshot,
} from './logs.ts'

test('BatchLog rejects the sync of a log that was taken over, naming who took it', async () => {
  const store = new MemoryStore('checkpoint')
  const processes = new Processes()
  const first = await openLog(store, { host: processes.start() })
  const second = await openLog(store, { host: processes.start() })
  await first.log.plan(planOf(1))
  const syncing = first.log.sync()
  await expect(syncing).rejects.toMatchObject({ code: 'FENCED', retryable: false })
  await expect(syncing).rejects.toThrow(
    `Cannot go on with pipeline "words" in epoch 1: checkpoint "memory:checkpoint" must have one ` +
      `owner, and process 102 on host "a" took it over at 2023-11-14T22:13:20.000Z (epoch 2); ` +
      `run the pipeline in one place, or give each run a checkpoint of its own`,
  )
  await expect(first.log.commit(commitOf(1))).rejects.toMatchObject({ code: 'FENCED' })
  await runBatches(second.log, 1, 1)
})

test('BatchLog makes void what a zombie appends after the next owner read its log', async () => {
  const store = new MemoryStore()
  const zombie = await openLog(store)
  await runBatches(zombie.log, 1, 2)
  const second = await openLog(store)
  await zombie.log.plan(planOf(3))
  await zombie.log.commit(commitOf(3, Buffer.from('of the zombie')))
  await expect(zombie.log.sync()).rejects.toMatchObject({ code: 'FENCED' })
  await runBatches(second.log, 3, 3)
  const recovered = await recover(store)
  expect(committedIds(recovered)).toEqual([1, 2, 3])
  expect(recovered.changes[2]?.changes).toEqual(changesOf(3))
  expect(recovered).toMatchObject({ cutBytes: 0, warnings: [] })
})

for (const appends of [true, false]) {
  const kind = appends ? 'grow' : 'do not grow'
  test(`BatchLog passes on a plan whose sync resolved, where objects ${kind}`, () => {
    return passesOn(appends)
  })
}

async function passesOn(appends: boolean): Promise<void> {
  // The next owner runs whole at the n-th call that the first makes to its store.
  for (let call = 1; call < 60; call += 1) {
    const inner = new MemoryStore(undefined, { appends })
    let calls = 0
    let taken: Awaited<ReturnType<typeof openLog>> | undefined
    class InterruptedStore extends FaultyStore {
      override async append(name: string, bytes: Uint8Array): Promise<void> {
        await this.#interrupt()
        return super.append(name, bytes)
      }
      override async sync(name: string): Promise<void> {
        await this.#interrupt()
        return super.sync(name)
      }
      override async exists(name: string): Promise<boolean> {
        await this.#interrupt()
        return super.exists(name)
      }
      override async createIfAbsent(name: string, bytes: Uint8Array): Promise<boolean> {
        await this.#interrupt()
        return super.createIfAbsent(name, bytes)
      }
      async #interrupt(): Promise<void> {
        calls += 1
        if (calls === call) taken = await openLog(inner)
      }
    }
    const passed: number[] = []
    const run = async (): Promise<void> => {
      const overrides = { segmentBytesMax: 1_500 }
      const { log } = await openLog(new InterruptedStore(inner, []), overrides)
      for (let batchId = 1; batchId <= 8; batchId += 1) {
        await log.plan(planOf(batchId))
        await log.sync()
        passed.push(batchId)
        await log.commit(commitOf(batchId))
      }
    }
    const outcome = await run().catch((error: { code: string }) => error.code)
    expect(['FENCED', undefined]).toContain(outcome)
    const { recovered } = outcome === 'FENCED' && taken ? taken : await openLog(inner)
    const known = [...committedIds(recovered), ...redoIds(recovered)]
    expect(known.slice(0, passed.length)).toEqual(passed)
  }
}

test('BatchLog makes durable what it read of the old owner before it builds on it', async () => {
  const store = new MemoryStore()
  const first = await openLog(store)
  await first.log.plan(planOf(1))
  await openLog(store)
  store.crash()
  expect(redoIds(await recover(store))).toEqual([1])
})

test('FENCED is seen by a sleeper whose successor forgot the slot after its own', async () => {
  const store = new MemoryStore()
  const sleeper = await openLog(store)
  const second = await openLog(store, { segmentBytesMax: 1_000 })
  for (let batchId = 1; batchId <= 9; batchId += 1) {
    await runBatches(second.log, batchId, batchId)
    if (batchId % 3 === 0) await writeSnapshot(second.log, new Uint8Array())
  }
  expect(await store.exists('slots/0000000002.log')).toBe(false)
  await expect(sleeper.log.sync()).rejects.toMatchObject({ code: 'FENCED' })
})

test('FENCED is what an append to a forgotten slot rejects with', async () => {
  const store = new MemoryStore()
  const sleeper = await openLog(store)
  const second = await openLog(store, { segmentBytesMax: 1_000 })
  for (let batchId = 1; batchId <= 9; batchId += 1) {
    await runBatches(second.log, batchId, batchId)
    if (batchId % 3 === 0) await writeSnapshot(second.log, new Uint8Array())
  }
  expect(await store.exists(HEAD)).toBe(false)
  await expect(sleeper.log.plan(planOf(1))).rejects.toMatchObject({ code: 'FENCED' })
})

test('FENCED stops the roll to a next segment', async () => {
  const store = new MemoryStore()
  const first = await openLog(store, { segmentBytesMax: 600 })
  await openLog(store)
  const plans = [1, 2, 3, 4].map((batchId) => first.log.plan(planOf(batchId)))
  const outcomes = await Promise.allSettled(plans)
  expect(outcomes.at(-1)).toMatchObject({ reason: { code: 'FENCED' } })
})

test('BatchLog that is fenced deletes nothing that the next owner needs', async () => {
  const store = new MemoryStore()
  const first = await openLog(store, { segmentBytesMax: 1_000 })
  for (let batchId = 1; batchId <= 6; batchId += 1) {
    await runBatches(first.log, batchId, batchId)
    if (batchId % 3 === 0) await writeSnapshot(first.log, Buffer.from(`state ${batchId}`))
  }
  await first.log.plan(planOf(7))
  await first.log.commit(commitOf(7))
  const second = await openLog(store)
  const before = await store.list('slots/')
  await expect(writeSnapshot(first.log, Buffer.from('state 7'))).rejects.toMatchObject({
    code: 'FENCED',
  })
  expect(await store.list('slots/')).toEqual(before)
  await runBatches(second.log, 8, 8)
  expect(await recover(store)).toMatchObject({ lastBatchId: 8, warnings: [] })
})

test('FENCED names a slot that was deleted by hand', async () => {
  const store = new MemoryStore()
  const { log } = await openLog(store)
  store.damage(HEAD, () => undefined)
  await expect(log.sync()).rejects.toThrow(`slot "${HEAD}" of this one was deleted`)
})

test('BatchLog that starts sweeps nothing of an owner that comes right after it', async () => {
  class HastyStore extends MemoryStore {
    #lists = 0
    override async list(prefix: string): Promise<string[]> {
      this.#lists += prefix === 'epoch-' ? 1 : 0
      // The first two come before the log is read: before its slot is taken, and after.
      if (prefix === 'epoch-' && this.#lists === 3) {
        const successor = await openLog(this)
        await runBatches(successor.log, 1, 1)
        await writeSnapshot(successor.log, Buffer.from('state 1'))
      }
      return super.list(prefix)
    }
  }
  const store = new HastyStore()
  const { log } = await openLog(store)
  expect(await store.list('epoch-')).toEqual(['epoch-2/snapshot-1-1.bin'])
  await expect(log.sync()).rejects.toMatchObject({ code: 'FENCED' })
})

test('FENCED is seen by a sleeper whose next slot was won and forgotten', async () => {
  for (const appends of [true, false]) {
    const store = new MemoryStore(undefined, { appends })
    const sleeper = await openLog(store, { segmentBytesMax: 600 })
    const second = await openLog(store, { segmentBytesMax: 1_000 })
    for (let batchId = 1; batchId <= 9; batchId += 1) {
      await runBatches(second.log, batchId, batchId)
      if (batchId % 3 === 0) await writeSnapshot(second.log, new Uint8Array())
    }
    expect(await store.exists('slots/0000000003.log')).toBe(false)
    const woken = sleeper.log.plan(planOf(1)).then(() => sleeper.log.sync())
    await expect(woken).rejects.toMatchObject({ code: 'FENCED' })
  }
})

test('FENCED is seen by a start whose slot was won and forgotten before it', async () => {
  for (const appends of [true, false]) {
    const inner = new MemoryStore(undefined, { appends })
    class SleepyStore extends FaultyStore {
      override async createIfAbsent(name: string, bytes: Uint8Array): Promise<boolean> {
        if (this.callsOf('createIfAbsent') === 0) await liveLong(inner)
        return super.createIfAbsent(name, bytes)
      }
    }
    const waking = openLog(new SleepyStore(inner, []))
    await expect(waking).rejects.toMatchObject({ code: 'FENCED' })
    expect((await recover(inner)).lastBatchId).toBe(9)
  }
})

/** An owner that forgets its first slots. */
async function liveLong(store: MemoryStore): Promise<void> {
  const { log } = await openLog(store, { segmentBytesMax: 1_000 })
  for (let batchId = 1; batchId <= 9; batchId += 1) {
    await runBatches(log, batchId, batchId)
    if (batchId % 3 === 0) await writeSnapshot(log, new Uint8Array())
  }
  expect(await store.exists(HEAD)).toBe(false)
}

test.each(['sync', 'planDurable'] as const)(
  'FENCED is seen by a sleeper whose slot was forgotten and brought back by a late request: %s',
  async (call) => {
    const store = new MemoryStore(undefined, { appends: false })
    const tried = new Proxy<CheckpointStore>(store, {
      get(target, property) {
        if (property === 'retries') return 1
        const value: unknown = Reflect.get(target, property, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const { log } = await openLog(tried)
    await log.plan(planOf(1, log.epoch))
    await log.sync()
    const own = (await store.list('slots/')).at(-1) ?? ''
    const bytes = (await store.read(own)) ?? new Uint8Array()
    const later = await openLog(store)
    for (const batch of [1, 2, 3]) {
      await runBatches(later.log, batch, batch)
      await writeSnapshot(later.log, Buffer.from(`state ${batch}`))
    }
    expect(await store.createIfAbsent(own, bytes)).toBe(true)
    if (call === 'sync') await log.plan(planOf(2, log.epoch))
    const looking = call === 'sync' ? log.sync() : log.planDurable(1)
    await expect(looking).rejects.toMatchObject({ code: 'FENCED' })
  },
)

test('FENCED is what a reader is told whose log was forgotten while it read', async () => {
  class HastyStore extends MemoryStore {
    hasty = false
    override async read(name: string): Promise<Uint8Array | undefined> {
      if (this.hasty && name.startsWith('slots/')) {
        this.hasty = false
        await liveLong(this)
      }
      return super.read(name)
    }
  }
  const store = new HastyStore()
  const { log } = await openLog(store)
  await log.plan(planOf(1))
  await log.sync()
  store.hasty = true
  await expect(log.committed()).rejects.toMatchObject({ code: 'FENCED' })
})
