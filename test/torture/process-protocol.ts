// What the engine processes of the tortures and their parents say to each other. The process writes
// lines of JSON, each at once and whole, so that what it said last is known however it ends.

import type { S3StoreOptions } from '../../src/checkpoint/s3-options.ts'

/** Where a process keeps its checkpoint. */
export type CheckpointPlace = string | S3StoreOptions

/** The command line of a process, as JSON. */
export interface ProcessArgs {
  readonly pipeline: string
  readonly checkpoint: CheckpointPlace
  /** Where the files go. */
  readonly out: string
  readonly takeover: 'wait' | 'force'
  /** Stops itself with SIGSTOP at this event of this batch. */
  readonly freeze?: { readonly event: string; readonly batchId: number }
}

/** What a process says. */
export type Said =
  | { readonly kind: 'started'; readonly epoch: number }
  | { readonly kind: 'frozen' }
  | { readonly kind: 'listening'; readonly endpoint: string }
  /** An event of a batch. */
  | { readonly kind: `batch-${string}`; readonly batchId: number; readonly epoch: number }
  | { readonly kind: 'phase'; readonly phase: Phase }
  /** It waits in its phase to be killed. */
  | { readonly kind: 'holding' }
  | { readonly kind: 'ended'; readonly code: string | undefined; readonly message: string }

/** What an engine does, by what it said last. */
export type Phase = 'idle' | 'planned' | 'running' | 'sink' | 'commit'

/** The phase that begins with an event; `running` begins in a closure. */
export const PHASE_AFTER: Readonly<Record<string, Phase>> = {
  'batch-completed': 'idle',
  'batch-planned': 'planned',
  'batch-ran': 'sink',
  'batch-written': 'commit',
}

/** The command line of the engine of `kill`, as JSON. */
export interface KillProcessArgs {
  readonly endpoint: string
  readonly checkpoint: CheckpointPlace
  readonly out: string
  /** URL of a PostgreSQL database. */
  readonly database: string | undefined
  readonly until: 'stopped' | 'caught-up'
  /** Holds in this phase of its n-th planned batch, or of a later one. */
  readonly hold?: { readonly phase: Phase; readonly batch: number }
}
