// What a restart makes of a log that is not as it was written.

import { beforeEach, describe, expect, test } from 'vitest'
import { scanSlot } from '../../src/checkpoint/format.ts'
import { StreamingError } from '../../src/errors.ts'
import { FaultyStore } from '../../src/testing/faulty-store.ts'
import { MemoryStore } from '../../src/testing/memory-store.ts'
import {
  commitOf,
  committedIds,
  HEAD,
  listeningLogger,
  openLog,
  planOf,
  recover,
  redoIds,
  runBatches,
  writeSnapshot,
} from './logs.ts'

let store: MemoryStore

beforeEach(() => {
  store = new MemoryStore('checkpoint')
})

const flip = (at: number) => (bytes: Buffer) => bytes.fill((bytes[at] ?? 0) ^ 0xff, at, at + 1)

/** Where the n-th record of a kind begins in a slot. */
async function offsetOf(kind: string, n = 1, name = HEAD): Promise<number> {
  const slot = Number(/\d+/.exec(name)?.[0])
  const { frames } = scanSlot(slot, (await store.read(name)) ?? new Uint8Array())
  return frames.filter(({ record }) => record.kind === kind)[n - 1]?.offset ?? -1
}

describe('a torn tail', () => {
  test('is cut, counted and told when the last 10 bytes are gone', async () => {
    const { log } = await openLog(store)
    await runBatches(log, 1, 3)
    const before = (await store.read(HEAD))?.length ?? 0
    const lastRecord = before - (await offsetOf('commit', 3))
    store.damage(HEAD, (bytes) => bytes.subarray(0, -10))
    const logger = listeningLogger()
    const recovered = await recover(store, { logger })
    expect(recovered.cutBytes).toBe(lastRecord - 10)
    expect(recovered.warnings).toEqual([
      `Cut ${lastRecord - 10} bytes from the end of "${HEAD}" in checkpoint "memory:checkpoint": ` +
        `its last record was not whole, as after a crash; going on from the record before it`,
    ])
    expect(logger.warnings).toContain(recovered.warnings[0])
    expect(recovered.lastBatchId).toBe(2)
    expect(redoIds(recovered)).toEqual([3])
  })

  test('is cut once: the run after the next finds a whole log', async () => {
    const { log } = await openLog(store)
    await runBatches(log, 1, 3)
    store.damage(HEAD, (bytes) => bytes.subarray(0, -10))
    const second = await openLog(store)
    await second.log.commit(commitOf(3))
    await second.log.close()
    const recovered = await recover(store)
    expect(recovered).toMatchObject({ cutBytes: 0, warnings: [], lastBatchId: 3, redo: [] })
  })

  test('may have whole records after the damage, if none was known durable', async () => {
    const { log } = await openLog(store)
    await log.plan(planOf(1))
    await log.sync()
    await log.commit(commitOf(1))
    await log.plan(planOf(2))
    store.crash({ keepUnsynced: 1_000 })
    store.damage(HEAD, flip((await offsetOf('commit')) + 20))
    const recovered = await recover(store)
    expect(recovered.cutBytes).toBeGreaterThan(0)
    expect(recovered.lastBatchId).toBe(0)
    expect(redoIds(recovered)).toEqual([1])
  })

  test('of an opening leaves the log of the run before', async () => {
    const { log } = await openLog(store)
    await runBatches(log, 1, 2)
    await openLog(store)
    store.damage('slots/0000000002.log', (bytes) => bytes.subarray(0, -10))
    const recovered = await recover(store)
    expect(recovered).toMatchObject({ epoch: 3, lastBatchId: 2 })
    expect(recovered.cutBytes).toBeGreaterThan(0)
  })
})

describe('a claim without an opening', () => {
  test('contributes nothing, and a fresh checkpoint stays fresh', async () => {
    const full = new StreamingError('CHECKPOINT_UNWRITABLE', 'the disk is full')
    const faults = [{ operation: 'append', error: full } as const]
    await expect(openLog(new FaultyStore(store, faults))).rejects.toBe(full)
    expect(await store.list('slots/')).toEqual([HEAD])
    expect(await recover(store)).toMatchObject({ fresh: true, epoch: 2 })
  })

  test('passes the log of the run before on to the next', async () => {
    const { log } = await openLog(store)
    await runBatches(log, 1, 2)
    const full = new StreamingError('CHECKPOINT_UNWRITABLE', 'the disk is full')
    const faults = [{ operation: 'append', error: full } as const]
    await expect(openLog(new FaultyStore(store, faults))).rejects.toBe(full)
    expect(await recover(store)).toMatchObject({ fresh: false, epoch: 3, lastBatchId: 2 })
  })
})

describe('damage in the middle', () => {
  test('stops the start, naming object and byte', async () => {
    const { log } = await openLog(store)
    await runBatches(log, 1, 5)
    const offset = await offsetOf('commit', 2)
    store.damage(HEAD, flip(offset + 20))
    const recovering = recover(store)
    await expect(recovering).rejects.toMatchObject({ code: 'CHECKPOINT_CORRUPT' })
    await expect(recovering).rejects.toThrow(
      `Cannot read checkpoint "memory:checkpoint": "${HEAD}" is damaged or missing at byte ` +
        `${offset}, ` +
        `and no later snapshot makes up for it; restore the object from a backup, or use another ` +
        `folder to start from nothing`,
    )
  })

  test('leaves the slot to its owner when it stops the start', async () => {
    const { log } = await openLog(store)
    await runBatches(log, 1, 5)
    store.damage(HEAD, flip((await offsetOf('commit', 2)) + 20))
    await expect(recover(store)).rejects.toMatchObject({ code: 'CHECKPOINT_CORRUPT' })
    expect(await store.list('slots/')).toEqual([HEAD])
    await log.sync()
  })

  test('of any byte that was durable stops the start or is a torn last record', async () => {
    const { log } = await openLog(store)
    await runBatches(log, 1, 2)
    const last = await offsetOf('commit', 2)
    const whole = (await store.read(HEAD)) ?? new Uint8Array()
    for (let at = 0; at < whole.length; at += 1) {
      store = new MemoryStore()
      await store.createIfAbsent(HEAD, whole)
      store.damage(HEAD, flip(at))
      const outcome = await recover(store).then(
        ({ lastBatchId }) => lastBatchId,
        (error) => error.code,
      )
      expect(outcome).toBe(at < last ? 'CHECKPOINT_CORRUPT' : 1)
    }
  })

  test('is passed over with a warning when a later snapshot is whole', async () => {
    const { log } = await openLog(store)
    await runBatches(log, 1, 3)
    await writeSnapshot(log, Buffer.from('state 3'))
    await runBatches(log, 4, 5)
    store.damage(HEAD, flip((await offsetOf('commit', 2)) + 20))
    const logger = listeningLogger()
    const { log: next, recovered } = await openLog(store, { logger })
    expect(recovered.snapshot?.batchId).toBe(3)
    expect(committedIds(recovered)).toEqual([4, 5])
    expect(recovered.warnings).toHaveLength(1)
    expect(logger.warnings.join()).toContain('Passed over damage at byte')
    await runBatches(next, 6, 6)
    const again = await recover(store)
    expect(again.lastBatchId).toBe(6)
    expect(again.warnings).toHaveLength(1)
  })

  test('after the snapshot stops the start', async () => {
    const { log } = await openLog(store)
    await runBatches(log, 1, 3)
    await writeSnapshot(log, Buffer.from('state 3'))
    await runBatches(log, 4, 5)
    const offset = await offsetOf('commit', 4)
    store.damage(HEAD, flip(offset + 20))
    await expect(recover(store)).rejects.toThrow(`byte ${offset}`)
  })

  test('of a segment that is not the last stops the start, even at its end', async () => {
    const { log } = await openLog(store)
    await runBatches(log, 1, 2)
    const { log: next } = await openLog(store)
    await runBatches(next, 3, 3)
    const length = (await store.read(HEAD))?.length ?? 0
    const lastOffset = await offsetOf('commit', 2)
    store.damage(HEAD, (bytes) => bytes.subarray(0, -1))
    await expect(recover(store)).rejects.toThrow(
      `"${HEAD}" is damaged or missing at byte ${lastOffset}`,
    )
    store.damage(HEAD, (bytes) => bytes.subarray(0, lastOffset))
    await expect(recover(store)).rejects.toThrow(`byte ${lastOffset}`)
    expect(length).toBeGreaterThan(lastOffset)
  })

  test('by a missing segment stops the start', async () => {
    const { log } = await openLog(store)
    await runBatches(log, 1, 2)
    await openLog(store)
    store.damage(HEAD, () => undefined)
    await expect(recover(store)).rejects.toThrow(`"${HEAD}" is damaged or missing at byte 0`)
  })

  test('by another whole segment of the same length stops the start', async () => {
    const other = new MemoryStore()
    for (const [place, start] of [
      [store, 1],
      [other, 4],
    ] as const) {
      const { log } = await openLog(place)
      await runBatches(log, start, start + 2)
      await openLog(place)
    }
    const foreign = await other.read(HEAD)
    expect(foreign?.length).toBe((await store.read(HEAD))?.length)
    store.damage(HEAD, () => foreign)
    await expect(recover(store)).rejects.toMatchObject({ code: 'CHECKPOINT_CORRUPT' })
  })
})

describe('a damaged snapshot', () => {
  async function withTwoSnapshots(): Promise<void> {
    const { log } = await openLog(store)
    await runBatches(log, 1, 2)
    await writeSnapshot(log, Buffer.from('state 2'))
    await runBatches(log, 3, 4)
    await writeSnapshot(log, Buffer.from('state 4'))
    await runBatches(log, 5, 5)
  }

  test('is passed over for the one before, with a warning', async () => {
    await withTwoSnapshots()
    store.damage('epoch-1/snapshot-4-2.bin', flip(3))
    const recovered = await recover(store)
    expect(recovered.snapshot).toEqual({ batchId: 2, files: [Buffer.from('state 2')] })
    expect(committedIds(recovered)).toEqual([3, 4, 5])
    expect(recovered.warnings).toHaveLength(1)
    expect(recovered.warnings[0]).toContain(
      'Passed over snapshot "epoch-1/snapshot-4-2.bin" of batch 4',
    )
  })

  test.each([1, 2, 3])('of several objects is passed over whichever is damaged: %i', async (n) => {
    const { log } = await openLog(store)
    await runBatches(log, 1, 2)
    await writeSnapshot(log, Buffer.from('state'), Buffer.from(' '), Buffer.from('2'))
    await runBatches(log, 3, 4)
    await writeSnapshot(log, Buffer.from('state'), Buffer.from(' '), Buffer.from('4'))
    const damaged = `epoch-1/snapshot-4-${3 + n}.bin`
    store.damage(damaged, (bytes) => (n === 2 ? undefined : flip(0)(bytes)))
    const { snapshot, warnings } = await recover(store)
    expect(String(Buffer.concat(snapshot?.files ?? []))).toBe('state 2')
    expect(warnings).toEqual([expect.stringContaining(`"${damaged}" of batch 4`)])
    const { log: next } = await openLog(store)
    await writeSnapshot(next, Buffer.from('state 4'))
    const left = [1, 2, 3].map((file) => `epoch-1/snapshot-2-${file}.bin`)
    expect(await store.list('epoch-')).toEqual([...left, 'epoch-3/snapshot-4-1.bin'])
  })

  test('leaves the whole log when there is no other and nothing was forgotten', async () => {
    await withTwoSnapshots()
    store.damage('epoch-1/snapshot-4-2.bin', flip(3))
    store.damage('epoch-1/snapshot-2-1.bin', () => undefined)
    const recovered = await recover(store)
    expect(recovered.snapshot).toBeUndefined()
    expect(committedIds(recovered)).toEqual([1, 2, 3, 4, 5])
    expect(recovered.warnings).toHaveLength(2)
  })

  test('is never one of the two that are kept', async () => {
    await withTwoSnapshots()
    store.damage('epoch-1/snapshot-4-2.bin', flip(3))
    const { log } = await openLog(store)
    expect(await store.exists('epoch-1/snapshot-4-2.bin')).toBe(true)
    await runBatches(log, 6, 6)
    await writeSnapshot(log, Buffer.from('state 6'))
    expect(await store.list('epoch-')).toEqual([
      'epoch-1/snapshot-2-1.bin',
      'epoch-2/snapshot-6-1.bin',
    ])
    store.damage('epoch-2/snapshot-6-1.bin', flip(3))
    const recovered = await recover(store)
    expect(recovered.snapshot?.batchId).toBe(2)
    expect(committedIds(recovered)).toEqual([3, 4, 5, 6])
  })

  test('stops the start when there is no other and the log before it was forgotten', async () => {
    const { log } = await openLog(store, { segmentBytesMax: 1_000 })
    for (const batchId of [1, 2, 3, 4, 5, 6]) {
      await runBatches(log, batchId, batchId)
      await writeSnapshot(log, Buffer.from(`state ${batchId}`))
    }
    for (const batchId of [5, 6])
      store.damage(`epoch-1/snapshot-${batchId}-${batchId}.bin`, flip(0))
    const recovering = recover(store)
    await expect(recovering).rejects.toMatchObject({ code: 'CHECKPOINT_CORRUPT' })
    await expect(recovering).rejects.toThrow(
      '"epoch-1/snapshot-6-6.bin", "epoch-1/snapshot-5-5.bin"',
    )
  })
})

describe('a full disk', () => {
  const full = new StreamingError('CHECKPOINT_UNWRITABLE', 'the disk is full')

  for (const effect of ['nothing', 7, 'all'] as const) {
    test(`at an append with effect ${effect} stops the log; the next start resumes`, async () => {
      const faulty = new FaultyStore(store, [{ operation: 'append', call: 6, error: full, effect }])
      const { log } = await openLog(faulty)
      await runBatches(log, 1, 2)
      await expect(log.plan(planOf(3))).rejects.toBe(full)
      await expect(log.sync()).rejects.toBe(full)
      await expect(log.commit(commitOf(3))).rejects.toBe(full)
      await log.close()
      expect(faulty.callsOf('append')).toBe(6)
      const recovered = await recover(store)
      expect(recovered.lastBatchId).toBe(2)
      expect(recovered.cutBytes).toBe(effect === 7 ? 7 : 0)
      expect(redoIds(recovered)).toEqual(effect === 'all' ? [3] : [])
    })
  }

  test('at a sync stops the log for good: it is never tried again', async () => {
    const faulty = new FaultyStore(store, [{ operation: 'sync', call: 2, error: full }])
    const { log } = await openLog(faulty)
    await log.plan(planOf(1))
    await expect(log.sync()).rejects.toBe(full)
    await expect(log.sync()).rejects.toBe(full)
    expect(faulty.callsOf('sync')).toBe(2)
    store.crash()
    expect(await recover(store)).toMatchObject({ lastBatchId: 0, redo: [] })
  })

  test('at a snapshot leaves the log as it was', async () => {
    const faulty = new FaultyStore(store, [{ operation: 'createIfAbsent', call: 2, error: full }])
    const { log } = await openLog(faulty, { snapshotEvery: 1 })
    await runBatches(log, 1, 1)
    await expect(writeSnapshot(log, Buffer.from('state 1'))).rejects.toBe(full)
    expect(log.snapshotDue()).toBe(true)
    await writeSnapshot(log, Buffer.from('state 1'))
    await log.close()
    expect((await recover(store)).snapshot?.batchId).toBe(1)
  })

  test('at the roll to a next segment stops the log, and the next start resumes', async () => {
    const faulty = new FaultyStore(store, [{ operation: 'createIfAbsent', call: 3, error: full }])
    const { log } = await openLog(faulty, { segmentBytesMax: 1_000 })
    await expect(runBatches(log, 1, 50)).rejects.toBe(full)
    const recovered = await recover(store)
    expect(recovered.lastBatchId).toBeGreaterThan(0)
    expect(recovered.cutBytes).toBe(0)
  })
})
