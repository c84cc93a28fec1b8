// Appends records to the slot that this process holds, and rolls to the next slot when it is full.
//
// What always holds: `length` and `crc` are those of what was appended; `synced` ≤ `length` was
// durable before the next append. A segment is durable as a whole before the next one exists, so a
// segment that is not the last one has no torn tail.
//
// Rolling wins the next slot by the same create-if-absent as taking an epoch does. Who loses has
// been taken over: one slot never has two owners, and a live log is never longer than its newest
// slot says.

import { crc32 } from 'node:zlib'
import { StreamingError } from '../errors.ts'
import {
  type ChainLink,
  type Claim,
  encodeRecord,
  frameOf,
  type LogRecord,
  type Opening,
  type Place,
  scanSlot,
  slotName,
} from './format.ts'
import { describeOwner } from './owner.ts'
import { listSlots } from './recovery.ts'
import type { CheckpointStore } from './store.ts'

export interface SegmentOptions {
  readonly store: CheckpointStore
  readonly claim: Claim
  readonly opening: Opening
  readonly slot: number
  /** What the slot holds already: the frame of its claim. */
  readonly head: Uint8Array
  /** A segment that would grow past this rolls, unless it holds nothing but its head. */
  readonly segmentBytesMax: number
}

/** The end of the log. Its caller owes: one call at a time, and none after one has failed. */
export class SegmentWriter {
  readonly #store: CheckpointStore
  readonly #claim: Claim
  readonly #opening: Opening
  readonly #segmentBytesMax: number
  #chain: readonly ChainLink[]
  #slot: number
  #headBytes: number
  #length: number
  #synced: number
  #crc: number

  constructor(options: SegmentOptions) {
    this.#store = options.store
    this.#claim = options.claim
    this.#opening = options.opening
    this.#segmentBytesMax = options.segmentBytesMax
    this.#chain = options.opening.chain
    this.#slot = options.slot
    this.#headBytes = options.head.length
    this.#length = options.head.length
    this.#synced = options.head.length
    this.#crc = crc32(options.head)
  }

  /** Where the next record will stand, unless the segment rolls before it. */
  get place(): Place {
    return { slot: this.#slot, offset: this.#length }
  }

  /** The oldest segment that the log still needs. */
  get firstSlot(): number {
    return this.#chain[0]?.slot ?? this.#slot
  }

  /** Appends; durable only after `sync`. */
  async append(record: LogRecord): Promise<void> {
    const payload = encodeRecord(record)
    let frame = frameOf(payload, this.place, this.#synced)
    if (this.#length > this.#headBytes && this.#length + frame.length > this.#segmentBytesMax) {
      await this.#roll()
      frame = frameOf(payload, this.place, this.#synced)
    }
    await this.#store.append(slotName(this.#slot), frame)
    this.#length += frame.length
    this.#crc = crc32(frame, this.#crc)
  }

  /** Makes durable what was appended. */
  async sync(): Promise<void> {
    if (this.#synced === this.#length) return
    const length = this.#length
    await this.#store.sync(slotName(this.#slot))
    this.#synced = length
  }

  /** Rejects with FENCED if another process took the log over.
   *
   * A slot after ours means so. It may be gone again, once its owner forgot it; but slots are
   * deleted in order, so ours went before it: looking for the next slot first and for ours
   * second misses neither. */
  async checkFence(): Promise<void> {
    const isTaken = await this.#store.exists(slotName(this.#slot + 1))
    if (isTaken || !(await this.#store.exists(slotName(this.#slot)))) throw await this.#fenced()
  }

  /** Gives the FENCED error if another process took the log over. Unlike `checkFence` it may be
   * asked after a failure, when a slot after ours may be one of our own. */
  async takenOver(): Promise<StreamingError | undefined> {
    const { slot, claim } = await this.#newest()
    const isOurs = slot === this.#slot || claim?.nonce === this.#claim.nonce
    return isOurs ? undefined : await this.#fenced()
  }

  /** Leaves the segments below `slot` out of what later segments declare. */
  forgetBefore(slot: number): void {
    this.#chain = this.#chain.filter((link) => link.slot >= slot)
  }

  async #roll(): Promise<void> {
    await this.sync()
    const chain = [...this.#chain, { slot: this.#slot, length: this.#length, crc: this.#crc }]
    const slot = this.#slot + 1
    const record = { kind: 'segment', ...this.#claim, ...this.#opening, chain } as const
    const head = frameOf(encodeRecord(record), { slot, offset: 0 }, 0)
    if (!(await this.#store.createIfAbsent(slotName(slot), head))) throw await this.#fenced()
    this.#chain = chain
    this.#slot = slot
    this.#headBytes = head.length
    this.#length = head.length
    this.#synced = head.length
    this.#crc = crc32(head)
  }

  async #fenced(): Promise<StreamingError> {
    return new StreamingError(
      'FENCED',
      `Cannot go on with pipeline "${this.#claim.pipeline}" in epoch ${this.#claim.epoch}: ` +
        `checkpoint ` +
        `"${this.#store.location}" must have one owner, and ` +
        `${await this.#describeSuccessor()}; run ` +
        `the pipeline in one place, or give each run a folder of its own`,
    )
  }

  async #describeSuccessor(): Promise<string> {
    const newest = await this.#newest()
    if (newest.slot <= this.#slot) return `slot "${slotName(this.#slot)}" of this one was deleted`
    if (newest.claim === undefined) return `slot "${slotName(newest.slot)}" was taken`
    return `${describeOwner(newest.claim.owner)} took it over (epoch ${newest.claim.epoch})`
  }

  async #newest(): Promise<{ slot: number; claim: Claim | undefined }> {
    const slot = (await listSlots(this.#store)).at(-1) ?? 0
    const bytes = slot === 0 ? undefined : await this.#store.read(slotName(slot))
    const first = bytes === undefined ? undefined : scanSlot(slot, bytes).frames[0]?.record
    return { slot, claim: first?.kind === 'claim' || first?.kind === 'segment' ? first : undefined }
  }
}
