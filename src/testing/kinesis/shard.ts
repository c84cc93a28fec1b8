// One shard: its range of hash keys, its place in the lineage, and its records in order.

import { assert } from '../../assert.ts'
import { hexOf } from './hash-key.ts'
import { LAST_COUNTER, SequenceNumbers } from './sequence-number.ts'
import type { ShardPosition } from './shard-iterator.ts'

/** A record as the shard keeps it. */
export interface StoredRecord {
  readonly sequenceNumber: string
  /** What the sequence number was made from. */
  readonly counter: number
  readonly arrivalMs: number
  readonly partitionKey: string
  readonly data: Uint8Array
  /** What counts for the limits: data and partition key. */
  readonly bytes: number
}

/** What a shard is made of, besides its records. */
export interface ShardDescription {
  readonly index: number
  readonly createdMs: number
  /** Of its sequence numbers: later than that of its parents, whatever the clock says. */
  readonly createdSecs: number
  readonly startHash: bigint
  readonly endHash: bigint
  readonly parent: number | undefined
  readonly adjacentParent: number | undefined
}

/** A shard, open until it is split or merged. */
export class Shard {
  readonly id: string
  readonly startHex: string
  readonly endHex: string
  readonly startingSequenceNumber: string
  readonly described: ShardDescription
  readonly #numbers: SequenceNumbers
  #records: StoredRecord[] = []
  /** Index of the oldest record that is still there. */
  #first = 0
  #closed: { readonly atMs: number; readonly endingSequenceNumber: string } | undefined

  constructor(described: ShardDescription) {
    this.described = described
    this.id = shardIdOf(described.index)
    this.startHex = hexOf(described.startHash)
    this.endHex = hexOf(described.endHash)
    this.#numbers = new SequenceNumbers({
      createdSecs: described.createdSecs,
      shardIndex: described.index,
    })
    this.startingSequenceNumber = this.#numbers.at(0, described.createdSecs)
  }

  get isOpen(): boolean {
    return this.#closed === undefined
  }

  /** When it was closed; undefined while it is open. */
  get closedMs(): number | undefined {
    return this.#closed?.atMs
  }

  /** Only a closed shard has one. */
  get endingSequenceNumber(): string | undefined {
    return this.#closed?.endingSequenceNumber
  }

  /** Takes no record any more. */
  close(atMs: number): void {
    assert(this.isOpen, () => `${this.id} is closed twice`)
    const endingSequenceNumber = this.#numbers.at(LAST_COUNTER, secondsOf(atMs))
    this.#closed = { atMs, endingSequenceNumber }
  }

  /** The sequence number that the record with this counter gets. */
  numberOf(counter: number, arrivalMs: number): string {
    return this.#numbers.at(counter, secondsOf(arrivalMs))
  }

  append(record: StoredRecord): void {
    this.#records.push(record)
  }

  /** Removes what arrived before `ms`. */
  trimBefore(ms: number): void {
    const records = this.#records
    while (this.#first < records.length && (records[this.#first] as StoredRecord).arrivalMs < ms) {
      this.#first += 1
    }
    if (this.#first === 0 || this.#first < records.length / 2) return
    this.#records = records.slice(this.#first)
    this.#first = 0
  }

  /** The records that are still there, oldest first. */
  records(): readonly StoredRecord[] {
    return this.#first === 0 ? this.#records : this.#records.slice(this.#first)
  }

  /** The record at an index that `indexOf` or `indexAt` gave, or beside it; undefined where there
   * is none. */
  recordAt(index: number): StoredRecord | undefined {
    return index < this.#first ? undefined : this.#records[index]
  }

  /** The index at which the next record will stand. */
  get endIndex(): number {
    return this.#records.length
  }

  /** The index of the first record of a position. Valid until the next trim. */
  indexOf({ sequenceNumber, after }: ShardPosition): number {
    return this.#search((record) =>
      after ? record.sequenceNumber > sequenceNumber : record.sequenceNumber >= sequenceNumber,
    )
  }

  /** The index of the first record that arrived at `ms` or later. Valid until the next trim. */
  indexAt(ms: number): number {
    return this.#search((record) => record.arrivalMs >= ms)
  }

  /** Where the records after all that are there now begin. */
  get tip(): ShardPosition {
    const last = this.#records.at(-1)
    if (last !== undefined) return { sequenceNumber: last.sequenceNumber, after: true }
    return { sequenceNumber: this.startingSequenceNumber, after: false }
  }

  #search(isBehind: (record: StoredRecord) => boolean): number {
    let low = this.#first
    let high = this.#records.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (isBehind(this.#records[middle] as StoredRecord)) high = middle
      else low = middle + 1
    }
    return low
  }
}

/** The id of the shard with this number. */
export function shardIdOf(index: number): string {
  return `shardId-${String(index).padStart(12, '0')}`
}

/** Reads the number in the id of a shard, which may be given in short ('7', 'shardId-7');
 * undefined if there is none. */
export function shardIndexOf(shardId: string): number | undefined {
  const digits = shardId.split('-')[1] ?? shardId
  const index = /^\d+$/.test(digits) ? Number(digits) : -1
  return index >= 0 && index <= 0x7fff_ffff ? index : undefined
}

/** Whole seconds of a time. */
export function secondsOf(ms: number): number {
  return Math.floor(ms / 1_000)
}
