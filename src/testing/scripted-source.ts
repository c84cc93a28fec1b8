// A source whose batches are written down: batch i of the script is what batch i gets, on every
// attempt.

import type { Block } from '../batch/block.ts'
import { cutEvenly, mulberry32 } from '../batch/recipes.ts'
import { ValuesBlock } from '../batch/values-block.ts'
import type { RangeData, Receiver, Source, SourceRange } from '../receivers/receiver.ts'

/** Says which batch the next cut is for. */
export interface ScriptPosition {
  /** Counts from 1. */
  readonly batchId: number
}

/** How the records of a partition come. */
export interface ScriptBlocks {
  /** Cuts them into blocks at places that this seed picks, and into others when a batch is read
   * again. @default one block for each partition */
  readonly blockSeed?: number
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
  script: Script,
  partitions: number,
  position: ScriptPosition,
  { blockSeed }: ScriptBlocks = {},
): Source<unknown> {
  const cutter = (readings: number) => ({ partitions, seed: blockSeed, readings })
  return {
    name,
    replayable: true,
    open: () => scriptedReceiver(script, cutter, position),
    fromParcel: ValuesBlock.fromParcel,
  }
}

type Script = readonly (readonly unknown[] | null)[]

interface Cutter {
  readonly partitions: number
  readonly seed: number | undefined
  /** How often the records were read before: other blocks come each time. */
  readonly readings: number
}

function scriptedReceiver(
  script: Script,
  cutter: (readings: number) => Cutter,
  position: ScriptPosition,
): Receiver {
  let replays = 0
  return {
    start: (from) => Promise.resolve(from),
    run: () => undefined,
    cut() {
      const values = script[position.batchId - 1]
      if (values === null) return undefined
      return dataOf(values ?? [], position.batchId, cutter(0))
    },
    replay(ranges) {
      replays += 1
      return Promise.resolve(replay(script, ranges, cutter(replays)))
    },
    caughtUp: () => position.batchId >= script.length,
    bufferedBytes: () => 0,
    lagMs: () => undefined,
    stop: () => Promise.resolve(),
  }
}

function replay(script: Script, ranges: readonly SourceRange[], cutter: Cutter): RangeData[] {
  return ranges.flatMap(({ upTo, partition }) => {
    if (upTo.kind !== 'sequence') return []
    const batchId = Number(upTo.sequence)
    const data = dataOf(script[batchId - 1] ?? [], batchId, cutter)
    return data.filter(({ range }) => range.partition === partition)
  })
}

function dataOf(values: readonly unknown[], batchId: number, cutter: Cutter): RangeData[] {
  return cutEvenly(values, cutter.partitions).map((part, i) => {
    const whole = new ValuesBlock(part)
    const at = (n: number) => ({ kind: 'sequence', sequence: String(n), sub: -1 }) as const
    const range: SourceRange = {
      partition: `partition-${String(i).padStart(3, '0')}`,
      after: at(batchId - 1),
      upTo: at(batchId),
      records: whole.length,
      crc: whole.crc(0),
      caughtUpAt: 0,
      parents: [],
    }
    return { range, blocks: blocksOf(whole, batchId * cutter.partitions + i, cutter) }
  })
}

const CUTS_MAX = 3

/** Up to four blocks, empty ones among them. */
function blocksOf<T>(whole: ValuesBlock<T>, salt: number, { seed, readings }: Cutter): Block<T>[] {
  if (seed === undefined) return [whole]
  const random = mulberry32(seed + salt * 7_919 + readings * 104_729)
  const cuts = Math.floor(random() * (CUTS_MAX + 1))
  const places = Array.from({ length: cuts }, () => Math.floor(random() * (whole.length + 1)))
  const ends = [...places.sort((a, b) => a - b), whole.length]
  return ends.map((end, i) => whole.slice(ends[i - 1] ?? 0, end))
}
