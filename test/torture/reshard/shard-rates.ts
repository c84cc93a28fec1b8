// What the log of the service shows: each shard is read five times a second at most, a page is paid
// off at 2 MiB a second before the next read, no read was refused, and a child is read after its
// parents only.

import type { LoggedCall } from 'millrace/testing'

const SECOND_MS = 1_000
const CALLS_PER_SECOND = 5
const BYTES_PER_SECOND = 2 * 1_048_576
const CHECKED = new Set(['GetRecords', 'GetShardIterator'])

/** Throws where a limit was passed. */
export function checkRates(calls: readonly LoggedCall[]): void {
  const times = new Map<string, number[]>()
  const paidAt = new Map<string, number>()
  for (const { operation, stream, shard, atMs, bytes, outcome } of calls) {
    if (!CHECKED.has(operation)) continue
    const what = `${operation} of ${stream}/${shard} at ${atMs}`
    const key = `${operation}/${stream}/${shard}`
    const newest = times.get(key) ?? []
    times.set(key, newest)
    newest.push(atMs)
    const sixth = newest.at(-1 - CALLS_PER_SECOND)
    if (sixth !== undefined && atMs - sixth < SECOND_MS) {
      throw new Error(`${what}: the sixth call since ${sixth}`)
    }
    if (outcome === 'ProvisionedThroughputExceededException') throw new Error(`${what} was refused`)
    const openAt = paidAt.get(key) ?? 0
    // Times are whole milliseconds.
    if (atMs < Math.floor(openAt))
      throw new Error(`${what}: its last page is paid off at ${openAt}`)
    if (bytes > 0) paidAt.set(key, atMs + (bytes / BYTES_PER_SECOND) * SECOND_MS)
  }
}

/** Throws where a shard was read after one of its children. `calls`: those of one life, from when
 * it began to read. */
export function checkReads(
  stream: string,
  calls: readonly LoggedCall[],
  parentsOf: ReadonlyMap<string, readonly string[]>,
): void {
  const overtaken = new Map<string, string>()
  for (const { operation, stream: name, shard = '', atMs } of calls) {
    if (operation !== 'GetRecords' || name !== stream) continue
    const child = overtaken.get(shard)
    if (child !== undefined) {
      throw new Error(`${stream}/${shard} is read at ${atMs}, and its child ${child} was before`)
    }
    for (const parent of parentsOf.get(shard) ?? []) overtaken.set(parent, shard)
  }
}
