// How a limit on the records of a batch is shared out to the partitions of a source.

/** Shares `recordsMax` out to partitions with `waiting` records each: evenly, and what one does not
 * need goes to the others. Where it does not come out even, the partitions from `turn` on get one
 * record more, so that a growing `turn` starves none. */
export function shareRecords(
  waiting: readonly number[],
  recordsMax: number,
  turn: number,
): readonly number[] {
  const { level, left } = levelOf(waiting, recordsMax)
  const shares = waiting.map((records) => Math.min(records, level))
  const wanting = [...waiting.keys()].filter((i) => (waiting[i] ?? 0) > level)
  for (let n = 0; n < Math.min(left, wanting.length); n++) {
    const i = wanting[(turn + n) % wanting.length] as number
    shares[i] = level + 1
  }
  return shares
}

/** The greatest share that all who want as much can have, and what is left over then. */
function levelOf(
  waiting: readonly number[],
  recordsMax: number,
): { readonly level: number; readonly left: number } {
  const ascending = [...waiting].sort((a, b) => a - b)
  let left = recordsMax
  for (const [i, records] of ascending.entries()) {
    const sharers = ascending.length - i
    const level = Math.floor(left / sharers)
    if (records > level) return { level, left: left - level * sharers }
    left -= records
  }
  return { level: Number.POSITIVE_INFINITY, left: 0 }
}
