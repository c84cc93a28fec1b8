// Who may take a checkpoint, and when.

import { describe, expect, test } from 'vitest'
import { Heartbeat } from '../../src/checkpoint/heartbeat.ts'
import { Lease } from '../../src/checkpoint/lease.ts'
import { BatchLog, type LogOptions } from '../../src/checkpoint/log.ts'
import { StreamingError } from '../../src/errors.ts'
import { FaultyStore } from '../../src/testing/faulty-store.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { MemoryStore } from '../../src/testing/memory-store.ts'
import { quietLogger } from '../../src/testing/quiet-logger.ts'
import {
  HEAD,
  type Overrides,
  openLog,
  optionsFor,
  Processes,
  recover,
  runBatches,
  settle,
  writeSnapshot,
} from './logs.ts'

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

  test('"wait" waits for a lease without a sign of life, then fences the owner', async () => {
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

  test('"wait" waits for as long as the owner gives signs of life', async () => {
    const { store, processes } = await held()
    const clock = new ManualClock()
    const heartbeat = new Heartbeat({
      store,
      epoch: 1,
      clock,
      logger: quietLogger,
      written: () => 0,
    })
    const host = processes.start('b')
    const second = starting(optionsFor(store, { takeover: 'wait', clock, host }))
    await settle()
    await advance(clock, 60_000)
    expect(second.done()).toBe(false)
    await heartbeat.stop()
    await advance(clock, 9_900)
    expect(second.done()).toBe(false)
    await advance(clock, 1_000)
    expect((await second.run).epoch).toBe(2)
    expect(await store.list('epoch-')).toEqual([])
  })

  /** A store on a slow line. */
  class SlowStore extends FaultyStore {
    readonly #clock: ManualClock

    constructor(inner: MemoryStore, clock: ManualClock) {
      super(inner, [])
      this.#clock = clock
    }

    override async read(name: string): Promise<Uint8Array | undefined> {
      if (name.includes('snapshot')) {
        await new Promise<void>((resolve) => this.#clock.after(30_000, resolve))
      }
      return super.read(name)
    }
  }

  /** A closed checkpoint with a snapshot, and the options of starts that wait for it. */
  const withSnapshot = async () => {
    const store = new MemoryStore()
    const processes = new Processes()
    const { log } = await openLog(store, { host: processes.start() })
    await runBatches(log, 1, 3)
    await writeSnapshot(log, Buffer.from('state'))
    await log.close()
    const clock = new ManualClock()
    const slow = new SlowStore(store, clock)
    const leaseOf = (epoch: number): Lease =>
      new Lease({ store: slow, epoch, clock, logger: quietLogger })
    const options = { takeover: 'wait', clock, leaseOf } as const
    return { store, slow, clock, options, processes }
  }

  test('"wait" takes nothing from a start that won the checkpoint and still reads it', async () => {
    const { store, slow, clock, options, processes } = await withSnapshot()
    const first = starting(optionsFor(slow, { ...options, host: processes.start('b') }))
    await settle()
    await advance(clock, 31_000)
    expect(await store.list('slots/')).toHaveLength(2)
    expect(first.done()).toBe(false)
    const second = starting(optionsFor(store, { ...options, host: processes.start('c') }))
    await settle()
    await advance(clock, 60_000)
    expect([first.done(), second.done()]).toEqual([true, false])
    await (await first.run).sync()
  })

  test('a start that fails after it won the checkpoint gives no more signs', async () => {
    const { slow, clock, options } = await withSnapshot()
    const opening = openLog(slow, { ...options, host: new Processes().start() })
    opening.catch(() => undefined)
    await settle()
    await advance(clock, 31_000)
    slow.append = () => Promise.reject(new StreamingError('CHECKPOINT_UNWRITABLE', 'full'))
    await advance(clock, 30_000)
    await expect(opening).rejects.toThrow('full')
    const signs = slow.callsOf('put')
    expect(signs).toBeGreaterThan(5)
    await advance(clock, 30_000)
    expect(slow.callsOf('put')).toBe(signs)
  })

  test('"wait" takes what the log gains for a sign of life', async () => {
    const store = new MemoryStore()
    const processes = new Processes()
    const { log } = await openLog(store, { host: processes.start() })
    const clock = new ManualClock()
    const host = processes.start('b')
    const second = starting(optionsFor(store, { takeover: 'wait', clock, host }))
    for (let batchId = 1; batchId <= 5; batchId += 1) {
      await runBatches(log, batchId, batchId)
      await advance(clock, 9_000)
    }
    expect(second.done()).toBe(false)
    await advance(clock, 1_500)
    expect(second.done()).toBe(true)
  })

  test('"wait" ends when the start is told to stop, and leaves the owner alone', async () => {
    const { store, processes } = await held()
    const clock = new ManualClock()
    const stop = new AbortController()
    const options = {
      takeover: 'wait',
      clock,
      host: processes.start(),
      signal: stop.signal,
    } as const
    const second = openLog(store, options)
    await settle()
    stop.abort()
    await expect(second).rejects.toMatchObject({ code: 'CHECKPOINT_IN_USE', retryable: true })
    await expect(second).rejects.toThrow('while it waited for process 101 on host "a"')
    expect(await store.list('slots/')).toEqual([HEAD])
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

  test('"wait" looks every two seconds where each look costs money', async () => {
    const inner = new MemoryStore('checkpoint', { appends: false })
    const processes = new Processes()
    const { log } = await openLog(inner, { host: processes.start() })
    const clock = new ManualClock()
    const store = new FaultyStore(inner, [])
    const second = starting(optionsFor(store, { takeover: 'wait', clock, host: processes.start() }))
    await settle()
    const before = store.callsOf('list')
    await advance(clock, 8_000)
    expect(store.callsOf('list') - before).toBe(4)
    await log.close()
    await advance(clock, 1_900)
    expect(second.done()).toBe(false)
    await advance(clock, 100)
    expect(second.done()).toBe(true)
  })

  test('"wait" takes nothing from an owner because it slept itself', async () => {
    const { store: inner, processes } = await held()
    const clock = new ManualClock()
    class SleepyStore extends FaultyStore {
      override async read(name: string): Promise<Uint8Array | undefined> {
        const bytes = await super.read(name)
        // After what it read, and before it looks at its clock.
        if (name.endsWith('heartbeat') && this.callsOf('list') === 2) clock.advance(60_000)
        return bytes
      }
    }
    const store = new SleepyStore(inner, [])
    const second = starting(optionsFor(store, { takeover: 'wait', clock, host: processes.start() }))
    await settle()
    await advance(clock, 500)
    await inner.put('epoch-1/heartbeat', Buffer.from('1'))
    await advance(clock, 9_900)
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
    // The third looks every half second: it sees the last sign of the second that much later.
    await advance(clock, 10_500)
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
      `Cannot take checkpoint "memory:checkpoint": takeover "refuse" needs one that nobody ` +
        `holds, and ` +
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
