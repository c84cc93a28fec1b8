// Results as checksums: each row as text, FNV-1a over it, the hashes added up. The order of the
// rows does not matter, so that engines with and without a defined order can be compared.

import type { Count } from './closures.ts'

/** How many rows, and the sum of their hashes modulo 2³². */
export interface Check {
  readonly rows: number
  readonly sum: number
}

/** No rows. */
export const EMPTY: Check = { rows: 0, sum: 0 }

/** Adds two checks up. */
export function plus(a: Check, b: Check): Check {
  return { rows: a.rows + b.rows, sum: (a.sum + b.sum) >>> 0 }
}

/** The check of one row. */
export function checkRow(row: string): Check {
  return { rows: 1, sum: hashOf(row) }
}

/** The check of rows `key, tab, count`. */
export function checkCounts(pairs: Iterable<Count>): Check {
  let rows = 0
  let sum = 0
  for (const pair of pairs) {
    rows += 1
    sum = (sum + hashOf(`${pair[0]}\t${pair[1]}`)) >>> 0
  }
  return { rows, sum }
}

/** A check as it is compared and shown. */
export function showCheck({ rows, sum }: Check): string {
  return `${rows}:${sum.toString(16).padStart(8, '0')}`
}

/** FNV-1a, 32 bits, over the characters of a text in ASCII. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  }
  return hash >>> 0
}
