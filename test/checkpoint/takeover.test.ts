// Who may take a checkpoint, when, and what becomes of the one who held it.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { BatchLog, type LogOptions } from '../../src/checkpoint/log.ts'
import { systemProbe } from '../../src/checkpoint/owner.ts'
import { FaultyStore } from '../../src/testing/faulty-store.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { MemoryStore } from '../../src/testing/memory-store.ts'
import {
  changesOf,
  commitOf,
  committedIds,
  HEAD,
  type Overrides,
  openLog,
  optionsFor,
  Processes,
  planOf,
  recover,
  redoIds,
  runBatches,
  settle,
} from './logs.ts'

describe('fencing', () => {
  test('rejects the sync of a log that was taken over, naming who took it', async () => {
    const store = new MemoryStore('checkpoint')
    const processes = new Processes()
    const first = await openLog(store, { host: processes.start() })
    const second = await openLog(store, { host: processes.start() })
    await first.log.plan(planOf(1))
    const syncing = first.log.sync()
    await expect(syncing).rejects.toMatchObject({ code: 'FENCED', retryable: false })
    await expect(syncing).rejects.toThrow(
      `Cannot go on with pipeline "words" in epoch 1: checkpoint "memory:checkpoint" must have one ` +
        `owner, and process 102 on host "a" took it over (epoch 2); run the pipeline in one place, or ` +
        `give each run a folder of its own`,
    )
    await expect(first.log.commit(commitOf(1))).rejects.toMatchObject({ code: 'FENCED' })
    await runBatches(second.log, 1, 1)
  })

  test('makes void what a zombie appends after the next owner has read its log', async () => {
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

  test('passes on every plan whose sync resolved, wherever the next owner comes in between', async () => {
    // The next owner runs whole at the n-th call that the first makes to its store.
    for (let call = 1; call < 60; call += 1) {
      const inner = new MemoryStore()
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
      await run().catch((error: unknown) => expect(error).toMatchObject({ code: 'FENCED' }))
      const { recovered } = taken ?? (await openLog(inner))
      const known = [...committedIds(recovered), ...redoIds(recovered)]
      expect(known.slice(0, passed.length)).toEqual(passed)
    }
  })

  test('makes durable what it read of the old owner before it builds on it', async () => {
    const store = new MemoryStore()
    const first = await openLog(store)
    await first.log.plan(planOf(1))
    await openLog(store)
    store.crash()
    expect(redoIds(await recover(store))).toEqual([1])
  })

  test('is seen by a sleeper whose successor forgot the slot after its own', async () => {
    const store = new MemoryStore()
    const sleeper = await openLog(store)
    const second = await openLog(store, { segmentBytesMax: 1_000 })
    for (let batchId = 1; batchId <= 9; batchId += 1) {
      await runBatches(second.log, batchId, batchId)
      if (batchId % 3 === 0) await second.log.snapshot(batchId, new Uint8Array())
    }
    expect(await store.exists('slots/0000000002.log')).toBe(false)
    await expect(sleeper.log.sync()).rejects.toMatchObject({ code: 'FENCED' })
    const { log: other } = { log: sleeper.log }
    await expect(other.plan(planOf(1))).rejects.toMatchObject({ code: 'FENCED' })
  })

  test('is what an append to a forgotten slot rejects with', async () => {
    const store = new MemoryStore()
    const sleeper = await openLog(store)
    const second = await openLog(store, { segmentBytesMax: 1_000 })
    for (let batchId = 1; batchId <= 9; batchId += 1) {
      await runBatches(second.log, batchId, batchId)
      if (batchId % 3 === 0) await second.log.snapshot(batchId, new Uint8Array())
    }
    expect(await store.exists(HEAD)).toBe(false)
    await expect(sleeper.log.plan(planOf(1))).rejects.toMatchObject({ code: 'FENCED' })
  })

  test('stops the roll to a next segment', async () => {
    const store = new MemoryStore()
    const first = await openLog(store, { segmentBytesMax: 600 })
    await openLog(store)
    const plans = [1, 2, 3, 4].map((batchId) => first.log.plan(planOf(batchId)))
    const outcomes = await Promise.allSettled(plans)
    expect(outcomes.at(-1)).toMatchObject({ reason: { code: 'FENCED' } })
  })

  test('deletes nothing that the next owner needs', async () => {
    const store = new MemoryStore()
    const first = await openLog(store, { segmentBytesMax: 1_000 })
    for (let batchId = 1; batchId <= 6; batchId += 1) {
      await runBatches(first.log, batchId, batchId)
      if (batchId % 3 === 0) await first.log.snapshot(batchId, Buffer.from(`state ${batchId}`))
    }
    await first.log.plan(planOf(7))
    await first.log.commit(commitOf(7))
    const second = await openLog(store)
    const before = await store.list('slots/')
    await expect(first.log.snapshot(7, Buffer.from('state 7'))).rejects.toMatchObject({
      code: 'FENCED',
    })
    expect(await store.list('slots/')).toEqual(before)
    await runBatches(second.log, 8, 8)
    expect(await recover(store)).toMatchObject({ lastBatchId: 8, warnings: [] })
  })

  test('names a slot that was deleted by hand', async () => {
    const store = new MemoryStore()
    const { log } = await openLog(store)
    store.damage(HEAD, () => undefined)
    await expect(log.sync()).rejects.toThrow(`slot "${HEAD}" of this one was deleted`)
  })
})

describe('takeover', () => {
  const held = async (): Promise<{
    store: MemoryStore
    processes: Processes
    kill: () => void
  }> => {
    const store = new MemoryStore('checkpoint')
    const processes = new Processes()
    const owner = processes.start()
    const { log } = await openLog(store, { host: owner })
    await runBatches(log, 1, 1)
    return { store, processes, kill: owner.kill }
  }

  /** Starts, and tells whether the start has come through. */
  function starting(options: LogOptions): {
    readonly done: () => boolean
    readonly run: Promise<BatchLog>
  } {
    let done = false
    const run = BatchLog.open(options).then(({ log }) => {
      done = true
      return log
    })
    return { done: () => done, run }
  }

  async function advance(clock: ManualClock, ms: number): Promise<void> {
    for (let at = 0; at < ms; at += 100) {
      clock.advance(100)
      await settle()
    }
  }

  test('"wait" waits for the lease while the owner lives, then fences it', async () => {
    const { store, processes } = await held()
    const clock = new ManualClock()
    const second = starting(
      optionsFor(store, { takeover: 'wait', clock, host: processes.start(), leaseMs: 10_000 }),
    )
    await settle()
    await advance(clock, 9_900)
    expect(second.done()).toBe(false)
    expect(await store.list('slots/')).toHaveLength(1)
    await advance(clock, 100)
    expect((await second.run).epoch).toBe(2)
  })

  test('"wait" goes on as soon as the owner dies', async () => {
    const { store, processes, kill } = await held()
    const clock = new ManualClock()
    const second = starting(optionsFor(store, { takeover: 'wait', clock, host: processes.start() }))
    await settle()
    await advance(clock, 2_000)
    kill()
    expect(second.done()).toBe(false)
    await advance(clock, 500)
    expect(second.done()).toBe(true)
  })

  test('"wait" goes on as soon as the owner closes', async () => {
    const store = new MemoryStore()
    const processes = new Processes()
    const { log } = await openLog(store, { host: processes.start() })
    const clock = new ManualClock()
    const second = starting(optionsFor(store, { takeover: 'wait', clock, host: processes.start() }))
    await settle()
    await log.close()
    await advance(clock, 500)
    expect(second.done()).toBe(true)
  })

  test('"wait" gives a third start the lease of the second', async () => {
    const { store, processes } = await held()
    const clock = new ManualClock()
    const second = starting(optionsFor(store, { takeover: 'wait', clock, host: processes.start() }))
    const third = starting(optionsFor(store, { takeover: 'wait', clock, host: processes.start() }))
    await settle()
    await advance(clock, 10_000)
    expect([second.done(), third.done()].filter(Boolean)).toHaveLength(1)
    await advance(clock, 10_000)
    expect([second.done(), third.done()]).toEqual([true, true])
  })

  test('"wait" takes the lease when the owner is on another host', async () => {
    const { store } = await held()
    const clock = new ManualClock()
    const host = new Processes().start('b')
    const second = starting(optionsFor(store, { takeover: 'wait', clock, host }))
    await settle()
    await advance(clock, 9_900)
    expect(second.done()).toBe(false)
    await advance(clock, 100)
    expect(second.done()).toBe(true)
  })

  test('does not wait for an owner of this host that is gone', async () => {
    for (const takeover of ['wait', 'refuse', 'force'] as const) {
      const { store, processes, kill } = await held()
      kill()
      const { log } = await openLog(store, { takeover, host: processes.start() })
      expect(log.epoch).toBe(2)
    }
  })

  test('does not wait after a clean close, not even for another host', async () => {
    for (const takeover of ['wait', 'refuse'] as const) {
      const store = new MemoryStore()
      const { log } = await openLog(store)
      await log.close()
      const next = await openLog(store, { takeover, host: new Processes().start('b') })
      expect(next.log.epoch).toBe(2)
    }
  })

  test('does not wait after a start that failed with the slot in hand', async () => {
    const store = new MemoryStore()
    const host = new Processes().start()
    const zeroTime = (): number => {
      throw new Error('no zero time')
    }
    await expect(openLog(store, { host, zeroTime })).rejects.toThrow('no zero time')
    expect((await openLog(store, { takeover: 'refuse', host })).log.epoch).toBe(2)
  })

  test('"refuse" names the owner that lives, and leaves it alone', async () => {
    const { store, processes } = await held()
    const opening = openLog(store, { takeover: 'refuse', host: processes.start() })
    await expect(opening).rejects.toMatchObject({ code: 'CHECKPOINT_IN_USE', retryable: true })
    await expect(opening).rejects.toThrow(
      `Cannot take checkpoint "memory:checkpoint": takeover "refuse" needs one that nobody holds, and ` +
        `process 101 on host "a" does; stop that process, or start with takeover "wait" or "force"`,
    )
    expect(await store.list('slots/')).toEqual([HEAD])
  })

  test('"force" takes it from an owner that lives, at once', async () => {
    const { store, processes } = await held()
    expect((await openLog(store, { takeover: 'force', host: processes.start() })).log.epoch).toBe(2)
  })

  test('has one owner at the end, however many start at once', async () => {
    const store = new MemoryStore()
    const processes = new Processes()
    const opened = await Promise.allSettled(
      Array.from({ length: 8 }, () => openLog(store, { host: processes.start() })),
    )
    const logs = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value.log] : []))
    const synced = await Promise.allSettled(logs.map((log) => log.sync()))
    expect(synced.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(new Set(logs.map(({ epoch }) => epoch)).size).toBe(logs.length)
    for (const one of opened) {
      if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'FENCED' })
    }
  })
})

describe('a checkpoint that does not fit', () => {
  const cases: readonly [string, Overrides, object, string][] = [
    [
      'of another pipeline',
      { pipeline: 'visits' },
      { name: 'ConfigError', code: 'CHECKPOINT_FOREIGN' },
      'this one belongs to "words"; give "visits" a folder of its own',
    ],
    [
      'with another batch interval',
      { batchIntervalMs: 2_000 },
      { name: 'ConfigError', code: 'CHECKPOINT_INCOMPATIBLE' },
      'batchInterval must be 1000 ms as in the checkpoint, got 2000 ms',
    ],
    [
      'with other stateful operators',
      { stateful: ['window#0'] },
      { code: 'CHECKPOINT_INCOMPATIBLE' },
      '"updateStateByKey#0" is gone and "window#0" is new; use a new folder',
    ],
    [
      'with one operator more',
      { stateful: ['updateStateByKey#0', 'window#0'] },
      { code: 'CHECKPOINT_INCOMPATIBLE' },
      'those of the checkpoint, "window#0" is new; use a new folder',
    ],
    [
      'with one operator twice',
      { stateful: ['updateStateByKey#0', 'updateStateByKey#0'] },
      { code: 'CHECKPOINT_INCOMPATIBLE' },
      'in the order "updateStateByKey#0", got "updateStateByKey#0", "updateStateByKey#0"',
    ],
  ]

  for (const [name, overrides, error, message] of cases) {
    test(`${name} is refused by name, and its owner goes on`, async () => {
      const store = new MemoryStore()
      const { log } = await openLog(store)
      const opening = openLog(store, overrides)
      await expect(opening).rejects.toMatchObject(error)
      await expect(opening).rejects.toThrow(message)
      await runBatches(log, 1, 1)
      expect(await store.list('slots/')).toEqual([HEAD])
    })
  }

  test('only in its stateless part starts, and says what the plan was', async () => {
    const store = new MemoryStore()
    await openLog(store)
    const recovered = await recover(store, { planHash: 'plan-2' })
    expect(recovered.previousPlanHash).toBe('plan-1')
    expect((await recover(store)).previousPlanHash).toBe('plan-2')
  })
})

describe('systemProbe', () => {
  test('knows that this process lives, and that one with another start time does not', () => {
    const { current, isAlive } = systemProbe()
    expect(current.pid).toBe(process.pid)
    expect(isAlive(current)).toBe(true)
    if (current.pidStartTime === undefined) return
    expect(isAlive({ ...current, pidStartTime: '1' })).toBe(false)
  })

  test('knows that a process has died', async () => {
    const { current, isAlive } = systemProbe()
    const child = spawn(process.execPath, ['-e', ''])
    await once(child, 'exit')
    expect(isAlive({ ...current, pid: child.pid ?? 0, pidStartTime: undefined })).toBe(false)
  })

  test('cannot tell of another host, or of another boot', () => {
    const { current, isAlive } = systemProbe()
    expect(isAlive({ ...current, host: 'elsewhere' })).toBeUndefined()
    expect(isAlive({ ...current, bootId: 'before' })).toBeUndefined()
  })
})
