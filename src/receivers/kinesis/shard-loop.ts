// Reads one shard from where it stands to its end.

import type { Clock } from '../../clock.ts'
import { isGone } from './failures.ts'
import type { Prefetch } from './prefetch.ts'
import type { ShardState } from './shard.ts'
import { turnOf } from './shard-pace.ts'
import type { ListedShard, StreamReader } from './stream-reader.ts'

/** What a loop works with. */
export interface ShardLoopParts {
  readonly reader: StreamReader
  readonly prefetch: Prefetch
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Called after each read, before the shard receives what it gave: true if records are gone and
   * the shard was moved on, so that what came does not count. */
  readonly passedGap: (shard: ShardState) => Promise<boolean>
  /** Called when the shard has received a page. */
  readonly received: (shard: ShardState) => void
  /** Called before an iterator that expired is made again at a place that another stream has, too:
   * throws if this one was made anew. */
  readonly checkStream: () => Promise<void>
  /** Called when the service knows nothing of the shard any more: true if the run goes on. */
  readonly passedLoss: (shard: ShardState) => Promise<boolean>
}

/** Reads a shard. Gives the children that the service told; rejects with what ends the run. */
export async function readShard(
  shard: ShardState,
  parts: ShardLoopParts,
): Promise<readonly ListedShard[]> {
  for (;;) {
    try {
      return await readToEnd(shard, parts)
    } catch (error) {
      if (parts.signal.aborted || !isGone(error)) throw error
      if (!(await parts.passedLoss(shard))) throw error
      if (shard.ended) return []
    }
  }
}

async function readToEnd(
  shard: ShardState,
  { reader, prefetch, clock, signal, passedGap, received, checkStream }: ShardLoopParts,
): Promise<readonly ListedShard[]> {
  let iterator: string | undefined
  for (;;) {
    await turnOf(shard.pace, clock, signal)
    iterator ??= await reader.iterator(shard.id, shard.read, shard.pace)
    const leave = await prefetch.admit(shard)
    try {
      const renew = (): Promise<void> => prefetch.renew(leave, shard)
      const page = await reader.read(iterator, leave.records, shard.pace, renew)
      iterator = page?.next
      if (page === undefined) {
        if (shard.isUnread) await checkStream()
        continue
      }
      // Only now: what is there when a read begins may be dropped before it is answered.
      if (await passedGap(shard)) {
        iterator = undefined
        continue
      }
      shard.receive(page)
      received(shard)
      if (shard.ended) return page.children
    } finally {
      prefetch.giveBack(leave)
    }
  }
}
