// The hash keys 0 … 2^128 - 1, as texts of 32 hexadecimal digits: these compare as the numbers do,
// so that a record finds its shard without big integers.

import { hash } from 'node:crypto'

/** One more than the largest hash key. */
export const HASH_KEYS: bigint = 1n << 128n

/** The hash key of a partition key. */
export function hashOf(partitionKey: string): string {
  return hash('md5', partitionKey, 'hex')
}

/** Writes a hash key as 32 hexadecimal digits. */
export function hexOf(hashKey: bigint): string {
  return hashKey.toString(16).padStart(32, '0')
}

/** The first hash keys of so many shards of the same size. */
export function evenStarts(shards: number): bigint[] {
  const size = HASH_KEYS / BigInt(shards)
  return Array.from({ length: shards }, (_, i) => size * BigInt(i))
}
