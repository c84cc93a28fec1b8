// The blocks that a worker was sent: they wait for their batch, and stay until it is merged, so
// that another attempt finds them.

import type { MessagePort } from 'node:worker_threads'
import type { Block } from '../batch/block.ts'
import { ValuesBlock } from '../batch/values-block.ts'
import type { Source } from '../receivers/receiver.ts'
import type { BlocksMessage } from './protocol.ts'

/** Keeps the blocks of this worker's source partitions, by batch. Bounded by the engine: those of
 * the batch that runs, until it is merged, and of the one that is cut ahead, each within its
 * bytes. */
export class BlockInbox {
  readonly #sources: readonly Source<unknown>[]
  readonly #port: MessagePort
  readonly #blocks = new Map<string, readonly Block<unknown>[]>()
  readonly #waiting = new Map<string, (blocks: readonly Block<unknown>[]) => void>()
  #mergedUpTo = 0

  constructor(sources: readonly Source<unknown>[], port: MessagePort) {
    this.#sources = sources
    this.#port = port
    port.on('message', (message: BlocksMessage) => this.#take(message))
  }

  /** The blocks of a source partition in a batch; waits until they are there. */
  blocksOf(
    batchId: number,
    sourceId: number,
    partition: string,
  ): Promise<readonly Block<unknown>[]> {
    const key = keyOf(batchId, sourceId, partition)
    const blocks = this.#blocks.get(key)
    if (blocks !== undefined) return Promise.resolve(blocks)
    return new Promise((resolve) => this.#waiting.set(key, resolve))
  }

  /** Forgets the blocks of batches up to `batchId`. */
  forget(batchId: number): void {
    this.#mergedUpTo = batchId
    for (const key of this.#blocks.keys()) {
      if (Number.parseInt(key, 10) <= batchId) this.#blocks.delete(key)
    }
  }

  close(): void {
    this.#port.close()
  }

  #take({ batchId, sourceId, partition, blocks }: BlocksMessage): void {
    if (batchId <= this.#mergedUpTo) return
    const source = this.#sources[sourceId]
    const make = (content: unknown): Block<unknown> =>
      source?.fromParcel?.(content) ?? ValuesBlock.fromParcel(content)
    const key = keyOf(batchId, sourceId, partition)
    const made = blocks.map(make)
    this.#blocks.set(key, made)
    this.#waiting.get(key)?.(made)
    this.#waiting.delete(key)
  }
}

function keyOf(batchId: number, sourceId: number, partition: string): string {
  return `${batchId}/${sourceId}/${partition}`
}
