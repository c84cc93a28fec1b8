import { PairRecords } from '../batch/pair-records.ts'
import { KeyTable } from './combiner.ts'

/** Groups the pairs of several parents by key: [key, [values of the first, values of the second,
 * …]]. `parents` are the pairs of one target partition, parent by parent, chunk by chunk. Keys
 * stand in first-seen order of (parent, chunk, offset). */
export function cogroupChunks(parents: readonly (readonly PairRecords[])[]): PairRecords {
  const table = new KeyTable()
  for (const [parent, chunks] of parents.entries()) {
    for (const { keys, values } of chunks) {
      for (let i = 0; i < keys.length; i++) {
        const id = table.idOf(keys[i])
        table.values[id] ??= emptyGroups(parents.length)
        const groups = table.values[id] as unknown[][]
        groups[parent]?.push(values[i])
      }
    }
  }
  return new PairRecords(table.keys, table.values)
}

function emptyGroups(parents: number): unknown[][] {
  const groups: unknown[][] = []
  for (let parent = 0; parent < parents; parent++) groups.push([])
  return groups
}
