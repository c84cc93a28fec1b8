// Which partition a key belongs to: a stable hash gives one of a fixed number of key groups, and
// each partition owns a range of groups. The hash must never change: committed state is laid out by
// it.

import { type Token, tokenOf } from './key.ts'

/** Key groups of every shuffle and state; recorded in each plan. */
export const KEY_GROUPS = 256

/** Partitions of a shuffle unless the operator says otherwise. */
export const SHUFFLE_PARTITIONS = 8

const scratch = new DataView(new ArrayBuffer(8))

/** A 32-bit hash of a token, the same in every process and version (test vectors are committed).
 * FNV-1a over UTF-16 units or bytes (Fowler, Noll, Vo), finished with the mixer of MurmurHash3
 * (Appleby). */
export function hashToken(token: Token): number {
  switch (typeof token) {
    case 'string':
      return hashText(token, 0x811c9dc5)
    case 'number':
      return hashNumber(token)
    case 'bigint':
      return hashText(token.toString(), 0x5bd1e995)
    case 'boolean':
      return mix(token ? 1 : 2)
    default:
      return mix(3)
  }
}

/** The partition of a key among `partitions`.
 *
 * @example
 * ```ts
 * assert.equal(partitionOf('a', 8), partitionOf('a', 8))
 * ```
 */
export function partitionOf(key: unknown, partitions: number): number {
  return partitionOfToken(tokenOf(key), partitions)
}

/** As `partitionOf`, for a token. */
export function partitionOfToken(token: Token, partitions: number): number {
  const group = hashToken(token) & (KEY_GROUPS - 1)
  return Math.floor((group * partitions) / KEY_GROUPS)
}

function hashText(text: string, seed: number): number {
  let hash = seed
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return mix(hash)
}

function hashNumber(value: number): number {
  scratch.setFloat64(0, value === 0 ? 0 : Number.isNaN(value) ? Number.NaN : value)
  return mix(Math.imul(scratch.getInt32(0), 0x01000193) ^ scratch.getInt32(4))
}

function mix(hash: number): number {
  let h = hash | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
