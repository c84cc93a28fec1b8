// When snapshots are written, how fast, and what becomes of those that cannot be.

import { ManualClock, MemoryStore, quietLogger } from 'millrace/testing'
import { describe, expect, test } from 'vitest'
import type { BatchLog } from '../../src/checkpoint/log.ts'
import { StreamingError } from '../../src/errors.ts'
import { EventBus, type StreamEvent } from '../../src/events.ts'
import { Snapshots } from '../../src/scheduler/snapshots.ts'
import type { Executor } from '../../src/workers/executor.ts'
import { commitOf, openLog, planOf, recover, runBatches } from '../checkpoint/logs.ts'

const SLICE = 100_000
const RATE = 200_000

/** A run whose state comes in slices, of which one may be the last that a worker gives. */
class Run {
  readonly store = new MemoryStore()
  readonly clock = new ManualClock()
  readonly events: StreamEvent[] = []
  readonly failures: unknown[] = []
  given = 0
  released = 0
  freezes = 0

  async open(slices: number, fails?: { readonly at: number; readonly error: Error }) {
    const { log } = await openLog(this.store, { snapshotEvery: 1, clock: this.clock })
    const executor = {
      freeze: () => {
        this.freezes += 1
        this.given = 0
        return {
          next: async () => {
            if (this.freezes === 1 && this.given === fails?.at) throw fails.error
            this.given += 1
            return { entry: new Uint8Array(SLICE), last: this.given === slices }
          },
          release: () => {
            this.released += 1
          },
        }
      },
    } as Partial<Executor> as Executor
    const { events, clock, failures } = this
    const bus = new EventBus(quietLogger, (event) => events.push(event))
    const fail = (error: unknown) => void failures.push(error)
    const snapshots = new Snapshots({ log, executor, events: bus, clock, rate: RATE, fail })
    return { log, snapshots }
  }

  async settle(): Promise<void> {
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  }

  /** Lets time pass until a snapshot has ended; gives the milliseconds. */
  async untilEnded(): Promise<number> {
    let ms = 0
    await this.settle()
    while (this.events.length === 0) {
      this.clock.advance(50)
      ms += 50
      await this.settle()
    }
    return ms
  }
}

async function commit(log: BatchLog, batchId: number): Promise<void> {
  await log.plan(planOf(batchId))
  await log.commit(commitOf(batchId))
}

describe('snapshots', () => {
  test('are written at the rate, and not at once', async () => {
    const run = new Run()
    const { log, snapshots } = await run.open(20)
    await runBatches(log, 1, 1)
    snapshots.merged(1, true)
    const ms = await run.untilEnded()
    expect(ms).toBeGreaterThan(((19 * SLICE) / RATE) * 1_000 - 500)
    expect(ms).toBeLessThan(((20 * SLICE) / RATE) * 1_000)
    expect(run.events).toMatchObject([{ kind: 'snapshot-written', batchId: 1 }])
  })

  test('have objects of some megabytes', async () => {
    const run = new Run()
    const { log, snapshots } = await run.open(200)
    await runBatches(log, 1, 1)
    snapshots.merged(1, true)
    await run.untilEnded()
    const { snapshot } = await recover(run.store)
    expect(snapshot?.files.map(({ length }) => Math.floor(length / 2 ** 20))).toEqual([8, 8, 3])
  })

  test('are of a batch that is committed later, whatever is committed before it', async () => {
    const run = new Run()
    const { log, snapshots } = await run.open(1)
    await runBatches(log, 1, 1)
    await log.plan(planOf(2))
    await log.plan(planOf(3))
    snapshots.merged(3, false)
    await log.commit(commitOf(2))
    snapshots.committed(2)
    await run.settle()
    expect(run.events).toEqual([])
    await log.commit(commitOf(3))
    snapshots.committed(3)
    await run.settle()
    expect(run.events).toMatchObject([{ kind: 'snapshot-written', batchId: 3 }])
    expect((await recover(run.store)).snapshot?.batchId).toBe(3)
  })

  test('are given up where a worker ends, and begun anew with the next batch', async () => {
    const run = new Run()
    const error = new StreamingError('WORKER_DIED', 'its thread ended', { retryable: true })
    const { log, snapshots } = await run.open(3, { at: 2, error })
    await runBatches(log, 1, 1)
    snapshots.merged(1, true)
    await run.untilEnded()
    expect(run.events).toEqual([{ kind: 'snapshot-abandoned', batchId: 1, error }])
    expect(run.released).toBe(1)
    run.events.length = 0
    await commit(log, 2)
    snapshots.merged(2, true)
    await run.untilEnded()
    expect(run.events).toMatchObject([{ kind: 'snapshot-written', batchId: 2 }])
    expect(run.failures).toEqual([])
  })

  test('end the run where they cannot be written', async () => {
    const run = new Run()
    const error = new RangeError('no room')
    const { log, snapshots } = await run.open(3, { at: 1, error })
    await runBatches(log, 1, 1)
    snapshots.merged(1, true)
    await run.settle()
    for (let step = 0; step < 40; step += 1) {
      run.clock.advance(50)
      await run.settle()
    }
    expect(run.failures).toEqual([error])
  })

  test('make the end of a run fail where they cannot be written meanwhile', async () => {
    const run = new Run()
    const { log, snapshots } = await run.open(1)
    await runBatches(log, 1, 1)
    const disk = Promise.withResolvers<void>()
    run.store.sync = () => disk.promise
    snapshots.merged(1, true)
    await run.settle()
    const closed = snapshots.close()
    const full = new StreamingError('CHECKPOINT_UNWRITABLE', 'the disk is full')
    disk.reject(full)
    await expect(closed).rejects.toBe(full)
    await log.close()
    expect(run.events).toEqual([])
  })

  test('leave nothing behind when the run ends before they do', async () => {
    const run = new Run()
    const { log, snapshots } = await run.open(1_000)
    await runBatches(log, 1, 1)
    snapshots.merged(1, true)
    await run.settle()
    await snapshots.close()
    await log.close()
    expect(run.events).toMatchObject([{ kind: 'snapshot-abandoned', batchId: 1 }])
    expect(await run.store.list('epoch-')).toEqual([])
    expect(run.failures).toEqual([])
  })
})
