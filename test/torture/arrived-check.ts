// What must come of records that arrived over time, however they were cut into batches.

import { checkOutputs } from './lives.ts'
import { type Side, WRITTEN, type WrittenName } from './written-pipelines.ts'

/** Throws unless the outputs hold every record of `written` once and in order, and in each batch
 * what follows from the records of the batches up to it. */
export function checkArrived(
  name: WrittenName,
  written: Readonly<Record<Side, readonly string[]>>,
  batchesOf: (output: string) => ReadonlyMap<number, readonly unknown[]>,
): void {
  const { sides, outputs, expected } = WRITTEN[name]
  const found = new Map(sides.map((side) => [side, batchesOf(side)]))
  for (const [side, batches] of found) {
    const has = inOrder(batches).join(' ')
    const should = written[side].join(' ')
    if (has !== should) throw new Error(`Output "${side}" must hold ${should}, got ${has}`)
  }
  const last = Math.max(0, ...['left', ...outputs].flatMap((one) => [...batchesOf(one).keys()]))
  const wordsOf = (side: Side): string[][] =>
    Array.from({ length: last }, (_, i) => (found.get(side)?.get(i + 1) ?? []).map(String))
  const arrived = { left: wordsOf('left'), right: wordsOf('right') }
  const ids = Array.from({ length: last }, (_, i) => i + 1)
  checkOutputs(name, expected(arrived), batchesOf, ids)
}

/** The records of all batches, in the order of their ids. */
function inOrder(batches: ReadonlyMap<number, readonly unknown[]>): unknown[] {
  const sorted = [...batches].sort(([a], [b]) => a - b)
  return sorted.flatMap(([, records]) => records)
}
