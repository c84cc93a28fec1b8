// When plans and commits become durable, and what that costs.

import { pipeline, type Run, StreamingError, start } from 'millrace'
import {
  CollectingSink,
  FaultyStore,
  ManualClock,
  MemoryStore,
  quietLogger,
  type StoreFault,
} from 'millrace/testing'
import { describe, expect, test } from 'vitest'
import { settle } from '../checkpoint/logs.ts'
import { PushSource, tick } from './push-source.ts'

interface Life {
  readonly run: Run
  readonly clock: ManualClock
  readonly source: PushSource
  readonly sink: CollectingSink<number>
  /** Writes that made the log durable. */
  readonly writes: () => number
}

interface Options {
  readonly store?: MemoryStore
  readonly source?: PushSource
  readonly clock?: ManualClock
  readonly batchInterval?: number
  readonly commitInterval?: number
  readonly faults?: StoreFault[]
  readonly guarantee?: 'at-least-once'
}

async function live(options: Options = {}): Promise<Life> {
  const {
    store = new MemoryStore(),
    source = new PushSource(),
    clock = new ManualClock(0),
  } = options
  const sink = new CollectingSink<number>()
  const counting = new FaultyStore(store, options.faults ?? [])
  const { batchInterval = 1_000, commitInterval, guarantee } = options
  const intervals = { batchInterval, ...(commitInterval === undefined ? {} : { commitInterval }) }
  const described = pipeline('p', { ...intervals, checkpoint: counting }, (ssc) => {
    const { name, open, guarantee: own } = sink
    ssc.receive(source).writeTo({ name, open, guarantee: guarantee ?? own })
  })
  const run = await start(described, { clock, logger: quietLogger, takeover: 'force' })
  const operation = store.appends ? 'sync' : 'createIfAbsent'
  return { run, clock, source, sink, writes: () => counting.callsOf(operation) }
}

/** Moves the clock on and lets everything run that waits for nothing else. */
async function advance({ clock }: Pick<Life, 'clock'>, ms: number): Promise<void> {
  clock.advance(ms)
  for (let turn = 0; turn < 4; turn += 1) await settle()
}

/** What a machine that lost power finds. */
async function remains(store: MemoryStore): Promise<MemoryStore> {
  store.crash()
  const found = new MemoryStore()
  for (const name of await store.list('')) {
    await found.createIfAbsent(name, (await store.read(name)) ?? new Uint8Array())
  }
  return found
}

for (const appends of [true, false]) {
  const kind = appends ? 'one fsync' : 'one object'
  test(`a batch costs ${kind} of the log`, async () => {
    const life = await live({ store: new MemoryStore(undefined, { appends }) })
    const before = life.writes()
    for (let batch = 1; batch <= 10; batch += 1) {
      life.source.push(batch)
      await tick(life.run, life.clock)
    }
    expect(life.writes() - before).toBe(10)
    expect(life.run.metrics()['totalLogFlushes']).toBe(life.writes() - (appends ? 0 : 1))
    expect(life.run.metrics()['maxLogFlushMs']).toBe(0)
    await life.run.stop()
  })
}

test('a commit becomes durable at the next batch, though that one has no plan', async () => {
  const store = new MemoryStore()
  const guarantee = 'at-least-once'
  const life = await live({ store, guarantee })
  life.source.push(1)
  await tick(life.run, life.clock)
  const before = life.writes()
  await tick(life.run, life.clock)
  expect(life.writes() - before).toBe(1)
  await tick(life.run, life.clock)
  expect(life.writes() - before).toBe(1)
  const { source, clock } = life
  const next = await live({ store: await remains(store), source, clock, guarantee })
  expect(next.sink.batches.size).toBe(0)
  for (const { run } of [life, next]) await run.stop()
})

test('a batch without records that a sink was told of does not come again with some', async () => {
  const store = new MemoryStore()
  const life = await live({ store })
  await tick(life.run, life.clock)
  expect([...life.sink.batches.keys()]).toEqual([1])
  life.source.push(1)
  const { source, sink, clock } = life
  const next = await live({ store: await remains(store), source, clock })
  await tick(next.run, clock)
  expect(sink.batches.get(1)?.flat()).toEqual([])
  expect(next.sink.batches.get(1)?.flat() ?? []).toEqual([])
  expect(next.sink.batches.get(2)?.flat()).toEqual([1])
  for (const { run } of [life, next]) await run.stop()
})

test('a commit does not wait for a batch that is due much later', async () => {
  const life = await live({ batchInterval: 3_600_000 })
  life.source.push(1)
  const before = life.writes()
  await tick(life.run, life.clock, 3_600_000)
  await settle()
  expect(life.writes() - before).toBe(2)
  await life.run.stop()
})

describe('commitInterval', () => {
  const sharing = { batchInterval: 100, commitInterval: 1_000 } as const

  test('that fails in a batch fails those that ran after it, too', async () => {
    const events: string[] = []
    const clock = new ManualClock(0)
    const source = new PushSource()
    const options = { ...sharing, checkpoint: new MemoryStore() }
    const described = pipeline('p', options, (ssc) => {
      ssc.receive(source).foreachBatch((_batch, { batchId }) => {
        if (batchId === 2) throw new Error('full')
      })
    })
    const run = await start(described, { clock, logger: quietLogger })
    for (const kind of ['batch-started', 'batch-failed'] as const) {
      run.on(kind, ({ batchId }) => void events.push(`${kind} ${batchId}`))
    }
    for (let batch = 1; batch <= 4; batch += 1) {
      source.push(batch)
      await advance({ clock }, 100)
    }
    expect(run.metrics()['runningBatches']).toBe(3)
    clock.advance(1_000)
    await expect(run.done).rejects.toThrow('full')
    for (const batch of [2, 3, 4]) expect(events).toContain(`batch-failed ${batch}`)
    expect(run.metrics()['runningBatches']).toBe(0)
  })

  for (const appends of [true, false]) {
    const kind = appends ? 'fsync' : 'object'
    test(`lets the batches of an interval share one ${kind}, and write after it`, async () => {
      const life = await live({ ...sharing, store: new MemoryStore(undefined, { appends }) })
      life.source.push(0)
      await advance(life, 100)
      const before = life.writes()
      expect(life.sink.records()).toEqual([0])
      for (let batch = 1; batch <= 9; batch += 1) {
        life.source.push(batch)
        await advance(life, 100)
      }
      expect(life.sink.records()).toEqual([0])
      expect(life.writes() - before).toBe(0)
      await advance(life, 100)
      expect(life.sink.records()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
      expect(life.writes() - before).toBe(1)
      await life.run.stop()
    })
  }

  test('waits for nobody in a stop', async () => {
    const life = await live(sharing)
    for (let batch = 1; batch <= 3; batch += 1) {
      life.source.push(batch)
      await advance(life, 100)
    }
    expect(life.sink.records()).toEqual([1])
    await life.run.stop()
    expect(life.sink.records()).toEqual([1, 2, 3])
  })

  test('is bounded in the batches that wait', async () => {
    const life = await live({ batchInterval: 10, commitInterval: 100_000 })
    for (let batch = 1; batch <= 100; batch += 1) {
      life.source.push(batch)
      await advance(life, 10)
    }
    expect(life.run.metrics()).toMatchObject({ runningBatches: 32, lastBatchId: 1 })
    await life.run.stop()
    expect(life.sink.records()).toHaveLength(100)
  })

  test('makes a redo meet batches that the sink holds', async () => {
    const store = new MemoryStore()
    const life = await live({ ...sharing, store })
    for (let batch = 0; batch < 12; batch += 1) {
      life.source.push(batch)
      await advance(life, 100)
    }
    expect(life.sink.batches.size).toBe(10)
    const { source, clock } = life
    const next = await live({ ...sharing, store: await remains(store), source, clock })
    expect([...next.sink.batches.keys()]).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10])
    await next.run.stop()
    const both = new Map([...life.sink.batches, ...next.sink.batches])
    expect([...both.values()].flat(2)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    await life.run.stop({ graceful: false })
  })

  test('ends the run where a write fails that batches wait for, with nothing written', async () => {
    const error = new StreamingError('CHECKPOINT_UNWRITABLE', 'the disk is full')
    const life = await live({ ...sharing, faults: [{ operation: 'sync', call: 4, error }] })
    for (let batch = 1; batch <= 5; batch += 1) {
      life.source.push(batch)
      await advance(life, 100)
    }
    await advance(life, 1_000)
    await expect(life.run.done).rejects.toBe(error)
    expect(life.sink.records()).toEqual([1])
  })
})

describe('the wall clock', () => {
  test('may be behind the checkpoint: batch times go on, and the next comes in time', async () => {
    const store = new MemoryStore()
    const source = new PushSource()
    const life = await live({ store, source, clock: new ManualClock(10_000_000) })
    source.push(1)
    await tick(life.run, life.clock)
    await life.run.stop()
    const next = await live({ store, source, clock: new ManualClock(4_000_000) })
    const times: number[] = []
    next.run.on('batch-completed', ({ time }) => times.push(time))
    source.push(2)
    await tick(next.run, next.clock)
    expect(next.sink.records()).toEqual([2])
    expect(times[0]).toBeGreaterThan(10_000_000)
    await next.run.stop()
  })

  test('may jump while the run goes on: it is not read', async () => {
    class JumpingClock extends ManualClock {
      jumpMs = 0
      override wallMs(): number {
        return super.wallMs() + this.jumpMs
      }
    }
    const clock = new JumpingClock(10_000_000)
    const life = await live({ clock })
    const times: number[] = []
    life.run.on('batch-completed', ({ time }) => times.push(time))
    for (const jumpMs of [0, -3_600_000, 3_600_000]) {
      clock.jumpMs = jumpMs
      await tick(life.run, clock)
    }
    expect(times).toEqual([10_001_000, 10_002_000, 10_003_000])
    await life.run.stop()
  })
})
