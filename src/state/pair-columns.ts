// The records of a partition by column: pairs as keys and values, anything else as they are.

import { assert } from '../assert.ts'
import { type Column, columnLength, fromColumn, toColumn } from '../batch/columns.ts'
import { PairRecords } from '../batch/pair-records.ts'
import type { Partition, Records } from '../batch/records.ts'
import { partitionLength } from '../batch/records.ts'

/** The pairs of a partition; one piece of columns is not copied. */
export function pairColumns(partition: Partition<unknown>): PairRecords {
  const pairs = gatherPairs(partition)
  assert(pairs !== undefined, 'operators on pairs are declared on streams of pairs')
  return pairs
}

/** The records of one partition, kept. */
export type KeptRecords =
  | { readonly kind: 'records'; readonly records: Column }
  | { readonly kind: 'pairs'; readonly keys: Column; readonly values: Column }

/** Keeps the records of a partition, apart from whatever made them; undefined: it has none. */
export function keepRecords(partition: Partition<unknown>, what: string): KeptRecords | undefined {
  if (partitionLength(partition) === 0) return undefined
  const pairs = gatherPairs(partition)
  if (pairs !== undefined) {
    const { keys, values } = pairs
    return { kind: 'pairs', keys: toColumn(keys, what), values: toColumn(values, what) }
  }
  const records: unknown[] = []
  for (const piece of partition) {
    for (let i = 0; i < piece.length; i++) records.push(piece.at(i))
  }
  return { kind: 'records', records: toColumn(records, what) }
}

/** Gives kept records; objects are fresh at each call. */
export function openKept(kept: KeptRecords): Records<unknown> {
  if (kept.kind === 'records') return fromColumn(kept.records)
  return new PairRecords(fromColumn(kept.keys), fromColumn(kept.values))
}

/** The number of kept records. */
export function keptLength(kept: KeptRecords): number {
  return columnLength(kept.kind === 'records' ? kept.records : kept.keys)
}

/** The records as two columns; undefined if some record is not an array of two. */
function gatherPairs(partition: Partition<unknown>): PairRecords | undefined {
  const [first] = partition
  if (partition.length === 1 && first instanceof PairRecords) return first
  const keys: unknown[] = []
  const values: unknown[] = []
  for (const piece of partition) {
    if (piece instanceof PairRecords) {
      for (let i = 0; i < piece.length; i++) {
        keys.push(piece.keys[i])
        values.push(piece.values[i])
      }
    } else if (!gatherRecords(piece, keys, values)) return undefined
  }
  return new PairRecords(keys, values)
}

/** False: some record is not an array of two. */
function gatherRecords(piece: Records<unknown>, keys: unknown[], values: unknown[]): boolean {
  for (let i = 0; i < piece.length; i++) {
    const record = piece.at(i)
    if (!Array.isArray(record) || record.length !== 2) return false
    keys.push(record[0])
    values.push(record[1])
  }
  return true
}
