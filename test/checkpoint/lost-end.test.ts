// What a restart makes of slots that lost what was durable in them, and why that is not taken for a
// torn tail.

import { beforeEach, describe, expect, test } from 'vitest'
import { scanSlot } from '../../src/checkpoint/format.ts'
import type { BatchLog } from '../../src/checkpoint/log.ts'
import { MemoryStore } from '../../src/testing/memory-store.ts'
import { HEAD, openLog, recover, redoIds, runBatches, writeSnapshot } from './logs.ts'

let store: MemoryStore

beforeEach(() => {
  store = new MemoryStore('checkpoint')
})

/** Where the last record of a kind begins in a slot. */
async function offsetOf(kind: string, name = HEAD): Promise<number> {
  const slot = Number(/\d+/.exec(name)?.[0])
  const { frames } = scanSlot(slot, (await store.read(name)) ?? new Uint8Array())
  return frames.findLast(({ record }) => record.kind === kind)?.offset ?? -1
}

describe('a slot whose first record is not whole', () => {
  test('stops the start, wherever it is cut: a slot comes into being whole', async () => {
    const { log } = await openLog(store)
    await runBatches(log, 1, 2)
    const { log: next } = await openLog(store)
    const claimed = await offsetOf('open', 'slots/0000000002.log')
    await runBatches(next, 3, 3)
    const whole = (await store.read('slots/0000000002.log')) ?? new Uint8Array()
    for (let length = claimed - 1; length >= 0; length -= 1) {
      store.damage('slots/0000000002.log', () => whole.subarray(0, length))
      const recovering = recover(store)
      await expect(recovering).rejects.toMatchObject({ code: 'CHECKPOINT_CORRUPT' })
      await expect(recovering).rejects.toThrow('"slots/0000000002.log" is damaged or missing')
    }
    expect(await store.list('slots/')).toEqual([HEAD, 'slots/0000000002.log'])
  })
})

describe('a log that lost its end', () => {
  async function withSnapshotOf3(): Promise<number> {
    const { log } = await openLog(store)
    await runBatches(log, 1, 3)
    const plan = await offsetOf('plan')
    await writeSnapshot(log, Buffer.from('state 3'))
    return plan
  }

  test('before the batch of a snapshot stops the start, and names both', async () => {
    const plan = await withSnapshotOf3()
    store.damage(HEAD, (bytes) => bytes.subarray(0, plan))
    const recovering = recover(store)
    await expect(recovering).rejects.toMatchObject({ code: 'CHECKPOINT_CORRUPT' })
    await expect(recovering).rejects.toThrow(
      'Cannot read checkpoint "memory:checkpoint": its log must reach batch 3, of which there is ' +
        `"epoch-1/snapshot-3-1.bin", and "${HEAD}" is the last and it ends with batch 2; restore ` +
        'the log from a backup, or use another folder to start from nothing',
    )
  })

  test('after the plan of that batch goes on from there, and says so', async () => {
    await withSnapshotOf3()
    const commit = await offsetOf('commit')
    store.damage(HEAD, (bytes) => bytes.subarray(0, commit + 1))
    const recovered = await recover(store)
    expect(recovered.lastBatchId).toBe(2)
    expect(redoIds(recovered)).toEqual([3])
    expect(recovered.warnings).toEqual([expect.stringContaining('Cut 1 bytes')])
  })

  test('altogether stops the start where snapshots are left', async () => {
    await withSnapshotOf3()
    store.damage(HEAD, () => undefined)
    await expect(recover(store)).rejects.toThrow('"slots/" has no object')
    expect(await store.list('slots/')).toEqual([])
  })

  test('is not of a power loss: skips are durable before a snapshot is written', async () => {
    const { log } = await openLog(store)
    await runBatches(log, 1, 1)
    await log.skip(2, 9)
    await writeSnapshotObject(log)
    store.crash()
    expect((await recover(store)).lastBatchId).toBe(9)
  })

  async function writeSnapshotObject(log: BatchLog): Promise<void> {
    await log.beginSnapshot().write(Buffer.from('state'))
  }
})
