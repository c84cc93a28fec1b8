// A log under power losses. What a sink may hold is what was planned when a sync resolved; the law
// is that the next run knows of every such batch, under the same id and with the same ranges: never
// a hole.
//
// Commits that were not synced may be lost, for the sinks' receipts cover that gap; but what is
// known is always a prefix of what was done. A fault hits any call of the store, with none, all or
// a part of its effect; the machine then loses what was not synced, or keeps some bytes of it.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { BatchLog, PlanRecord } from '../../src/checkpoint/log.ts'
import { StreamingError } from '../../src/errors.ts'
import { FaultyStore, type StoreOperation } from '../../src/testing/faulty-store.ts'
import { MemoryStore } from '../../src/testing/memory-store.ts'
import { commitOf, openLog, planOf, writeSnapshot } from './logs.ts'

const died = new StreamingError('CHECKPOINT_UNWRITABLE', 'the machine lost power')

const operations: readonly StoreOperation[] = [
  'createIfAbsent',
  'append',
  'sync',
  'exists',
  'delete',
]

const life = fc.record({
  batches: fc.integer({ min: 1, max: 12 }),
  snapshotEvery: fc.integer({ min: 1, max: 5 }),
  segmentBytesMax: fc.integer({ min: 300, max: 4_000 }),
  operation: fc.constantFrom(...operations),
  call: fc.integer({ min: 1, max: 40 }),
  effect: fc.oneof(
    fc.constantFrom('nothing' as const, 'all' as const),
    fc.integer({ min: 1, max: 300 }),
  ),
  keepUnsynced: fc.integer({ min: 0, max: 400 }),
  closes: fc.boolean(),
})

type Life = typeof life extends fc.Arbitrary<infer T> ? T : never

/** What the outside world knows, whatever the log forgets. */
class World {
  readonly store: MemoryStore
  /** Batches whose plan was durable when a sink could have been written. */
  readonly promised = new Map<number, PlanRecord>()
  /** The newest batch whose commit was durable. */
  durable = 0

  constructor(appends: boolean) {
    this.store = new MemoryStore(undefined, { appends })
  }

  async live(about: Life): Promise<void> {
    const { operation, call, effect, snapshotEvery, segmentBytesMax } = about
    const isTorn = typeof effect === 'number' && operation !== 'append'
    const fault = { operation, call, error: died, effect: isTorn ? 'nothing' : effect } as const
    const store = new FaultyStore(this.store, [
      fault,
      { ...fault, call: call + 1, times: 1_000_000 },
    ])
    try {
      const { log, recovered } = await openLog(store, { snapshotEvery, segmentBytesMax })
      let next = this.check(recovered)
      for (const plan of recovered.redo) next = await this.#run(log, plan)
      for (let n = 0; n < about.batches; n += 1)
        next = await this.#run(log, planOf(next, log.epoch))
      if (about.closes) await log.close()
    } catch (error) {
      expect(error).toBe(died)
    }
    this.store.crash({ keepUnsynced: about.keepUnsynced })
  }

  /** Checks the law, and gives the id of the next new batch. */
  check(recovered: Awaited<ReturnType<typeof openLog>>['recovered']): number {
    const { lastBatchId, redo, snapshot, changes } = recovered
    expect(lastBatchId).toBeGreaterThanOrEqual(this.durable)
    const first = snapshot?.batchId ?? 0
    if (snapshot !== undefined) expect(String(Buffer.concat(snapshot.files))).toBe(`state ${first}`)
    expect(changes.map(({ batchId }) => batchId)).toEqual(range(first + 1, lastBatchId))
    expect(redo.map(({ batchId }) => batchId)).toEqual(
      range(lastBatchId + 1, lastBatchId + redo.length),
    )
    for (const [batchId, plan] of this.promised) {
      if (batchId <= lastBatchId) continue
      expect(redo.find((one) => one.batchId === batchId)?.sources).toEqual(plan.sources)
    }
    return lastBatchId + redo.length + 1
  }

  /** One batch as the scheduler runs it; gives the id of the next one. */
  async #run(log: BatchLog, plan: PlanRecord): Promise<number> {
    const { batchId } = plan
    await log.plan({ ...plan, epoch: log.epoch })
    await log.sync()
    this.promised.set(batchId, plan)
    this.durable = Math.max(this.durable, batchId - 1)
    await log.commit(commitOf(batchId))
    if (log.snapshotDue()) {
      await writeSnapshot(log, Buffer.from('state '), Buffer.from(String(batchId)))
      this.durable = batchId
    }
    return batchId + 1
  }
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index)
}

for (const appends of [true, false]) {
  const kind = appends ? 'grow' : 'do not grow'
  test(`BatchLog never leaves a hole where objects ${kind}, wherever power is lost`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 4 }), async (lives) => {
        const world = new World(appends)
        for (const one of lives) await world.live(one)
        const { recovered } = await openLog(world.store)
        world.check(recovered)
      }),
      { numRuns: 400 },
    )
  })
}
