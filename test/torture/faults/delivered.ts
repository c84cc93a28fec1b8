// What came out of one stream: each record once, by its sequence number, the numbers of each key
// never back, ranges without a hole, and a child after the cut with its parents' ends.

import type { Position, RangeData, SourceRange } from 'millrace'
import { KinesisRecord } from 'millrace/kinesis'
import type { FaultedProducer } from './faulted-producer.ts'

/** The records that cuts have given. */
export class Delivered {
  readonly #stream: string
  readonly #seen = new Set<string>()
  readonly #numbers = new Map<string, number>()
  /** Where the last range of each shard ended. */
  readonly #positions = new Map<string, Position>()
  #records = 0
  #bytes = 0

  constructor(stream: string) {
    this.#stream = stream
  }

  /** How many records came. */
  get records(): number {
    return this.#records
  }

  /** Bytes of data and partition keys. */
  get bytes(): number {
    return this.#bytes
  }

  take(cut: readonly RangeData[]): void {
    for (const { range } of cut) this.#checkLineage(range)
    for (const { range, blocks } of cut) {
      this.#follow(range)
      for (const block of blocks) {
        for (let i = 0; i < block.length; i++) this.#takeOne(range.partition, block.at(i))
      }
    }
  }

  #checkLineage({ partition, parents }: SourceRange): void {
    const open = parents.find((parent) => this.#positions.get(parent)?.kind !== 'END')
    if (open !== undefined) throw this.#wrong(`cut ${partition} before the end of ${open}`)
  }

  #follow({ partition, after, upTo }: SourceRange): void {
    const before = this.#positions.get(partition) ?? { kind: 'TRIM_HORIZON' }
    if (JSON.stringify(before) !== JSON.stringify(after)) {
      throw this.#wrong(`cut ${partition} after ${JSON.stringify(after)}, a hole`)
    }
    this.#positions.set(partition, upTo)
  }

  /** Throws what a producer's records miss, once all have come. */
  check({ sent, acknowledged }: FaultedProducer): void {
    const lost = acknowledged.filter((record) => !this.#seen.has(record))
    if (lost.length > 0) throw this.#wrong(`lost ${lost.length} records, the first is ${lost[0]}`)
    for (const [key, n] of sent) {
      if (this.#numbers.get(key) !== n) throw this.#wrong(`lost ${key}:${n}`)
    }
  }

  #takeOne(shard: string, record: unknown): void {
    if (!(record instanceof KinesisRecord)) throw this.#wrong('gave what is no record')
    const id = `${shard}/${record.sequenceNumber}`
    if (this.#seen.has(id) || record.shardId !== shard) throw this.#wrong(`doubled ${id}`)
    this.#seen.add(id)
    const { partitionKey } = record
    const text = record.text()
    const [key = '', number = ''] = text.split(':', 2)
    const n = Number(number)
    const last = this.#numbers.get(key) ?? -1
    if (key !== partitionKey || n < last || n > last + 1) {
      throw this.#wrong(`gave ${key}:${number} after ${key}:${last}, key ${partitionKey}`)
    }
    this.#numbers.set(key, n)
    this.#records += 1
    this.#bytes += text.length + partitionKey.length
  }

  #wrong(what: string): Error {
    return new Error(`The receiver of "${this.#stream}" ${what}`)
  }
}
