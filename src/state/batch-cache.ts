// The batches of persisted streams, sealed, for slice(): bounded in bytes, the least recently used
// go first.

import { LRUCache } from 'lru-cache'
import { openRecords, type SealedRecords, sealedBytes, sealRecords } from '../batch/sealed.ts'
import { mapSpread, type Spread } from '../batch/spread.ts'

type Partitions = Spread<SealedRecords>

/** Keeps the partitions of persisted streams by stream and batch time. */
export class BatchCache {
  readonly #kept: LRUCache<string, Partitions>
  readonly #pending = new Map<string, Partitions>()

  /** Keeps at most about `bytesMax` bytes. */
  constructor(bytesMax: number) {
    this.#kept = new LRUCache({ maxSize: bytesMax, sizeCalculation: bytesOf })
  }

  /** Keeps a batch of the current attempt; it counts once the batch is committed. */
  add(nodeId: number, time: number, partitions: Spread<readonly unknown[]>): void {
    const sealed = mapSpread(partitions, (part) => sealRecords(part, 'a persisted batch'))
    this.#pending.set(keyOf(nodeId, time), sealed)
  }

  discard(): void {
    this.#pending.clear()
  }

  merge(): void {
    for (const [key, partitions] of this.#pending) this.#kept.set(key, partitions)
    this.discard()
  }

  /** The partitions of a committed batch, fresh; undefined if they are not kept. */
  get(nodeId: number, time: number): Spread<readonly unknown[]> | undefined {
    const kept = this.#kept.get(keyOf(nodeId, time))
    return kept && mapSpread(kept, (part) => Array.from(openRecords(part) as unknown[]))
  }
}

function keyOf(nodeId: number, time: number): string {
  return `${nodeId}@${time}`
}

function bytesOf(partitions: Partitions): number {
  return Math.max(
    1,
    partitions.parts.reduce((n, part) => n + (part === undefined ? 0 : sealedBytes(part)), 0),
  )
}
