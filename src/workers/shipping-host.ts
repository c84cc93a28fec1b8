// Receivers whose records go to workers: the driver is told the ranges only.

import type { MessagePort } from 'node:worker_threads'
import { present } from '../assert.ts'
import type { CutLimits, PartitionPositions, Source } from '../receivers/receiver.ts'
import type { BatchSources } from './executor.ts'
import {
  type ContextOf,
  InlineReceiverHost,
  type PlannedSource,
  type ReceiverHost,
  type ReceiverStatus,
} from './receiver-host.ts'
import { checkReplay } from './replay-check.ts'
import { Assignment, assign, BlockLines, withoutBlocks } from './shipping.ts'

/** Batches that a worker that begins anew may need: one that runs, and the next, which may be cut
 * ahead of it. */
const BATCHES_KEPT = 2

/** Keeps the receivers in this thread, and ships what they give. */
export class ShippingHost implements ReceiverHost {
  readonly #inner: InlineReceiverHost
  readonly #sources: readonly Source<unknown>[]
  readonly #assignment: Assignment
  readonly #lines = new BlockLines()
  /** What the newest batches took: with its records only where it cannot be read again. */
  readonly #kept = new Map<number, BatchSources>()

  constructor(sources: readonly Source<unknown>[], workers: number, contextOf: ContextOf) {
    this.#sources = sources
    this.#assignment = new Assignment(workers)
    this.#inner = new InlineReceiverHost(sources, contextOf)
  }

  /** Opens the line to a worker: the end that the worker gets. */
  open(worker: number): MessagePort {
    return this.#lines.open(worker)
  }

  /** Takes a line to a worker. */
  connect(worker: number, port: MessagePort): void {
    this.#lines.connect(worker, port)
  }

  start(sourceId: number, from: PartitionPositions): Promise<PartitionPositions> {
    return this.#inner.start(sourceId, from)
  }

  run(): void {
    this.#inner.run()
  }

  async cut(batchId: number, limits: readonly CutLimits[]): Promise<BatchSources> {
    return this.#ship(batchId, await this.#inner.cut(batchId, limits))
  }

  async replay(batchId: number, planned: readonly PlannedSource[]): Promise<BatchSources> {
    return this.#ship(batchId, await this.#inner.replay(batchId, planned))
  }

  async resend(from: number, worker: number): Promise<void> {
    for (const [batchId, sources] of this.#kept) {
      if (batchId >= from) await this.#shipAgain(batchId, sources, worker)
    }
  }

  setRate(sourceId: number, recordsPerSecond: number): void {
    this.#inner.setRate(sourceId, recordsPerSecond)
  }

  status(): ReceiverStatus {
    return this.#inner.status()
  }

  stop(): Promise<void> {
    return this.#inner.stop()
  }

  close(): Promise<void> {
    this.#lines.close()
    return Promise.resolve()
  }

  #ship(batchId: number, cut: BatchSources): BatchSources {
    const sources = assign(cut, this.#assignment)
    const keep = this.#cannotReplay
    const ranges = withoutBlocks(sources)
    this.#kept.set(
      batchId,
      sources.map((parts, id) => (keep(id) ? parts : ranges[id])),
    )
    for (const kept of this.#kept.keys()) {
      if (kept <= batchId - BATCHES_KEPT) this.#kept.delete(kept)
    }
    this.#lines.ship(batchId, sources, { keep })
    return ranges
  }

  async #shipAgain(batchId: number, sources: BatchSources, worker: number): Promise<void> {
    const keep = this.#cannotReplay
    const kept = sources.map((parts, id) => (keep(id) ? parts : undefined))
    this.#lines.ship(batchId, kept, { keep, only: worker })
    const planned = sources.flatMap((parts = [], sourceId) => {
      const own = parts.filter(({ owner }) => owner === worker)
      return keep(sourceId) ? [] : [{ sourceId, ranges: own.map(({ range }) => range) }]
    })
    const read = await this.#inner.replay(batchId, planned)
    for (const { sourceId, ranges } of planned) {
      const { name } = present(this.#sources[sourceId], 'a source')
      checkReplay(name, ranges, read[sourceId])
    }
    this.#lines.ship(batchId, assign(read, this.#assignment), { keep, only: worker })
  }

  readonly #cannotReplay = (sourceId: number): boolean =>
    this.#sources[sourceId]?.replayable !== true
}
