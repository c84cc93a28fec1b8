// A source whose batches are written down: batch i of the script is what batch i gets, on every
// attempt.

import { cutEvenly } from '../batch/recipes.ts'
import { ValuesBlock } from '../batch/values-block.ts'
import type { RangeData, Receiver, Source, SourceRange } from '../receivers/receiver.ts'

/** Says which batch the next cut is for. */
export interface ScriptPosition {
  readonly batchId: number
}

/** Describes a replayable source of written batches. `null` gives no batch, past the end empty
 * ones. A batch of n records over p partitions is cut at floor(i·n/p). What is written for a batch
 * is that batch, whatever `rateMax` and `backpressure` say.
 *
 * @example
 * ```ts
 * const source = scriptedSource('input', [[1], null], 2, { batchId: 1 })
 * assert.equal(source.replayable, true)
 * ```
 */
export function scriptedSource(
  name: string,
  script: readonly (readonly unknown[] | null)[],
  partitions: number,
  position: ScriptPosition,
): Source<unknown> {
  return {
    name,
    replayable: true,
    open: () => scriptedReceiver(script, partitions, position),
    fromParcel: ValuesBlock.fromParcel,
  }
}

function scriptedReceiver(
  script: readonly (readonly unknown[] | null)[],
  partitions: number,
  position: ScriptPosition,
): Receiver {
  return {
    start: (from) => Promise.resolve(from),
    run: () => undefined,
    cut() {
      const values = script[position.batchId - 1]
      if (values === null) return undefined
      return dataOf(values ?? [], position.batchId, partitions)
    },
    replay: (ranges) => Promise.resolve(replay(script, ranges, partitions)),
    caughtUp: () => position.batchId >= script.length,
    bufferedBytes: () => 0,
    lagMs: () => undefined,
    stop: () => Promise.resolve(),
  }
}

function replay(
  script: readonly (readonly unknown[] | null)[],
  ranges: readonly SourceRange[],
  partitions: number,
): RangeData[] {
  return ranges.flatMap(({ upTo, partition }) => {
    if (upTo.kind !== 'sequence') return []
    const batchId = Number(upTo.sequence)
    const data = dataOf(script[batchId - 1] ?? [], batchId, partitions)
    return data.filter(({ range }) => range.partition === partition)
  })
}

function dataOf(values: readonly unknown[], batchId: number, partitions: number): RangeData[] {
  return cutEvenly(values, partitions).map((part, i) => {
    const block = new ValuesBlock(part)
    const at = (n: number) => ({ kind: 'sequence', sequence: String(n), sub: -1 }) as const
    const range: SourceRange = {
      partition: `partition-${String(i).padStart(3, '0')}`,
      after: at(batchId - 1),
      upTo: at(batchId),
      records: block.length,
      crc: block.crc(0),
      caughtUpAt: 0,
      parents: [],
    }
    return { range, blocks: [block] }
  })
}
