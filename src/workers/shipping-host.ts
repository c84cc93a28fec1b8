// Receivers whose records go to workers: the driver is told the ranges only.

import type { MessagePort } from 'node:worker_threads'
import type { CutLimits, PartitionPositions, Source } from '../receivers/receiver.ts'
import type { BatchSources } from './executor.ts'
import {
  type ContextOf,
  InlineReceiverHost,
  type PlannedSource,
  type ReceiverHost,
  type ReceiverStatus,
} from './receiver-host.ts'
import { Assignment, assign, BlockLines, withoutBlocks } from './shipping.ts'

/** Batches whose records are kept for a worker that begins anew, where they cannot be read
 * again. */
const BATCHES_KEPT = 2

/** Keeps the receivers in this thread, and ships what they give. */
export class ShippingHost implements ReceiverHost {
  readonly #inner: InlineReceiverHost
  readonly #sources: readonly Source<unknown>[]
  readonly #assignment: Assignment
  readonly #lines = new BlockLines()
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

  async resend(batchId: number, planned: readonly PlannedSource[], worker: number): Promise<void> {
    const keep = this.#cannotReplay
    const kept = this.#kept.get(batchId) ?? []
    this.#lines.ship(
      batchId,
      kept.map((parts, id) => (keep(id) ? parts : undefined)),
      { keep, only: worker },
    )
    const mine = planned
      .filter(({ sourceId }) => !keep(sourceId))
      .map(({ sourceId, ranges }) => ({
        sourceId,
        ranges: ranges.filter(
          ({ partition }) => this.#assignment.ownerOf(sourceId, partition) === worker,
        ),
      }))
    const read = assign(await this.#inner.replay(batchId, mine), this.#assignment)
    this.#lines.ship(batchId, read, { keep, only: worker })
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
    this.#kept.set(
      batchId,
      sources.map((parts, id) => (keep(id) ? parts : undefined)),
    )
    for (const kept of this.#kept.keys()) {
      if (kept <= batchId - BATCHES_KEPT) this.#kept.delete(kept)
    }
    this.#lines.ship(batchId, sources, { keep })
    return withoutBlocks(sources)
  }

  readonly #cannotReplay = (sourceId: number): boolean =>
    this.#sources[sourceId]?.replayable !== true
}
