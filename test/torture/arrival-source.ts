// A source that gives what has arrived: how much a batch takes depends on when it was cut, and in
// another life it would have been another amount, as with a stream. Only a redo by its ranges gives
// a batch the records that it had.

import type { Source } from 'millrace'
import { ValuesBlock } from '../../src/batch/values-block.ts'
import type { Position, RangeData, Receiver, SourceRange } from '../../src/receivers/receiver.ts'
import { pickFrom } from './picks.ts'

/** The one partition. */
export const PARTITION = 'all'

/** How much arrives between two cuts. */
export interface Arrivals {
  /** Changes how much each batch takes. */
  readonly seed: number
  /** The most that one batch takes. */
  readonly most: number
}

/** Gives `records` in their order. */
export function arrivalSource(
  name: string,
  records: readonly string[],
  { seed, most }: Arrivals,
): Source<string> {
  return {
    name,
    replayable: true,
    open: () => arrivalReceiver(records, pickFrom(seed), most),
    fromParcel: (content) => ValuesBlock.fromParcel(content) as ValuesBlock<string>,
  }
}

function arrivalReceiver(
  records: readonly string[],
  pick: (below: number) => number,
  most: number,
): Receiver {
  let taken = 0
  return {
    start(from) {
      const position = from[0]?.position
      taken = position?.kind === 'sequence' ? Number(position.sequence) : 0
      return Promise.resolve([
        { partition: PARTITION, position: at(taken), caughtUpAt: 0, parents: [] },
      ])
    },
    run: () => undefined,
    cut() {
      const from = taken
      taken = Math.min(records.length, taken + 1 + pick(most))
      return from === taken ? [] : [rangeOf(records, from, taken)]
    },
    replay: (ranges) => Promise.resolve(ranges.map((range) => reread(records, range))),
    caughtUp: () => taken === records.length,
    bufferedBytes: () => 0,
    lagMs: () => undefined,
    stop: () => Promise.resolve(),
  }
}

function reread(records: readonly string[], { after, upTo }: SourceRange): RangeData {
  return rangeOf(records, offsetOf(after), offsetOf(upTo))
}

/** Gives the records from one offset to another, as a range. */
export function rangeOf(records: readonly string[], from: number, to: number): RangeData {
  const block = new ValuesBlock(records.slice(from, to), from)
  const counts = { records: block.length, crc: block.crc(0), caughtUpAt: 0, parents: [] }
  const range = { partition: PARTITION, after: at(from), upTo: at(to), ...counts }
  return { range, blocks: [block] }
}

/** The position after so many records. */
export function at(offset: number): Position {
  return { kind: 'sequence', sequence: String(offset), sub: -1 }
}

/** How many records are before a position. */
export function offsetOf(position: Position): number {
  return position.kind === 'sequence' ? Number(position.sequence) : 0
}
