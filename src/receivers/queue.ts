// A source made of values that are already there: for tests and first steps.

import { ValuesBlock } from '../batch/values-block.ts'
import { StreamingError } from '../errors.ts'
import type { RangeData, Receiver, Source } from './receiver.ts'

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
    fromParcel: (content) => ValuesBlock.fromParcel(content) as ValuesBlock<T>,
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
