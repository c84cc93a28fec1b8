// Cuts batches and ships their blocks to the workers that own the source partitions.

import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { Block } from '../batch/block.ts'
import { recordsOf } from '../batch/record-columns.ts'
import { ValuesBlock } from '../batch/values-block.ts'
import type { BatchSources, SourcePart } from './executor.ts'
import type { BlocksMessage } from './protocol.ts'

/** Gives each source partition to one worker, for as long as the run lasts. */
export class Assignment {
  readonly #workers: number
  readonly #owners = new Map<string, number>()
  readonly #counts: number[]

  constructor(workers: number) {
    this.#workers = workers
    this.#counts = Array.from({ length: workers }, () => 0)
  }

  /** The owner of a partition: a new one goes to the worker that has the fewest of the source. */
  ownerOf(sourceId: number, partition: string): number {
    const key = `${sourceId}/${partition}`
    const known = this.#owners.get(key)
    if (known !== undefined) return known
    let owner = 0
    for (let worker = 1; worker < this.#workers; worker++) {
      if ((this.#counts[worker] ?? 0) < (this.#counts[owner] ?? 0)) owner = worker
    }
    this.#counts[owner] = (this.#counts[owner] ?? 0) + 1
    this.#owners.set(key, owner)
    return owner
  }
}

/** The lines over which blocks go to the workers. */
export class BlockLines {
  readonly #ports: MessagePort[] = []

  /** Makes a line to a worker; gives the end that the worker gets. */
  open(worker: number): MessagePort {
    const { port1, port2 } = new MessageChannel()
    this.connect(worker, port1)
    return port2
  }

  connect(worker: number, port: MessagePort): void {
    this.#ports[worker]?.close()
    port.unref()
    this.#ports[worker] = port
  }

  /** Sends the blocks of a batch to their owners, or to one of them only. `keep`: the blocks stay
   * usable here. */
  ship(
    batchId: number,
    sources: BatchSources,
    { keep, only }: { readonly keep: (sourceId: number) => boolean; readonly only?: number },
  ): void {
    sources.forEach((parts, sourceId) => {
      for (const { range, blocks, owner } of parts ?? []) {
        if (only !== undefined && owner !== only) continue
        const parcels = blocks.map(parcelOf)
        const content = parcels.map((parcel) => parcel.content)
        const message: BlocksMessage = {
          batchId,
          sourceId,
          partition: range.partition,
          blocks: content,
        }
        const buffers = keep(sourceId) ? [] : parcels.flatMap((parcel) => parcel.buffers)
        this.#ports[owner]?.postMessage(message, [...new Set(buffers)])
      }
    })
  }

  close(): void {
    for (const port of this.#ports) port?.close()
  }
}

/** The parts of a batch with their owners. */
export function assign(sources: BatchSources, assignment: Assignment): BatchSources {
  return sources.map((parts, sourceId) =>
    parts?.map((part) => ({ ...part, owner: assignment.ownerOf(sourceId, part.range.partition) })),
  )
}

/** The parts of a batch without their blocks: what the driver is told. */
export function withoutBlocks(sources: BatchSources): BatchSources {
  return sources.map((parts) => parts?.map((part): SourcePart => ({ ...part, blocks: [] })))
}

function parcelOf(block: Block<unknown>) {
  return block.toParcel?.() ?? new ValuesBlock([...recordsOf([block])]).toParcel()
}
