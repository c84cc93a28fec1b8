// What a batch changed, or all that is kept, as bytes: one blob from each worker. A blob lists, for
// each operator, what every worker knows alike and the partitions that the worker owns, so that a
// run with another number of workers finds its own.

import { decode, encode } from '../batch/codec.ts'
import type { OperatorChange } from './stateful-operator.ts'

type EncodedChange = readonly [
  id: string,
  shared: unknown,
  parts: readonly (readonly [partition: number, bytes: Uint8Array])[],
]

/** The changes of one worker's operators, by id, as one blob that owns its memory. */
export function toBlob(changes: readonly (readonly [id: string, OperatorChange])[]): Uint8Array {
  const encoded = changes.map(([id, { shared, parts }]): EncodedChange => {
    const what = `what "${id}" keeps`
    return [id, shared, parts.map(([partition, change]) => [partition, encode(change, what)])]
  })
  return new Uint8Array(encode(encoded, 'what a batch changed'))
}

/** The blobs of all workers as one entry of the log. */
export function joinBlobs(blobs: readonly Uint8Array[]): Uint8Array {
  return encode(blobs, 'what a batch changed')
}

/** Takes an entry of the log apart: the changes of each operator, with the partitions for which
 * `wanted` is true. */
export function fromEntry(
  entry: Uint8Array,
  wanted: (id: string, partition: number) => boolean,
): Map<string, OperatorChange> {
  const changes = new Map<string, { shared: unknown; parts: [number, unknown][] }>()
  for (const blob of decode(entry) as readonly Uint8Array[]) {
    for (const [id, shared, parts] of decode(blob) as readonly EncodedChange[]) {
      const change = changes.get(id) ?? { shared, parts: [] }
      changes.set(id, change)
      for (const [partition, bytes] of parts) {
        if (wanted(id, partition)) change.parts.push([partition, decode(bytes)])
      }
    }
  }
  return changes
}
