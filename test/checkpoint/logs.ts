// Logs as the tests of this folder need them: small batches of one source, and processes that die
// on demand.

import { encodeRecord, FORMAT, frameOf, type LogRecord } from '../../src/checkpoint/format.ts'
import {
  BatchLog,
  type CommitRecord,
  type LogOptions,
  type Owner,
  type OwnerProbe,
  type PlanRecord,
  type Recovered,
} from '../../src/checkpoint/log.ts'
import type { CheckpointStore } from '../../src/checkpoint/store.ts'
import type { Logger } from '../../src/events.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { MemoryStore } from '../../src/testing/memory-store.ts'
import { quietLogger } from '../../src/testing/quiet-logger.ts'

export const ZERO_TIME = 1_700_000_000_000
export const INTERVAL_MS = 1_000
export const HEAD = 'slots/0000000001.log'

/** Processes that a test starts and kills; all of them run on host "a" unless said otherwise. */
export class Processes {
  readonly #alive = new Set<number>()
  #lastPid = 100

  start(host = 'a'): OwnerProbe & { readonly kill: () => void } {
    this.#lastPid += 1
    const pid = this.#lastPid
    this.#alive.add(pid)
    const current: Owner = { host, bootId: undefined, pid, pidStartTime: String(pid) }
    return {
      current,
      isAlive: (owner) => (owner.host === host ? this.#alive.has(owner.pid) : undefined),
      kill: () => this.#alive.delete(pid),
    }
  }
}

export type Overrides = Partial<LogOptions>

/** Options of a start that takes the log at once, whoever holds it. */
export function optionsFor(store: CheckpointStore, overrides: Overrides = {}): LogOptions {
  return {
    store,
    pipeline: 'words',
    batchIntervalMs: INTERVAL_MS,
    planHash: 'plan-1',
    stateful: ['updateStateByKey#0'],
    sources: [{ name: 'lines', replayable: true }],
    outputs: [],
    zeroTime: () => ZERO_TIME,
    takeover: 'force',
    clock: new ManualClock(ZERO_TIME),
    logger: quietLogger,
    host: new Processes().start(),
    ...overrides,
  }
}

export function openLog(
  store: CheckpointStore,
  overrides: Overrides = {},
): Promise<{ log: BatchLog; recovered: Recovered }> {
  return BatchLog.open(optionsFor(store, overrides))
}

/** A checkpoint of a version that recorded neither sources nor outputs. */
export async function encodeLog(...plans: PlanRecord[]): Promise<MemoryStore> {
  const owner = new Processes().start().current
  const claim = { format: FORMAT, epoch: 1, nonce: 'n', owner, pipeline: 'words', at: ZERO_TIME }
  const opening = {
    pipeline: 'words',
    zeroTime: ZERO_TIME,
    batchIntervalMs: INTERVAL_MS,
    planHash: 'plan-1',
    stateful: ['updateStateByKey#0'],
    chain: [],
  }
  const records: LogRecord[] = [
    { kind: 'claim', ...claim },
    { kind: 'open', epoch: 1, ...opening },
    ...plans.map((plan) => ({ kind: 'plan', ...plan }) as const),
  ]
  let bytes = Buffer.alloc(0)
  for (const record of records) {
    const place = { slot: 1, offset: bytes.length }
    bytes = Buffer.concat([bytes, frameOf(encodeRecord(record), place, bytes.length)])
  }
  const store = new MemoryStore()
  await store.createIfAbsent(HEAD, bytes)
  return store
}

/** What a start finds, given that nothing else follows. */
export async function recover(
  store: CheckpointStore,
  overrides: Overrides = {},
): Promise<Recovered> {
  const { recovered } = await openLog(store, overrides)
  return recovered
}

/** Batch n reads the records n-1 to n of partition `p` of source 0. */
export function planOf(batchId: number, epoch = 1): PlanRecord {
  const range = {
    partition: 'p',
    after: sequence(batchId - 1),
    upTo: sequence(batchId),
    records: 1,
    crc: batchId,
    caughtUpAt: timeOf(batchId),
    parents: [],
  }
  const sources = [{ sourceId: 0, ranges: [range] }]
  const shape = { partitions: 8, keyGroups: 256, planHash: 'plan-1' }
  return { batchId, time: timeOf(batchId), epoch, sources, ...shape }
}

export function commitOf(batchId: number, changes = changesOf(batchId)): CommitRecord {
  return { batchId, time: timeOf(batchId), receipts: [{ records: 1, bytes: 10 }], changes }
}

export function changesOf(batchId: number): Uint8Array {
  return Buffer.from(`changes of ${batchId}`)
}

export function timeOf(batchId: number): number {
  return ZERO_TIME + batchId * INTERVAL_MS
}

export function sequence(n: number): { kind: 'sequence'; sequence: string; sub: number } {
  return { kind: 'sequence', sequence: String(n), sub: -1 }
}

/** Plans, syncs and commits the batches `from` to `to`, as the scheduler does. */
export async function runBatches(log: BatchLog, from: number, to: number): Promise<void> {
  for (let batchId = from; batchId <= to; batchId += 1) {
    await log.plan(planOf(batchId, log.epoch))
    await log.sync()
    await log.commit(commitOf(batchId))
  }
  await log.sync()
}

/** Writes a snapshot of what is committed, of one object or more. */
export async function writeSnapshot(log: BatchLog, ...files: Uint8Array[]): Promise<void> {
  const draft = log.beginSnapshot()
  try {
    for (const file of files) await draft.write(file)
  } catch (error) {
    await draft.abandon()
    throw error
  }
  await draft.finish()
}

/** Ids and changes of what was recovered after the snapshot. */
export function committedIds(recovered: Recovered): number[] {
  return recovered.changes.map(({ batchId }) => batchId)
}

export function redoIds(recovered: Recovered): number[] {
  return recovered.redo.map(({ batchId }) => batchId)
}

/** Keeps what is warned of. */
export function listeningLogger(): Logger & { readonly warnings: string[] } {
  const warnings: string[] = []
  return { ...quietLogger, warnings, warn: (_fields, message) => warnings.push(message) }
}

/** Lets everything that waits on resolved promises run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 200; turn += 1) await Promise.resolve()
}
