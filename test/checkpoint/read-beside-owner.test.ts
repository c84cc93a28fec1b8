// A start reads a log whose owner lives, and deletes what it needs no more: what is missing then is
// no damage.

import { MemoryStore } from 'millrace/testing'
import { expect, test } from 'vitest'
import type { BatchLog } from '../../src/checkpoint/log.ts'
import type { CheckpointStore } from '../../src/checkpoint/store.ts'
import { codeOf, StreamingError } from '../../src/errors.ts'
import { openLog, runBatches, writeSnapshot } from './logs.ts'

/** Commits batches with two snapshots among them, so that earlier ones are deleted. */
async function goOn(log: BatchLog, from: number): Promise<void> {
  for (const batch of [from, from + 1]) {
    await runBatches(log, batch, batch)
    await writeSnapshot(log, Buffer.from(`state ${batch}`))
  }
}

/** Owners one after the other, of which the last has forgotten the log of the first. */
async function forgetting(store: MemoryStore): Promise<void> {
  for (const from of [1, 3]) {
    const { log } = await openLog(store)
    await goOn(log, from)
  }
}

/** The same store, whose reads of snapshots let `meanwhile` happen first, at the `call`-th. */
function interrupted(
  store: MemoryStore,
  call: number,
  meanwhile: () => Promise<void>,
): CheckpointStore {
  let calls = 0
  const read = async (name: string): Promise<Uint8Array | undefined> => {
    if (name.startsWith('epoch-')) calls += 1
    if (calls === call) {
      calls += 1
      await meanwhile()
    }
    return store.read(name)
  }
  return new Proxy<CheckpointStore>(store, {
    get(target, property) {
      if (property === 'read') return read
      const value: unknown = Reflect.get(target, property, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

test('an owner that deletes a snapshot meanwhile does not damage the log', async () => {
  const store = new MemoryStore()
  const { log } = await openLog(store)
  await goOn(log, 1)
  const { recovered } = await openLog(interrupted(store, 1, () => goOn(log, 3)))
  expect(recovered.lastBatchId).toBe(4)
})

test('a start that was taken over while it read says so', async () => {
  const store = new MemoryStore()
  await forgetting(store)
  // The first read is before the claim.
  const slow = interrupted(store, 2, async () => {
    const later = await openLog(store)
    await goOn(later.log, 5)
  })
  const error = await openLog(slow).catch((thrown: unknown) => thrown)
  expect(codeOf(error)).toBe('FENCED')
})

test('a start that cannot ask who owns the log does not speak of damage', async () => {
  const store = new MemoryStore()
  await forgetting(store)
  const unreachable = new StreamingError('CHECKPOINT_UNWRITABLE', 'no answer')
  let isCutOff = false
  const slow = interrupted(store, 2, async () => {
    const later = await openLog(store)
    await goOn(later.log, 5)
    isCutOff = true
  })
  const cutOff = new Proxy<CheckpointStore>(slow, {
    get(target, property) {
      if (property === 'list' && isCutOff) return () => Promise.reject(unreachable)
      return Reflect.get(target, property, target) as unknown
    },
  })
  await expect(openLog(cutOff)).rejects.toBe(unreachable)
})
