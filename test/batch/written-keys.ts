// Keys as JSON: what JSON has no word for is written as an object with one name.

/** A key as it stands in hash-vectors.json. */
export type WrittenKey =
  | string
  | number
  | boolean
  | null
  | { readonly number: string }
  | { readonly bigint: string }
  | { readonly date: number | null }
  | { readonly bytes: readonly number[] }
  | { readonly array: readonly WrittenKey[] }
  | { readonly object: readonly (readonly [name: string, value: WrittenKey])[] }

/** The key that was written. */
export function readKey(written: WrittenKey): unknown {
  if (typeof written !== 'object' || written === null) return written
  if ('number' in written) return Number(written.number)
  if ('bigint' in written) return BigInt(written.bigint)
  if ('date' in written) return new Date(written.date ?? Number.NaN)
  if ('bytes' in written) return Uint8Array.from(written.bytes)
  if ('array' in written) return written.array.map(readKey)
  return Object.fromEntries(written.object.map(([name, value]) => [name, readKey(value)]))
}
