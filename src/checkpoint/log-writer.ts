// The end of the log: what its owner appends to. Two stores, two ways: segment-writer.ts where
// objects can grow, group-writer.ts where they cannot.

import type { Clock } from '../clock.ts'
import type { StreamingError } from '../errors.ts'
import type { Claim, LogRecord, Opening, Place } from './format.ts'
import type { CheckpointStore } from './store.ts'

export interface WriterOptions {
  readonly store: CheckpointStore
  readonly claim: Claim
  readonly opening: Opening
  /** The slot that was won. */
  readonly slot: number
  /** What the slot holds already: the frame of its claim. */
  readonly head: Uint8Array
  /** A segment that would grow past this rolls, unless it holds nothing but its head. */
  readonly segmentBytesMax: number
  readonly clock: Clock
  /** Told of each write that made records durable. */
  readonly flushed: (flush: LogFlush) => void
}

/** One write that made records durable: an fsync of a segment, or a slot of its own. */
export interface LogFlush {
  readonly bytes: number
  readonly latencyMs: number
}

/** Makes `bytes` durable by `write`, and tells how long it took. */
export async function flush(
  { clock, flushed }: Pick<WriterOptions, 'clock' | 'flushed'>,
  bytes: number,
  write: () => Promise<void>,
): Promise<void> {
  const from = clock.monotonicMs()
  await write()
  flushed({ bytes, latencyMs: clock.monotonicMs() - from })
}

/** The end of the log. Its caller owes: one call at a time, and none after one has failed. */
export interface LogWriter {
  /** Where the next record will stand, if it does not roll. */
  readonly place: Place
  /** The oldest slot that the log still needs. */
  readonly firstSlot: number
  /** Declares the epoch: the first record of its owner. */
  open(): Promise<void>
  /** Appends; durable only after `sync`. */
  append(record: LogRecord): Promise<void>
  /** Makes durable what was appended, then looks whether the log still is ours; rejects with
   * FENCED if it is not. */
  sync(): Promise<void>
  /** Looks whether the log still is ours; rejects with FENCED if it is not. */
  checkFence(): Promise<void>
  /** Gives the FENCED error if another process took the log over; may be asked after a failure. */
  takenOver(): Promise<StreamingError | undefined>
  /** Leaves the slots below `slot` out of what later slots declare. */
  forgetBefore(slot: number): void
}
