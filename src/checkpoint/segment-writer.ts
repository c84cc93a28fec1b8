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
import type { StreamingError } from '../errors.ts'
import { Fence } from './fence.ts'
import { encodeRecord, frameOf, type LogRecord, type Place, slotName } from './format.ts'
import { flush, type LogWriter, type WriterOptions } from './log-writer.ts'
import { SlotChain } from './slot-chain.ts'
import type { CheckpointStore } from './store.ts'

/** The end of a log whose slots grow. */
export class SegmentWriter implements LogWriter {
  readonly #options: WriterOptions
  readonly #store: CheckpointStore
  readonly #fence: Fence
  readonly #chain: SlotChain
  readonly #segmentBytesMax: number
  #slot: number
  #headBytes: number
  #length: number
  #synced: number
  #crc: number

  constructor(options: WriterOptions) {
    const { store, claim, opening, slot, head, segmentBytesMax } = options
    this.#options = options
    this.#store = store
    this.#fence = new Fence(store, claim)
    this.#chain = new SlotChain(claim, opening)
    this.#segmentBytesMax = segmentBytesMax
    this.#slot = slot
    this.#headBytes = head.length
    this.#length = head.length
    this.#synced = head.length
    this.#crc = crc32(head)
  }

  get place(): Place {
    return { slot: this.#slot, offset: this.#length }
  }

  get firstSlot(): number {
    return this.#chain.firstOr(this.#slot)
  }

  async open(): Promise<void> {
    const { claim, opening } = this.#options
    await this.append({ kind: 'open', epoch: claim.epoch, ...opening })
  }

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

  async sync(): Promise<void> {
    await this.#makeDurable()
    await this.checkFence()
  }

  checkFence(): Promise<void> {
    return this.#fence.check(this.#slot)
  }

  takenOver(): Promise<StreamingError | undefined> {
    return this.#fence.takenOver(this.#slot)
  }

  forgetBefore(slot: number): void {
    this.#chain.forgetBefore(slot)
  }

  async #makeDurable(): Promise<void> {
    const bytes = this.#length - this.#synced
    if (bytes === 0) return
    await flush(this.#options, bytes, () => this.#store.sync(slotName(this.#slot)))
    this.#synced = this.#length
  }

  async #roll(): Promise<void> {
    await this.#makeDurable()
    this.#chain.add({ slot: this.#slot, length: this.#length, crc: this.#crc })
    const slot = this.#slot + 1
    const head = frameOf(encodeRecord(this.#chain.head()), { slot, offset: 0 }, 0)
    await this.#fence.winNext(this.#slot, head)
    this.#slot = slot
    this.#headBytes = head.length
    this.#length = head.length
    this.#synced = head.length
    this.#crc = crc32(head)
  }
}
