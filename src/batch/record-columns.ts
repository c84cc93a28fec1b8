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
  const [only, ...more] = partition
  if (only instanceof PairRecords && more.length === 0) return pairs(only, what)
  const records = recordsOf(partition)
  if (records.length > 0 && records.every(isPair)) return pairs(columnsOf(records), what)
  return { kind: 'records', records: toColumn(records, what) }
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

function pairs({ keys, values }: PairRecords, what: string): RecordColumns {
  return { kind: 'pairs', keys: toColumn(keys, what), values: toColumn(values, what) }
}

function columnsOf(records: readonly unknown[]): PairRecords {
  const list = records as readonly (readonly [unknown, unknown])[]
  return new PairRecords(
    list.map((pair) => pair[0]),
    list.map((pair) => pair[1]),
  )
}

function isPair(record: unknown): boolean {
  return Array.isArray(record) && record.length === 2
}
