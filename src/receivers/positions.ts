import type { PartitionPositions, SourceRange } from './receiver.ts'

/** The positions after `ranges` were taken. Partitions that have no range keep theirs; those that
 * a range forgets are gone. */
export function advance(
  positions: PartitionPositions,
  ranges: readonly SourceRange[],
): PartitionPositions {
  const after = new Map(positions.map((known) => [known.partition, known]))
  for (const range of ranges) {
    after.set(range.partition, positionAfter(range))
    for (const partition of range.forgotten ?? []) after.delete(partition)
  }
  return [...after.values()]
}

/** Where a partition is once a range of it was taken. */
export function positionAfter(range: SourceRange): PartitionPositions[number] {
  const { partition, upTo: position, caughtUpAt, parents, origin, retentionMs } = range
  const at = { partition, position, caughtUpAt, parents }
  return {
    ...at,
    ...(origin !== undefined && { origin }),
    ...(retentionMs !== undefined && { retentionMs }),
  }
}
