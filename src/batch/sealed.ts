// Records and values kept beyond the closure that made them: in state, in a window, in a cache.
//
// What is sealed cannot be changed in place by a closure: primitives are kept as they are, pairs of
// primitives as two columns, and all else as bytes that are decoded afresh on each read.

import { codeOf } from '../errors.ts'
import { decode, encode, isPrimitive } from './codec.ts'
import type { Records } from './records.ts'

/** Bytes of an object value; tells them from a primitive. */
export class SealedValue {
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }
}

/** A primitive, or the bytes of anything else. */
export type StoredValue = unknown

/** Seals one value. */
export function sealValue(value: unknown, what: string): StoredValue {
  if (isPrimitive(value) && typeof value !== 'symbol') return value
  return new SealedValue(encode(value, what))
}

/** Gives a value that the caller may change. */
export function openValue(stored: StoredValue): unknown {
  return stored instanceof SealedValue ? decode(stored.bytes) : stored
}

/** True if both hold the same: used to leave unchanged state out of the changelog. */
export function sameStored(a: StoredValue, b: StoredValue): boolean {
  if (a instanceof SealedValue && b instanceof SealedValue) {
    return Buffer.compare(a.bytes, b.bytes) === 0
  }
  return Object.is(a, b)
}

/** Records that a closure may change without the next reader seeing it. Those that cannot be
 * sealed, such as instances of classes, are shared as they are. */
export class FreshRecords implements Records<unknown> {
  readonly #stored: readonly unknown[]

  constructor(records: readonly unknown[]) {
    this.#stored = records.map(sealForReading)
  }

  get length(): number {
    return this.#stored.length
  }

  at(index: number): unknown {
    const stored = this.#stored[index]
    return isPrimitivePair(stored) ? [...(stored as readonly unknown[])] : openValue(stored)
  }
}

function sealForReading(record: unknown): unknown {
  if (isPrimitivePair(record)) return [...(record as readonly unknown[])]
  try {
    return sealValue(record, 'a record')
  } catch (error) {
    if (codeOf(error) === 'VALUE_NOT_STORABLE') return record
    throw error
  }
}

/** Sealed records of one partition. */
export type SealedRecords =
  | { readonly kind: 'plain'; readonly values: readonly unknown[] }
  | {
      readonly kind: 'pairs'
      readonly keys: readonly unknown[]
      readonly values: readonly unknown[]
    }
  | { readonly kind: 'bytes'; readonly length: number; readonly bytes: Uint8Array }

/** Seals the records of a partition. */
export function sealRecords(records: readonly unknown[], what: string): SealedRecords {
  if (records.every(isPrimitive)) return { kind: 'plain', values: records }
  const pairs = records as readonly (readonly [unknown, unknown])[]
  if (pairs.every(isPrimitivePair)) {
    return {
      kind: 'pairs',
      keys: pairs.map((pair) => pair[0]),
      values: pairs.map((pair) => pair[1]),
    }
  }
  return { kind: 'bytes', length: records.length, bytes: encode(records, what) }
}

/** Gives the records for reading; those that a closure could change are fresh. */
export function openRecords(sealed: SealedRecords): Records<unknown> {
  switch (sealed.kind) {
    case 'plain':
      return sealed.values
    case 'pairs':
      return sealed.keys.map((key, i) => [key, sealed.values[i]])
    case 'bytes':
      return decode(sealed.bytes) as unknown[]
  }
}

const VALUE_BYTES = 16

/** About how many bytes of memory sealed records take. */
export function sealedBytes(sealed: SealedRecords): number {
  if (sealed.kind === 'bytes') return sealed.bytes.length
  const columns = sealed.kind === 'pairs' ? [sealed.keys, sealed.values] : [sealed.values]
  let bytes = 0
  for (const column of columns) {
    for (const value of column)
      bytes += VALUE_BYTES + (typeof value === 'string' ? value.length : 0)
  }
  return bytes
}

/** True for [primitive, primitive]. */
export function isPrimitivePair(record: unknown): boolean {
  return (
    Array.isArray(record) && record.length === 2 && isPrimitive(record[0]) && isPrimitive(record[1])
  )
}
