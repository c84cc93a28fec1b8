import type { PairRecords } from '../batch/pair-records.ts'
import { PairRecords as Pairs } from '../batch/pair-records.ts'
import { KeyTable } from './combiner.ts'

/** Groups the pairs of several parents by key: [key, [values of the first, values of the second,
 * …]]. `chunks` are the pairs of one target partition, with the parent of each chunk. Keys stand in
 * first-seen order of (parent, partition, offset). */
export function cogroupChunks(
  chunks: readonly PairRecords[],
  parentOf: readonly number[],
  parents: number,
): PairRecords {
  const table = new KeyTable()
  chunks.forEach((chunk, c) => {
    const parent = parentOf[c] as number
    for (let i = 0; i < chunk.length; i++) {
      const id = table.idOf(chunk.keys[i])
      table.values[id] ??= emptyGroups(parents)
      const groups = table.values[id] as unknown[][]
      groups[parent]?.push(chunk.values[i])
    }
  })
  return new Pairs(table.keys, table.values)
}

function emptyGroups(parents: number): unknown[][] {
  return Array.from({ length: parents }, (): unknown[] => [])
}
