import type { PartitionPositions, SourceRange } from './receiver.ts'

/** The positions after `ranges` were taken. Partitions that have no range keep theirs. */
export function advance(
  positions: PartitionPositions,
  ranges: readonly SourceRange[],
): PartitionPositions {
  const after = new Map(positions.map((known) => [known.partition, known]))
  for (const { partition, upTo, caughtUpAt, parents } of ranges) {
    after.set(partition, { partition, position: upTo, caughtUpAt, parents })
  }
  return [...after.values()]
}
