// The blocks that a worker was sent: they wait for their batch, and stay until it is merged, so
// that another attempt finds them.

import type { MessagePort } from 'node:worker_threads'
import type { Block } from '../batch/block.ts'
import { ValuesBlock } from '../batch/values-block.ts'
import { StreamingError } from '../errors.ts'
import type { Source } from '../receivers/receiver.ts'
import type { BlocksMessage } from './protocol.ts'

/** Keeps the blocks of this worker's source partitions, by batch. Bounded by the engine: those of
 * the batch that runs, until it is merged, and of the one that is cut ahead, each within its
 * bytes. */
export class BlockInbox {
  readonly #sources: readonly Source<unknown>[]
  readonly #port: MessagePort
  readonly #blocks = new Map<string, readonly Block<unknown>[]>()
  readonly #waiting = new Map<string, PromiseWithResolvers<readonly Block<unknown>[]>>()
  #mergedUpTo = 0
  #ended: StreamingError | undefined

  constructor(sources: readonly Source<unknown>[], port: MessagePort) {
    this.#sources = sources
    this.#port = port
    port.on('message', (message: BlocksMessage) => this.#take(message))
    port.on('close', () => this.#end())
  }

  /** The blocks of a source partition in a batch; waits until they are there. Rejects where nobody
   * sends any more, and with what `giveUp` is given. */
  blocksOf(
    batchId: number,
    sourceId: number,
    partition: string,
  ): Promise<readonly Block<unknown>[]> {
    const key = keyOf(batchId, sourceId, partition)
    const blocks = this.#blocks.get(key)
    if (blocks !== undefined) return Promise.resolve(blocks)
    if (this.#ended !== undefined) return Promise.reject(this.#ended)
    const waiting = Promise.withResolvers<readonly Block<unknown>[]>()
    this.#waiting.set(key, waiting)
    return waiting.promise
  }

  /** Lets nobody wait: the attempt is given up. */
  giveUp(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
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

  #end(): void {
    this.#ended = new StreamingError(
      'WORKER_DIED',
      'Cannot run a batch: whoever keeps the receivers has ended, and sends no records any more; ' +
        'mend what ended it, which the error of the run names, and start again',
    )
    this.giveUp(this.#ended)
  }

  #take({ batchId, sourceId, partition, blocks }: BlocksMessage): void {
    if (batchId <= this.#mergedUpTo) return
    const source = this.#sources[sourceId]
    const make = (content: unknown): Block<unknown> =>
      source?.fromParcel?.(content) ?? ValuesBlock.fromParcel(content)
    const key = keyOf(batchId, sourceId, partition)
    const made = blocks.map(make)
    this.#blocks.set(key, made)
    this.#waiting.get(key)?.resolve(made)
    this.#waiting.delete(key)
  }
}

function keyOf(batchId: number, sourceId: number, partition: string): string {
  return `${batchId}/${sourceId}/${partition}`
}
