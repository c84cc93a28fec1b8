import { crc32 } from 'node:zlib'
import type { Block, BlockParcel } from './block.ts'
import { decode, encode, isPrimitive } from './codec.ts'

/** A block of values; those that a closure could change are copied on each read.
 *
 * @example
 * ```ts
 * const block = new ValuesBlock([[1], [2]])
 * block.at(0).push(9)
 * assert.deepEqual(block.at(0), [1])
 * ```
 */
export class ValuesBlock<T> implements Block<T> {
  readonly #values: readonly T[]
  readonly #plain: boolean
  readonly #encoded: Uint8Array
  readonly #first: number

  constructor(values: readonly T[], first = 0) {
    this.#values = values
    this.#first = first
    this.#plain = values.every(isPrimitive)
    this.#encoded = encode(values, 'the records of a queue')
  }

  /** A block that came from another thread. */
  static fromParcel(content: unknown): ValuesBlock<unknown> {
    const { encoded, first } = content as { encoded: Uint8Array; first: number }
    return new ValuesBlock(decode(encoded) as unknown[], first)
  }

  get length(): number {
    return this.#values.length
  }

  get bytes(): number {
    return this.#encoded.length
  }

  at(index: number): T {
    const value = this.#values[index] as T
    return this.#plain ? value : (decode(encode(value, 'a record of a queue')) as T)
  }

  crc(before: number): number {
    return crc32(this.#encoded, before)
  }

  positionAt(index: number): string {
    return `record ${this.#first + index}`
  }

  slice(start: number, end: number): Block<T> {
    return new ValuesBlock(this.#values.slice(start, end), this.#first + start)
  }

  toParcel(): BlockParcel {
    const encoded = new Uint8Array(this.#encoded)
    return { content: { encoded, first: this.#first }, buffers: [encoded.buffer] }
  }
}
