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
  readonly #encoded: readonly Uint8Array[]
  readonly #first: number

  constructor(values: readonly T[], first = 0) {
    this.#values = values
    this.#first = first
    this.#encoded = values.map((value) => encode(value, 'a record of a queue'))
  }

  /** A block that came from another thread: `content` of the `toParcel` of the one that was sent.
   *
   * @example
   * ```ts
   * const { content } = new ValuesBlock(['a']).toParcel()
   * assert.equal(ValuesBlock.fromParcel(content).at(0), 'a')
   * ```
   */
  static fromParcel(content: unknown): ValuesBlock<unknown> {
    const { encoded, first } = content as { encoded: Uint8Array; first: number }
    return new ValuesBlock(decode(encoded) as unknown[], first)
  }

  get length(): number {
    return this.#values.length
  }

  get bytes(): number {
    return this.#encoded.reduce((n, bytes) => n + bytes.length, 0)
  }

  at(index: number): T {
    const value = this.#values[index] as T
    return isPrimitive(value) ? value : (decode(this.#encoded[index] as Uint8Array) as T)
  }

  /** Independent of how the values are cut into blocks. */
  crc(before: number): number {
    return this.#encoded.reduce((crc, bytes) => crc32(bytes, crc), before)
  }

  positionAt(index: number): string {
    return `record ${this.#first + index}`
  }

  slice(start: number, end: number): Block<T> {
    return new ValuesBlock(this.#values.slice(start, end), this.#first + start)
  }

  toParcel(): BlockParcel {
    const encoded = new Uint8Array(encode(this.#values, 'the records of a queue'))
    return { content: { encoded, first: this.#first }, buffers: [encoded.buffer] }
  }
}
