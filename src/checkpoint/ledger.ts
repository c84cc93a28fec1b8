// What the log says so far, in as much as a restart needs it. The owner keeps it while it writes
// and a restart rebuilds it by applying the same records in the same order, so both always agree.

import { assert } from '../assert.ts'
import { positionAfter } from '../receivers/positions.ts'
import type { PartitionPositions } from '../receivers/receiver.ts'
import type { CommitRecord, LedgerBase, LogRecord, PlanRecord, Sums } from './format.ts'

type PartitionPosition = PartitionPositions[number]

/** Folds records. Positions move when a batch is committed, not when it is planned. */
export class Ledger {
  #lastBatchId: number
  #lastCommittedId: number
  readonly #positions = new Map<number, Map<string, PartitionPosition>>()
  readonly #planned = new Map<number, PlanRecord>()
  readonly #accumulators: Map<string, number>

  constructor(base?: LedgerBase) {
    this.#lastBatchId = base?.lastBatchId ?? 0
    this.#lastCommittedId = this.#lastBatchId
    this.#accumulators = new Map(base?.accumulators)
    for (const plan of base?.planned ?? []) this.#planned.set(plan.batchId, plan)
    for (const { sourceId, at } of base?.positions ?? []) this.#move(sourceId, at)
  }

  /** Newest committed or skipped batch, 0 if none. */
  get lastBatchId(): number {
    return this.#lastBatchId
  }

  /** Newest committed batch. */
  get lastCommittedId(): number {
    return this.#lastCommittedId
  }

  apply(record: LogRecord): void {
    if (record.kind === 'plan') this.#plan(record)
    else if (record.kind === 'commit') this.#commit(record)
    else if (record.kind === 'skip') this.#lastBatchId = Math.max(this.#lastBatchId, record.to)
    else if (record.kind === 'positions') {
      this.#move(record.sourceId, record.at)
      this.#forget(record.sourceId, record.forgotten ?? [])
    }
  }

  /** Batches that were planned and not committed, in order of their ids. */
  redo(): PlanRecord[] {
    return [...this.#planned.values()].sort((a, b) => a.batchId - b.batchId)
  }

  /** The position of each known partition after the last committed batch, by source. */
  positions(): Map<number, PartitionPositions> {
    return new Map([...this.#positions].map(([sourceId, at]) => [sourceId, [...at.values()]]))
  }

  /** What committed batches have added to each accumulator. */
  accumulators(): Map<string, number> {
    return new Map(this.#accumulators)
  }

  /** Everything, as data: a ledger made of it goes on as this one does. */
  base(): LedgerBase {
    const positions = [...this.positions()].map(([sourceId, at]) => ({ sourceId, at }))
    const base = { lastBatchId: this.#lastBatchId, positions, planned: this.redo() }
    const accumulators: Sums = [...this.#accumulators]
    return accumulators.length === 0 ? base : { ...base, accumulators }
  }

  #plan({ kind: _, ...plan }: { readonly kind: 'plan' } & PlanRecord): void {
    assert(
      plan.batchId > this.#lastBatchId,
      () => `Batch ${plan.batchId} was planned when it was done`,
    )
    this.#planned.set(plan.batchId, plan)
  }

  #commit({ batchId, accumulators = [] }: CommitRecord): void {
    const plan = this.#planned.get(batchId)
    assert(plan !== undefined, () => `Batch ${batchId} was committed without a plan`)
    assert(batchId > this.#lastBatchId, () => `Batch ${batchId} was committed out of order`)
    this.#planned.delete(batchId)
    this.#lastBatchId = batchId
    this.#lastCommittedId = batchId
    for (const [name, n] of accumulators) {
      this.#accumulators.set(name, (this.#accumulators.get(name) ?? 0) + n)
    }
    for (const { sourceId, ranges } of plan.sources) {
      this.#move(sourceId, ranges.map(positionAfter))
      for (const { forgotten = [] } of ranges) this.#forget(sourceId, forgotten)
    }
  }

  #forget(sourceId: number, partitions: readonly string[]): void {
    for (const partition of partitions) this.#positions.get(sourceId)?.delete(partition)
  }

  #move(sourceId: number, at: PartitionPositions): void {
    const positions = this.#positions.get(sourceId) ?? new Map<string, PartitionPosition>()
    this.#positions.set(sourceId, positions)
    for (const position of at) positions.set(position.partition, position)
  }
}
