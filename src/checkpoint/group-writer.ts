// The end of a log whose slots never change once they exist, as in an object store: what is to
// become durable together is gathered here, and becomes one slot.
//
// What always holds: the group begins with a `segment` record that names every live slot before
// it, and ends with an `end` record. Each frame says that all before it was durable, since a slot
// comes into being whole: damage anywhere but in the `end` record is known to be damage.
//
// Winning the slot is the look for a successor too: who wins slot n+1 knows that nobody had claimed
// it, so the next owner reads what is in it.

import { crc32 } from 'node:zlib'
import type { StreamingError } from '../errors.ts'
import { Fence } from './fence.ts'
import { encodeRecord, frameOf, type LogRecord, type Place } from './format.ts'
import { flush, type LogWriter, type WriterOptions } from './log-writer.ts'
import { SlotChain } from './slot-chain.ts'

interface Group {
  readonly frames: Buffer[]
  length: number
}

/** The end of a log of which each commit group is a slot of its own. */
export class GroupWriter implements LogWriter {
  readonly #options: WriterOptions
  readonly #fence: Fence
  readonly #chain: SlotChain
  readonly #groupBytesMax: number
  /** The newest slot that was won. */
  #slot: number
  #group: Group | undefined

  constructor(options: WriterOptions) {
    const { store, claim, opening, slot, segmentBytesMax } = options
    this.#options = options
    this.#fence = new Fence(store, claim)
    this.#chain = new SlotChain(claim, opening)
    this.#groupBytesMax = segmentBytesMax
    this.#slot = slot
  }

  get place(): Place {
    return { slot: this.#slot + 1, offset: this.#begun().length }
  }

  get firstSlot(): number {
    return this.#chain.firstOr(this.#slot)
  }

  open(): Promise<void> {
    this.#begun()
    return Promise.resolve()
  }

  async append(record: LogRecord): Promise<void> {
    const payload = encodeRecord(record)
    const { frames, length } = this.#begun()
    if (frames.length > 1 && length + payload.length > this.#groupBytesMax) await this.sync()
    this.#add(this.#begun(), payload)
  }

  async sync(): Promise<void> {
    const group = this.#group
    if (group === undefined) return await this.checkFence()
    this.#add(group, encodeRecord({ kind: 'end' }))
    const bytes = Buffer.concat(group.frames)
    await flush(this.#options, bytes.length, () => this.#fence.winNext(this.#slot, bytes))
    this.#slot += 1
    this.#chain.add({ slot: this.#slot, length: bytes.length, crc: crc32(bytes) })
    this.#group = undefined
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

  #begun(): Group {
    if (this.#group !== undefined) return this.#group
    const group: Group = { frames: [], length: 0 }
    this.#add(group, encodeRecord(this.#chain.head()))
    this.#group = group
    return group
  }

  #add(group: Group, payload: Uint8Array): void {
    const place = { slot: this.#slot + 1, offset: group.length }
    const frame = frameOf(payload, place, place.offset)
    group.frames.push(frame)
    group.length += frame.length
  }
}
