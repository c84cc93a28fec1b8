import { tokenOf } from '../batch/key.ts'
import { partitionOf } from '../batch/partitioner.ts'
import { KeyTable } from './combiner.ts'

/** Groups the pairs of several parents by key: [key, [values of the first, values of the second,
 * …]]. Keys stand in first-seen order of (parent, partition, offset). */
export function cogroupPartitions(parents: unknown[][][], partitions: number): unknown[][] {
  const tables = Array.from({ length: partitions }, () => new KeyTable())
  parents.forEach((parts, parent) => {
    for (const records of parts) {
      for (const record of records) {
        const [key, value] = record as [unknown, unknown]
        const table = tables[partitionOf(key, partitions)] as KeyTable
        groupOf(table, key, parents.length)[parent]?.push(value)
      }
    }
  })
  return tables.map(({ keys, values }) => keys.map((key, i) => [key, values[i]]))
}

function groupOf(table: KeyTable, key: unknown, parents: number): unknown[][] {
  const known = table.ids.get(tokenOf(key))
  if (known !== undefined) return table.values[known] as unknown[][]
  const groups = Array.from({ length: parents }, (): unknown[] => [])
  table.values[table.idOf(key)] = groups
  return groups
}
