// What a batch log is opened with.

import { assert } from '../assert.ts'
import type { Clock } from '../clock.ts'
import type { Logger } from '../events.ts'
import type { PipelineParts } from './changed-pipeline.ts'
import { LEASE_MS } from './heartbeat.ts'
import type { Lease } from './lease.ts'
import type { LogFlush } from './log-writer.ts'
import { type OwnerProbe, systemProbe } from './owner.ts'
import type { CheckpointStore } from './store.ts'
import type { Takeover, TakeoverOptions } from './takeover.ts'

/** What a batch log needs. */
export interface LogOptions extends PipelineParts {
  readonly store: CheckpointStore
  readonly pipeline: string
  readonly batchIntervalMs: number
  /** One text for each stateful operator or window; a start with others is refused. */
  readonly stateful: readonly string[]
  /** Gives the time of batch 0 in epoch milliseconds; asked only if the checkpoint is fresh. */
  readonly zeroTime: () => number
  /** What to do about an owner that may be alive: wait for the lease, fence it at once, or
   * refuse. */
  readonly takeover: Takeover
  readonly clock: Clock
  readonly logger: Logger
  /** After how many commits a snapshot is due.
   * @default 100 — higher writes less, and costs a longer restart and more disk. */
  readonly snapshotEvery?: number
  /** When a segment rolls, in bytes; at most 1 GiB.
   * @default 16 MiB — higher makes fewer files, and forgets later. */
  readonly segmentBytesMax?: number
  /** How far apart writes that batches share begin, in milliseconds.
   * @default 0 — higher makes fewer, and results wait for them. */
  readonly commitIntervalMs?: number
  /** Told of each write that made records durable. */
  readonly flushed?: (flush: LogFlush) => void
  /** How long `wait` waits for a sign of life of the owner, in milliseconds.
   * @default 10_000 — higher is kinder to an owner that is slow, and delays a failover. */
  readonly leaseMs?: number
  /** Begins to give signs of life in an epoch: called as soon as it was won, since reading the
   * checkpoint may take longer than a lease.
   * @default none are given */
  readonly leaseOf?: (epoch: number) => Lease
  /** Ends the wait for an owner, and the reading of what it left. */
  readonly signal?: AbortSignal | undefined
  /** Tells who this process is and which others live.
   * @default the processes of this machine */
  readonly host?: OwnerProbe
}

/** Commits between snapshots. */
export const SNAPSHOT_EVERY = 100
/** Bytes of a segment. */
export const SEGMENT_BYTES_MAX = 16 * 2 ** 20
const SEGMENT_BYTES_LIMIT = 2 ** 30

/** Stops on bounds that cannot be. */
export function checkBounds({ segmentBytesMax, snapshotEvery }: LogOptions): void {
  const bytes = segmentBytesMax ?? SEGMENT_BYTES_MAX
  assert(bytes > 0 && bytes <= SEGMENT_BYTES_LIMIT, () => `A segment of ${bytes} bytes cannot be`)
  assert((snapshotEvery ?? SNAPSHOT_EVERY) > 0, 'A snapshot is due after at least one commit')
}

/** Gives what taking the log needs. */
export function takeoverOptions(options: LogOptions): TakeoverOptions {
  const { host = systemProbe(), leaseMs = LEASE_MS } = options
  return { ...options, probe: host, leaseMs }
}
