// A source made of values that are already there: for tests and first steps.

import { crc32 } from 'node:zlib'
import type { Block } from '../batch/block.ts'
import { decode, encode, isPrimitive } from '../batch/codec.ts'
import { StreamingError } from '../errors.ts'
import type { RangeData, Receiver, Source } from './receiver.ts'

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
}

/** Describes a queue of batches: one for each batch time, or all at once in the first. Its records
 * are not kept: it works without a checkpoint only. One of `batches` is one batch, whatever
 * `rateMax` and `backpressure` say.
 *
 * @example
 * ```ts
 * assert.equal(queue([[1, 2], [3]]).replayable, false)
 * ```
 */
export function queue<T>(
  // An array of arrays by name: TypeScript 7.0 infers `unknown` through Iterable<Iterable<T>>.
  batches: Iterable<readonly T[] | Iterable<T>>,
  options: { readonly oneAtATime?: boolean } = {},
): Source<T> {
  const all = Array.from(batches, (batch) => [...batch])
  const waiting = options.oneAtATime === false ? [all.flat(1)] : all
  return {
    name: 'queue',
    replayable: false,
    open: () => queueReceiver(waiting as unknown[][]),
  }
}

function queueReceiver(batches: readonly unknown[][]): Receiver {
  let next = 0
  return {
    start(from) {
      if (from.length === 0) return Promise.resolve([])
      return Promise.reject(
        new StreamingError(
          'SOURCE_NOT_REPLAYABLE',
          'Cannot resume a queue stream from a checkpoint: its records are not kept; use ' +
            'checkpoint: false with queue, or a source that can be replayed',
        ),
      )
    },
    run: () => undefined,
    cut() {
      const values = batches[next]
      if (values === undefined) return []
      next += 1
      return values.length === 0 ? [] : [rangeOf(values, next)]
    },
    replay: () => Promise.resolve([]),
    caughtUp: () => next >= batches.length,
    bufferedBytes: () => 0,
    lagMs: () => undefined,
    stop: () => Promise.resolve(),
  }
}

function rangeOf(values: readonly unknown[], ordinal: number): RangeData {
  const block = new ValuesBlock(values)
  const at = (n: number) => ({ kind: 'sequence', sequence: String(n), sub: -1 }) as const
  return {
    range: {
      partition: 'queue',
      after: at(ordinal - 1),
      upTo: at(ordinal),
      records: block.length,
      crc: block.crc(0),
      caughtUpAt: 0,
      parents: [],
    },
    blocks: [block],
  }
}
