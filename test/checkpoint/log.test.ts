// What a run logs and the next one finds.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { LocalStore } from '../../src/checkpoint/local-store.ts'
import { MemoryStore } from '../../src/testing/memory-store.ts'
import {
  changesOf,
  commitOf,
  committedIds,
  HEAD,
  openLog,
  planOf,
  recover,
  redoIds,
  runBatches,
  sequence,
  timeOf,
  writeSnapshot,
  ZERO_TIME,
} from './logs.ts'

test('BatchLog starts a fresh checkpoint in epoch 1, at the zero time it is given', async () => {
  const { log, recovered } = await openLog(new MemoryStore())
  expect(log.epoch).toBe(1)
  expect(recovered).toEqual({
    fresh: true,
    zeroTime: ZERO_TIME,
    epoch: 1,
    previousPlanHash: undefined,
    stateful: ['updateStateByKey#0'],
    lastBatchId: 0,
    snapshot: undefined,
    changes: [],
    redo: [],
    positions: new Map(),
    accumulators: new Map(),
    cutBytes: 0,
    warnings: [],
  })
})

test('BatchLog gives the next run what was committed, and what was planned and not', async () => {
  const store = new MemoryStore()
  const { log } = await openLog(store)
  await runBatches(log, 1, 2)
  await log.plan(planOf(3))
  await log.plan(planOf(4))
  await log.sync()

  const recovered = await recover(store, { zeroTime: () => 0, planHash: 'plan-2' })
  expect(recovered).toMatchObject({ fresh: false, epoch: 2, zeroTime: ZERO_TIME, lastBatchId: 2 })
  expect(recovered.previousPlanHash).toBe('plan-1')
  expect(recovered.changes).toEqual([
    { batchId: 1, time: timeOf(1), changes: changesOf(1) },
    { batchId: 2, time: timeOf(2), changes: changesOf(2) },
  ])
  expect(recovered.redo).toEqual([planOf(3), planOf(4)])
  expect(recovered.positions).toEqual(
    new Map([[0, [{ partition: 'p', position: sequence(2), caughtUpAt: timeOf(2), parents: [] }]]]),
  )
})

test('BatchLog gives a batch that was planned again once, and takes its commit', async () => {
  const store = new MemoryStore()
  const first = await openLog(store)
  await first.log.plan(planOf(1))
  await first.log.sync()
  const second = await openLog(store)
  await second.log.plan(planOf(1, 2))
  await second.log.sync()
  const third = await openLog(store)
  expect(third.recovered.redo).toEqual([planOf(1, 2)])
  await third.log.commit(commitOf(1))
  await third.log.sync()
  expect(await recover(store)).toMatchObject({ lastBatchId: 1, redo: [] })
})

test('BatchLog finds what many runs did one after the other', async () => {
  const store = new MemoryStore()
  for (let run = 0; run < 5; run += 1) {
    const { log, recovered } = await openLog(store)
    expect(recovered.lastBatchId).toBe(run * 3)
    await runBatches(log, run * 3 + 1, run * 3 + 3)
    if (run % 2 === 0) await log.close()
  }
  const recovered = await recover(store)
  expect(committedIds(recovered)).toEqual(Array.from({ length: 15 }, (_, index) => index + 1))
  expect(recovered.epoch).toBe(6)
})

test('BatchLog remembers a skip as the last batch', async () => {
  const store = new MemoryStore()
  const { log } = await openLog(store)
  await runBatches(log, 1, 1)
  await log.skip(2, 5_000)
  await runBatches(log, 5_001, 5_001)
  await log.skip(5_002, 6_000)
  await log.close()
  const recovered = await recover(store)
  expect(recovered.lastBatchId).toBe(6_000)
  expect(committedIds(recovered)).toEqual([1, 5_001])
})

test('BatchLog keeps a resolved position across a crash, and moves on from it', async () => {
  const store = new MemoryStore()
  const { log } = await openLog(store)
  const resolved = { kind: 'timestamp', timestampMs: 7 } as const
  const at = { position: resolved, caughtUpAt: 7, parents: [] }
  await log.resolved(0, [
    { partition: 'p', ...at },
    { partition: 'q', ...at },
  ])
  store.crash()
  const next = await openLog(store)
  expect(next.recovered.positions.get(0)).toHaveLength(2)
  await runBatches(next.log, 1, 1)
  expect((await recover(store)).positions.get(0)).toMatchObject([
    { partition: 'p', position: sequence(1) },
    { partition: 'q', position: resolved },
  ])
})

test('BatchLog rolls to a next segment when one is full, and reads them all', async () => {
  const store = new MemoryStore()
  const { log } = await openLog(store, { segmentBytesMax: 2_000 })
  await runBatches(log, 1, 30)
  const slots = await store.list('slots/')
  expect(slots.length).toBeGreaterThan(3)
  for (const name of slots) expect((await store.read(name))?.length).toBeLessThanOrEqual(2_500)
  store.crash()
  const next = await openLog(store, { segmentBytesMax: 2_000 })
  expect(next.recovered.lastBatchId).toBe(30)
  await runBatches(next.log, 31, 60)
  const recovered = await recover(store)
  expect(committedIds(recovered)).toEqual(Array.from({ length: 60 }, (_, index) => index + 1))
})

test('BatchLog takes a record that is longer than a segment', async () => {
  const store = new MemoryStore()
  const { log } = await openLog(store, { segmentBytesMax: 1_000 })
  const changes = Buffer.alloc(5_000, 1)
  for (const batchId of [1, 2]) {
    await log.plan(planOf(batchId))
    await log.commit(commitOf(batchId, changes))
  }
  await log.close()
  const recovered = await recover(store)
  expect(recovered.changes.map((entry) => Buffer.from(entry.changes))).toEqual([changes, changes])
})

test('BatchLog takes calls in the order in which they were made, awaited or not', async () => {
  const store = new MemoryStore()
  const { log } = await openLog(store)
  const calls = [1, 2, 3].flatMap((batchId) => [
    log.plan(planOf(batchId)),
    log.sync(),
    log.commit(commitOf(batchId)),
  ])
  await Promise.all(calls)
  await log.close()
  expect(committedIds(await recover(store))).toEqual([1, 2, 3])
})

test('BatchLog refuses calls after close, and closes once', async () => {
  const { log } = await openLog(new MemoryStore())
  await log.close()
  await log.close()
  await expect(log.sync()).rejects.toThrow('the batch log is closed')
})

test('BatchLog stops on a commit without a plan or out of order', async () => {
  const { log } = await openLog(new MemoryStore())
  await expect(log.commit(commitOf(1))).rejects.toThrow('without a plan')
  await runBatches(log, 1, 2)
  await expect(log.plan(planOf(2))).rejects.toThrow('when it was done')
})

test('BatchLog writes a snapshot when it is due, and a restart goes on from it', async () => {
  const store = new MemoryStore()
  const { log } = await openLog(store, { snapshotEvery: 3 })
  await runBatches(log, 1, 2)
  expect(log.snapshotDue()).toBe(false)
  await runBatches(log, 3, 3)
  expect(log.snapshotDue()).toBe(true)
  const writing = writeSnapshot(log, Buffer.from('state 3'))
  expect(log.snapshotDue()).toBe(false)
  await Promise.all([writing, runBatches(log, 4, 5)])
  expect(log.snapshotDue()).toBe(false)

  const { log: next, recovered } = await openLog(store, { snapshotEvery: 3 })
  expect(recovered.snapshot).toEqual({ batchId: 3, files: [Buffer.from('state 3')] })
  expect(committedIds(recovered)).toEqual([4, 5])
  expect(recovered.positions.get(0)).toMatchObject([{ position: sequence(5) }])
  await runBatches(next, 6, 6)
  expect(next.snapshotDue()).toBe(true)
})

test('BatchLog keeps a plan that a snapshot finds uncommitted', async () => {
  const store = new MemoryStore()
  const { log } = await openLog(store)
  await runBatches(log, 1, 1)
  await log.plan(planOf(2))
  await writeSnapshot(log, Buffer.from('state 1'))
  const recovered = await recover(store)
  expect(redoIds(recovered)).toEqual([2])
  expect(recovered.lastBatchId).toBe(1)
})

test('BatchLog goes on from where a snapshot was begun, not from where it ended', async () => {
  const store = new MemoryStore()
  const { log } = await openLog(store)
  await runBatches(log, 1, 3)
  const draft = log.beginSnapshot()
  expect(draft.batchId).toBe(3)
  await draft.write(Buffer.from('state'))
  await runBatches(log, 4, 5)
  await draft.write(Buffer.from(' 3'))
  expect((await recover(store)).snapshot).toBeUndefined()
  const { log: next } = await openLog(store)
  const again = next.beginSnapshot()
  await again.write(Buffer.from('state'))
  await runBatches(next, 6, 6)
  await again.write(Buffer.from(' 5'))
  await again.finish()
  const recovered = await recover(store)
  expect(recovered.snapshot).toEqual({
    batchId: 5,
    files: [Buffer.from('state'), Buffer.from(' 5')],
  })
  expect(committedIds(recovered)).toEqual([6])
})

test('BatchLog leaves nothing of a snapshot that was given up, and begins another', async () => {
  const store = new MemoryStore()
  const { log } = await openLog(store, { snapshotEvery: 1 })
  await runBatches(log, 1, 1)
  const draft = log.beginSnapshot()
  await draft.write(Buffer.from('half'))
  expect(() => log.beginSnapshot()).toThrow('while another is written')
  await draft.abandon()
  expect(await store.list('epoch-')).toEqual([])
  expect(log.snapshotDue()).toBe(true)
  await writeSnapshot(log, Buffer.from('whole'))
  expect((await recover(store)).snapshot?.files).toEqual([Buffer.from('whole')])
})

test('BatchLog forgets what the two newest snapshots do not need', async () => {
  const store = new MemoryStore()
  const { log } = await openLog(store, { segmentBytesMax: 2_000 })
  const kept: string[][] = []
  for (let round = 1; round <= 6; round += 1) {
    await runBatches(log, round * 10 - 9, round * 10)
    await writeSnapshot(log, Buffer.from(`state ${round * 10}`))
    kept.push(await store.list(''))
  }
  const snapshots = kept.map((names) => names.filter((name) => name.startsWith('epoch-')))
  expect(snapshots.at(-1)).toEqual(['epoch-1/snapshot-50-5.bin', 'epoch-1/snapshot-60-6.bin'])
  expect(kept.map((names) => names.length).at(-1)).toBeLessThan(12)
  expect(await store.exists(HEAD)).toBe(false)

  store.damage('epoch-1/snapshot-60-6.bin', () => undefined)
  const recovered = await recover(store)
  expect(recovered.snapshot?.batchId).toBe(50)
  expect(committedIds(recovered)).toEqual([51, 52, 53, 54, 55, 56, 57, 58, 59, 60])
})

test('BatchLog deletes nothing before the forget record is durable', async () => {
  const deleted: string[] = []
  class SpyStore extends MemoryStore {
    override async delete(name: string): Promise<void> {
      const slots = await this.list('slots/')
      const newest = await this.read(slots.at(-1) ?? '')
      expect(String(newest)).toContain('forget')
      deleted.push(name)
      return super.delete(name)
    }
  }
  const store = new SpyStore()
  const { log } = await openLog(store, { segmentBytesMax: 1_000 })
  for (let batchId = 1; batchId <= 9; batchId += 1) {
    await runBatches(log, batchId, batchId)
    if (batchId % 3 === 0) await writeSnapshot(log, new Uint8Array())
  }
  const slots = deleted.filter((name) => name.startsWith('slots/'))
  expect(slots.length).toBeGreaterThan(0)
  expect(slots).toEqual([...slots].sort())
})

test('BatchLog finishes the deletions of a run that died before them', async () => {
  class LastingStore extends MemoryStore {
    dying = true
    override delete(name: string): Promise<void> {
      return this.dying ? Promise.resolve() : super.delete(name)
    }
  }
  const store = new LastingStore()
  const { log } = await openLog(store, { segmentBytesMax: 1_000 })
  for (let batchId = 1; batchId <= 9; batchId += 1) {
    await runBatches(log, batchId, batchId)
    if (batchId % 3 === 0) await writeSnapshot(log, Buffer.from(`state ${batchId}`))
  }
  await store.createIfAbsent('epoch-1/snapshot-9-9.bin', Buffer.from('named by no record'))
  store.dying = false
  const recovered = await recover(store)
  expect(recovered.snapshot?.batchId).toBe(9)
  expect(await store.list('epoch-')).toEqual([
    'epoch-1/snapshot-6-2.bin',
    'epoch-1/snapshot-9-3.bin',
  ])
  expect(await store.exists(HEAD)).toBe(false)
})

test('BatchLog does all this in a real folder', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'millrace-log-'))
  try {
    for (let run = 0; run < 3; run += 1) {
      const { log, recovered } = await openLog(new LocalStore(dir), { segmentBytesMax: 2_000 })
      expect(recovered.lastBatchId).toBe(run * 20)
      expect(recovered.snapshot?.batchId).toBe(run === 0 ? undefined : run * 20 - 5)
      await runBatches(log, run * 20 + 1, run * 20 + 15)
      await writeSnapshot(log, Buffer.from(`state of run ${run}`))
      await runBatches(log, run * 20 + 16, run * 20 + 20)
      await log.close()
    }
    const { log, recovered } = await openLog(new LocalStore(dir))
    expect(recovered.snapshot?.files).toEqual([Buffer.from('state of run 2')])
    expect(committedIds(recovered)).toEqual([56, 57, 58, 59, 60])
    await log.close()
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
})
