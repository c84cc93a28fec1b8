// Which changes of a pipeline a start refuses, and which it follows, by what its checkpoint says of
// sources, outputs and planned batches.

import { MemoryStore } from 'millrace/testing'
import { describe, expect, test } from 'vitest'
import type { BatchLog } from '../../src/checkpoint/log.ts'
import { encodeLog, type Overrides, openLog, planOf, runBatches } from './logs.ts'

const source = (name: string, replayable = true) => ({ name, replayable })
const a = source('a')
const b = source('b')

/** Outputs by their ordinals; null: one whose sink does not go by it. */
const outputs = (...names: (string | null)[]): Overrides => ({
  outputs: names.flatMap((name, outputId) => (name === null ? [] : [{ outputId, name }])),
})

const refusal = (message: string) => ({
  code: 'CHECKPOINT_INCOMPATIBLE',
  message: expect.stringContaining(message),
})

/** Starts, stops gracefully, and gives what the next start takes. */
async function stopped(overrides: Overrides): Promise<MemoryStore> {
  const store = new MemoryStore()
  await endGracefully(store, overrides)
  return store
}

async function endGracefully(store: MemoryStore, overrides: Overrides): Promise<void> {
  const { log, recovered } = await openLog(store, overrides)
  const next = recovered.lastBatchId + 1
  await runBatches(log, next, next)
  await log.close()
}

/** Starts and dies with a planned batch. */
async function diedWithPlan(store: MemoryStore, overrides: Overrides): Promise<BatchLog> {
  const { log, recovered } = await openLog(store, overrides)
  await log.plan(planOf(recovered.lastBatchId + 1, log.epoch))
  await log.sync()
  return log
}

/** Starts and dies before it has done anything. */
async function died(store: MemoryStore, overrides: Overrides): Promise<void> {
  await openLog(store, overrides)
}

describe('sources', () => {
  test.each([
    ['in another order', [a, b], [b, a], 'source 0 must be "a", got "b"'],
    ['with a new one before', [a], [b, a], 'source 0 must be "a", got "b"'],
    ['without the first', [a, b], [b], 'source 0 must be "a", got "b"'],
    ['one of which can be replayed now', [source('s', false)], [a], '"s", got "a"'],
  ])('%s are refused after a graceful stop too', async (_, before, now, message) => {
    const store = await stopped({ sources: before })
    await expect(openLog(store, { sources: now })).rejects.toMatchObject(refusal(message))
    await openLog(store, { sources: before })
  })

  test.each([
    ['with a new one behind', [a], [a, b]],
    ['without the last', [a, b], [a]],
    ['with another socket', [a, source('s', false)], [a, source('t', false)]],
  ])('%s are followed', async (_, before, now) => {
    const store = await stopped({ sources: before })
    await openLog(store, { sources: now })
  })

  test('of before keep their places, also when they are gone', async () => {
    const store = await stopped({ sources: [a, b] })
    await endGracefully(store, { sources: [a] })
    const other = openLog(store, { sources: [a, source('c')] })
    await expect(other).rejects.toMatchObject(refusal('source 1 must be "b", got "c"'))
    await openLog(store, { sources: [a, b, source('c')] })
  })

  test('that a planned batch reads must be there', async () => {
    const store = new MemoryStore()
    const { log } = await openLog(store, { sources: [a, b] })
    const plan = planOf(1)
    await log.plan({ ...plan, sources: [{ sourceId: 1, ranges: [] }, ...plan.sources] })
    await log.sync()
    const without = openLog(store, { sources: [a] })
    const message = '(1) run again, and source 1 "b", which they read, is gone; use a new folder'
    await expect(without).rejects.toMatchObject(refusal(message))
    await runBatches((await openLog(store, { sources: [a, b] })).log, 1, 1)
    await openLog(store, { sources: [a] })
  })
})

describe('outputs that go by their ordinals, with a planned batch,', () => {
  const cases = [
    ['that moved', outputs('x'), outputs(null, 'x'), 'must be "x", got it as output 1'],
    ['that another one took the place of', outputs('x'), outputs('y'), 'must be "x", got "y"'],
    ['that changed places', outputs('x', 'y'), outputs('y', 'x'), 'got it as output 1'],
    ['one of two of a name', outputs('x', 'x'), outputs('x'), 'got it as output 0'],
    ['with another of the name', outputs('x'), outputs('x', 'x'), '"x" twice'],
  ] as const

  test.each(cases)('%s are refused, and the owner goes on', async (_, before, now, message) => {
    const store = new MemoryStore()
    const log = await diedWithPlan(store, before)
    const changed = openLog(store, { ...now, planHash: 'plan-2' })
    await expect(changed).rejects.toMatchObject(refusal(message))
    await expect(changed).rejects.toThrow(/planned batches \(1\) run again.*once.*gracefully/)
    await log.commit({ batchId: 1, time: 0, receipts: [], changes: new Uint8Array(0) })
    await log.sync()
  })

  test.each(cases)('%s are followed after a graceful stop', async (_, before, now) => {
    const store = new MemoryStore()
    await diedWithPlan(store, before)
    await endGracefully(store, before)
    await openLog(store, { ...now, planHash: 'plan-2' })
  })

  test.each([
    ['that stayed', outputs('x'), outputs('x', 'y')],
    ['that are gone', outputs('x', 'y'), outputs('x')],
    ['that are new', outputs(null), outputs('x')],
  ])('%s are followed', async (_, before, now) => {
    const store = new MemoryStore()
    await diedWithPlan(store, before)
    const { recovered } = await openLog(store, { ...now, planHash: 'plan-2' })
    expect(recovered.redo).toHaveLength(1)
  })

  test('two of a name are followed where the pipeline is the same', async () => {
    const store = new MemoryStore()
    await diedWithPlan(store, outputs('x', 'x'))
    await openLog(store, outputs('x', 'x'))
  })

  test('are known as long as a batch of theirs may run again, whoever dies between', async () => {
    const store = new MemoryStore()
    await diedWithPlan(store, outputs('x'))
    await died(store, { ...outputs(), planHash: 'plan-2' })
    await died(store, { ...outputs(), planHash: 'plan-2' })
    const moved = openLog(store, { ...outputs(null, 'x'), planHash: 'plan-3' })
    await expect(moved).rejects.toMatchObject(refusal('got it as output 1'))
    await endGracefully(store, { ...outputs(), planHash: 'plan-2' })
    await openLog(store, { ...outputs(null, 'x'), planHash: 'plan-3' })
  })

  test('are no longer asked for when a later run has planned', async () => {
    const store = new MemoryStore()
    await diedWithPlan(store, outputs('x'))
    const { log } = await openLog(store, { ...outputs(), planHash: 'plan-2' })
    await runBatches(log, 1, 1)
    await log.plan({ ...planOf(2, log.epoch), planHash: 'plan-2' })
    await log.sync()
    await openLog(store, { ...outputs(null, 'x'), planHash: 'plan-3' })
  })
})

describe('a checkpoint that did not record them', () => {
  test.each([
    ['is followed by the same pipeline', 'plan-1', outputs('x')],
    ['is followed where no output goes by its ordinal', 'plan-2', outputs(null)],
  ])('%s', async (_, planHash, now) => {
    const { recovered } = await openLog(await encodeLog(planOf(1)), { ...now, planHash })
    expect(recovered.redo).toHaveLength(1)
  })

  test('is refused to a changed pipeline while a batch is planned', async () => {
    const changed = openLog(await encodeLog(planOf(1)), { ...outputs('x'), planHash: 'plan-2' })
    await expect(changed).rejects.toMatchObject(refusal('does not say which output was 0, now "x"'))
  })

  test('is followed by a changed pipeline where none is', async () => {
    await openLog(await encodeLog(), { ...outputs('x'), planHash: 'plan-2' })
  })
})
