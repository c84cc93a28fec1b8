// The partial result of a shuffle: one entry a key, in first-seen order.

import { type Token, tokenOf } from '../batch/key.ts'
import type { CombineOp } from '../batch/node.ts'
import { PairRecords } from '../batch/pair-records.ts'
import { partitionOfToken } from '../batch/partitioner.ts'
import { synchronous } from '../batch/promise.ts'
import { Router } from './routing.ts'

/** Keys in first-seen order, each with a dense id and its combiner. */
export class KeyTable {
  readonly ids = new Map<Token, number>()
  readonly keys: unknown[] = []
  readonly values: unknown[] = []

  /** The id of a key; a new key gets the next one, with `undefined` as its value. */
  idOf(key: unknown): number {
    const token = tokenOf(key)
    const known = this.ids.get(token)
    if (known !== undefined) return known
    const id = this.keys.length
    this.ids.set(token, id)
    this.keys.push(key)
    this.values.push(undefined)
    return id
  }
}

/** The entries of a table by the partition of their key. */
export function routeTable(table: KeyTable, partitions: number): Router {
  const router = new Router(partitions)
  let id = 0
  for (const token of table.ids.keys()) {
    const target = partitionOfToken(token, partitions)
    router.keys[target]?.push(table.keys[id])
    router.values[target]?.push(synchronous(table.values[id]))
    id += 1
  }
  return router
}

/** Merges the partial results of the source partitions, in their order; `at` says which it is
 * at. */
export function mergeChunks(
  chunks: readonly PairRecords[],
  op: CombineOp,
  at: { source: number },
): PairRecords {
  const merge = op.mergeCombiners as (a: unknown, b: unknown) => unknown
  const table = new KeyTable()
  const { ids, keys, values } = table
  for (const [source, chunk] of chunks.entries()) {
    at.source = source
    for (let i = 0; i < chunk.length; i++) {
      const key = chunk.keys[i]
      const token = tokenOf(key)
      const value = chunk.values[i]
      const known = ids.get(token)
      if (known !== undefined) values[known] = synchronous(merge(values[known], value))
      else {
        ids.set(token, keys.length)
        keys.push(key)
        values.push(value)
      }
    }
  }
  return new PairRecords(keys, values)
}
