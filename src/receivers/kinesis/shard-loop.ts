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
  /** Called before each read: true if the shard was moved on, past records that were lost. */
  readonly passedGap: (shard: ShardState) => Promise<boolean>
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
  { reader, prefetch, clock, signal, passedGap }: ShardLoopParts,
): Promise<readonly ListedShard[]> {
  let iterator: string | undefined
  for (;;) {
    await turnOf(shard.pace, clock, signal)
    if (await passedGap(shard)) iterator = undefined
    iterator ??= await reader.iterator(shard.id, shard.read, shard.pace)
    const leave = await prefetch.admit(shard)
    try {
      const page = await reader.read(iterator, leave.records, shard.pace)
      iterator = page?.next
      if (page === undefined) continue
      shard.receive(page)
      if (shard.ended) return page.children
    } finally {
      prefetch.giveBack(leave)
    }
  }
}
