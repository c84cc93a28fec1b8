// The records of one partition as columns: how results go to the driver and kept batches lie in
// memory.

import { type Column, columnBuffers, columnLength, fromColumn, toColumn } from './columns.ts'
import { PairRecords } from './pair-records.ts'
import type { Partition, Records } from './records.ts'

/** Records as one column, or pairs as two. Structured-cloneable and storable. */
export type RecordColumns =
  | { readonly kind: 'records'; readonly records: Column }
  | { readonly kind: 'pairs'; readonly keys: Column; readonly values: Column }

/** Puts the records of a partition into columns. Throws VALUE_NOT_STORABLE; `what` names them. */
export function toRecordColumns(partition: Partition<unknown>, what: string): RecordColumns {
  const pairs = partition.length === 0 ? undefined : pairColumns(partition)
  if (pairs === undefined || pairs.length === 0) {
    return { kind: 'records', records: toColumn(recordsOf(partition), what) }
  }
  const { keys, values } = pairs
  return { kind: 'pairs', keys: toColumn(keys, what), values: toColumn(values, what) }
}

/** Gives the records of columns; objects are fresh at each call. */
export function openColumns(columns: RecordColumns): Records<unknown> {
  if (columns.kind === 'records') return fromColumn(columns.records)
  return new PairRecords(fromColumn(columns.keys), fromColumn(columns.values))
}

/** The records of a partition as two columns; undefined if some record is not an array of two. One
 * piece that is columns already is not copied. */
export function pairColumns(partition: Partition<unknown>): PairRecords | undefined {
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
    } else if (!gatherPairs(piece, keys, values)) return undefined
  }
  return new PairRecords(keys, values)
}

/** False: some record is not an array of two. */
function gatherPairs(piece: Records<unknown>, keys: unknown[], values: unknown[]): boolean {
  for (let i = 0; i < piece.length; i++) {
    const record = piece.at(i)
    if (!Array.isArray(record) || record.length !== 2) return false
    keys.push(record[0])
    values.push(record[1])
  }
  return true
}

/** The memory of the columns, to be handed to another thread with them. */
export function recordBuffers(columns: RecordColumns): ArrayBuffer[] {
  if (columns.kind === 'records') return columnBuffers(columns.records)
  return [...columnBuffers(columns.keys), ...columnBuffers(columns.values)]
}

/** All records of a partition, piece after piece. */
export function recordsOf(partition: Partition<unknown>): readonly unknown[] {
  const [only, ...more] = partition
  if (Array.isArray(only) && more.length === 0) return only
  if (only instanceof ColumnRecords && more.length === 0) return only.toArray()
  const records: unknown[] = []
  for (const piece of partition) {
    for (let i = 0; i < piece.length; i++) records.push(piece.at(i))
  }
  return records
}

/** Records that come as columns and are made when one is asked for. */
export class ColumnRecords implements Records<unknown> {
  readonly length: number
  readonly #columns: RecordColumns
  #records: readonly unknown[] | undefined

  constructor(columns: RecordColumns) {
    this.#columns = columns
    this.length = columnLength(columns.kind === 'pairs' ? columns.keys : columns.records)
  }

  at(index: number): unknown {
    return this.toArray()[index]
  }

  /** All records; the same array at each call. */
  toArray(): readonly unknown[] {
    this.#records ??= open(this.#columns)
    return this.#records
  }
}

function open(columns: RecordColumns): readonly unknown[] {
  if (columns.kind === 'records') return fromColumn(columns.records)
  const values = fromColumn(columns.values)
  return fromColumn(columns.keys).map((key, i) => [key, values[i]])
}
