// The batches of persisted streams, sealed, for slice(): bounded in bytes, the least recently used
// go first; and in time where the pipeline says how long batches are remembered.

import { LRUCache } from 'lru-cache'
import { openRecords, type SealedRecords, sealedBytes, sealRecords } from '../batch/sealed.ts'
import { mapSpread, type Spread } from '../batch/spread.ts'

interface KeptBatch {
  readonly nodeId: number
  readonly time: number
  readonly partitions: Spread<SealedRecords>
}

/** Keeps the partitions of persisted streams by stream and batch time. */
export class BatchCache {
  readonly #kept: LRUCache<string, KeptBatch>
  readonly #rememberMs: ReadonlyMap<number, number>
  readonly #pending = new Map<string, KeptBatch>()

  /** Keeps at most about `bytesMax` bytes, and batches of a node in `rememberMs` (milliseconds by
   * id) for so long only. */
  constructor(bytesMax: number, rememberMs: ReadonlyMap<number, number> = new Map()) {
    this.#kept = new LRUCache({ maxSize: bytesMax, sizeCalculation: bytesOf })
    this.#rememberMs = rememberMs
  }

  /** Keeps a batch of the current attempt; it counts once the batch is committed. */
  add(nodeId: number, time: number, partitions: Spread<readonly unknown[]>): void {
    const sealed = mapSpread(partitions, (part) => sealRecords(part, 'a persisted batch'))
    this.#pending.set(keyOf(nodeId, time), { nodeId, time, partitions: sealed })
  }

  discard(): void {
    this.#pending.clear()
  }

  /** Keeps what the attempt at batch `time` added, and drops what is too old by then. */
  merge(time: number): void {
    for (const [key, batch] of this.#pending) this.#kept.set(key, batch)
    this.discard()
    if (this.#rememberMs.size === 0) return
    for (const [key, batch] of [...this.#kept.entries()]) {
      const rememberMs = this.#rememberMs.get(batch.nodeId)
      if (rememberMs !== undefined && batch.time <= time - rememberMs) this.#kept.delete(key)
    }
  }

  /** The partitions of a committed batch, fresh; undefined if they are not kept. */
  get(nodeId: number, time: number): Spread<readonly unknown[]> | undefined {
    const kept = this.#kept.get(keyOf(nodeId, time))
    return kept && mapSpread(kept.partitions, (part) => Array.from(openRecords(part) as unknown[]))
  }
}

function keyOf(nodeId: number, time: number): string {
  return `${nodeId}@${time}`
}

function bytesOf({ partitions }: KeptBatch): number {
  return Math.max(
    1,
    partitions.parts.reduce((n, part) => n + (part === undefined ? 0 : sealedBytes(part)), 0),
  )
}
