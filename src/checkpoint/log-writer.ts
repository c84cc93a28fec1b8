// The end of the log: what its owner appends to. Two stores, two ways: segment-writer.ts where
// objects can grow, group-writer.ts where they cannot.

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
   * FENCED if it is not. Gives the bytes that it made durable. */
  sync(): Promise<number>
  /** Looks whether the log still is ours; rejects with FENCED if it is not. */
  checkFence(): Promise<void>
  /** Gives the FENCED error if another process took the log over; may be asked after a failure. */
  takenOver(): Promise<StreamingError | undefined>
  /** Leaves the slots below `slot` out of what later slots declare. */
  forgetBefore(slot: number): void
}
