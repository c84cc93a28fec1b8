// A stream as the journal keeps it once its older changes are dropped.

import type { Creation, StreamMode } from './changes.ts'

/** A shard without its records. Hash keys are decimal. */
export interface ShardSnapshot {
  readonly createdMs: number
  readonly createdSecs: number
  readonly startHash: string
  readonly endHash: string
  readonly parent: number | undefined
  readonly adjacentParent: number | undefined
  readonly closedMs: number | undefined
}

/** A stream without its records. No change of it is under way. */
export interface StreamSnapshot {
  readonly kind: 'snapshot'
  readonly creation: Creation
  readonly mode: StreamMode
  readonly maxRecordKiB: number
  readonly retentionHours: number
  readonly tags: Readonly<Record<string, string>>
  readonly scalings: readonly number[]
  readonly counter: number
  readonly lastPutMs: number
  /** What arrived before it is gone, whatever the retention. */
  readonly floorMs: number
  readonly shards: readonly ShardSnapshot[]
}
