// Stored values in a row: 64-bit floats where all are numbers.

import { type Column, fromColumn, toColumn } from '../batch/columns.ts'
import { ownValue } from '../batch/own-text.ts'
import { SealedValue, type StoredValue, sealValue } from '../batch/sealed.ts'

/** Stored values in a row. */
export type StoredList = Float64Array | readonly StoredValue[]

/** Seals values that a closure made; `what` names one in errors. */
export function storeAll(values: readonly unknown[], what: string): StoredList {
  const numbers = new Float64Array(values.length)
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (typeof value !== 'number') return values.map((other) => ownValue(sealValue(other, what)))
    numbers[i] = value
  }
  return numbers
}

/** Stored values as a column. Sealed ones are byte arrays in it: no other stored value is one. */
export function listToColumn(list: StoredList, what: string): Column {
  if (list instanceof Float64Array) return { kind: 'numbers', data: list }
  return toColumn(
    list.map((stored) => (stored instanceof SealedValue ? stored.bytes : stored)),
    what,
  )
}

/** The stored values of a column. */
export function columnToList(column: Column): StoredList {
  if (column.kind === 'numbers') return column.data
  return fromColumn(column).map((value) =>
    value instanceof Uint8Array ? new SealedValue(value) : ownValue(value),
  )
}

/** About how many bytes a stored value takes in a column. */
export function storedBytes(value: StoredValue): number {
  if (value instanceof SealedValue) return value.bytes.length
  return typeof value === 'string' ? value.length : 8
}

/** Two lists as one. */
export function joinLists(a: StoredList, b: StoredList): StoredList {
  if (!(a instanceof Float64Array && b instanceof Float64Array)) return [...a, ...b]
  const joined = new Float64Array(a.length + b.length)
  joined.set(a)
  joined.set(b, a.length)
  return joined
}
