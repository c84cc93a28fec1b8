// Groups of several parents by key. The values of a parent lie in one column, key by key, and the
// arrays of a group are made when it is read: arrays for each key that live until then would cost
// the garbage collector more than all the rest.

import type { PairRecords } from '../batch/pair-records.ts'
import type { Records } from '../batch/records.ts'
import { KeyTable } from './combiner.ts'

/** The values of one parent: those of key `id` stand from `starts[id]` to before `starts[id + 1]`,
 * in the order in which they came. */
interface GroupedValues {
  readonly starts: Uint32Array
  readonly values: readonly unknown[]
}

/** For each key: [key, [values of the first parent, values of the second, …]]. */
class Groups implements Records<[unknown, unknown[][]]> {
  readonly #keys: readonly unknown[]
  readonly #parents: readonly GroupedValues[]

  constructor(keys: readonly unknown[], parents: readonly GroupedValues[]) {
    this.#keys = keys
    this.#parents = parents
  }

  get length(): number {
    return this.#keys.length
  }

  at(index: number): [unknown, unknown[][]] {
    const groups: unknown[][] = []
    for (const { starts, values } of this.#parents) {
      groups.push(values.slice(starts[index], starts[index + 1]))
    }
    return [this.#keys[index], groups]
  }
}

/** Groups the pairs of one target partition; `parents` are its pairs, parent by parent, chunk by
 * chunk. Keys stand in first-seen order of (parent, chunk, offset). */
export function cogroupChunks(
  parents: readonly (readonly PairRecords[])[],
): Records<[unknown, unknown[][]]> {
  const table = new KeyTable()
  const ids = parents.map((chunks) => idsOf(chunks, table))
  const grouped = parents.map((chunks, parent) =>
    group(chunks, ids[parent] as Uint32Array, table.keys.length),
  )
  return new Groups(table.keys, grouped)
}

/** The id of the key of each pair. */
function idsOf(chunks: readonly PairRecords[], table: KeyTable): Uint32Array {
  const ids = new Uint32Array(chunks.reduce((n, chunk) => n + chunk.length, 0))
  let next = 0
  for (const { keys } of chunks) {
    for (let i = 0; i < keys.length; i++) ids[next++] = table.idOf(keys[i])
  }
  return ids
}

function group(chunks: readonly PairRecords[], ids: Uint32Array, keys: number): GroupedValues {
  const starts = new Uint32Array(keys + 1)
  for (let i = 0; i < ids.length; i++) starts[(ids[i] as number) + 1]! += 1
  for (let id = 0; id < keys; id++) starts[id + 1]! += starts[id] as number
  const places = starts.slice()
  const values: unknown[] = new Array(ids.length)
  let next = 0
  for (const chunk of chunks) {
    for (let i = 0; i < chunk.length; i++) {
      const id = ids[next++] as number
      values[places[id] as number] = chunk.values[i]
      places[id]! += 1
    }
  }
  return { starts, values }
}
