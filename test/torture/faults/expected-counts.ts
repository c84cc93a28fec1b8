// What a receiver must have counted, read off the log of the service.

import type { LoggedCall } from 'millrace/testing'
import { READ_LIMIT_MS } from './shard-limits.ts'

const RETRIED = new Set(['cut', 'InternalFailure', 'ServiceUnavailable'])
const THROTTLED = new Set(['ProvisionedThroughputExceededException', 'LimitExceededException'])
const EXPIRED = 'ExpiredIteratorException'

const LIMITS_MS: Readonly<Record<string, number>> = {
  GetRecords: READ_LIMIT_MS,
  GetShardIterator: 2_000,
  ListShards: 10_000,
  DescribeStreamSummary: 10_000,
}

/** True for the operations that receivers call, and nobody else in this torture. */
export function isOfReceiver({ operation }: LoggedCall): boolean {
  return LIMITS_MS[operation] !== undefined
}

/** Sums up the calls of one receiver, in the order of the log. */
export class ExpectedCounts {
  readonly sums = new Map<string, number>()
  /** When a call was first answered with a refusal, by operation and shard: one is under way of
   * each. */
  readonly #refusedAt = new Map<string, number>()

  /** Takes in a call. `stoppedMs`: the receiver was stopped then. */
  take(call: LoggedCall, stoppedMs: number): void {
    const limitMs = LIMITS_MS[call.operation] ?? 0
    this.#add('kinesis.calls', 1)
    if (call.atMs + Math.min(call.delayMs, limitMs) > stoppedMs) return
    if (call.delayMs >= limitMs || RETRIED.has(call.outcome)) this.#add('kinesis.retries', 1)
    else if (THROTTLED.has(call.outcome)) this.#refused(call)
    else if (call.outcome === EXPIRED) this.#expired(call)
    else if (call.outcome === 'ok') this.#answered(call)
    else throw new Error(`Nothing asks for ${call.outcome}, the outcome of ${call.operation}`)
  }

  /** Takes in a call whose failure ended a start: it is told, and not counted. */
  takeLast(): void {
    this.#add('kinesis.calls', 1)
  }

  #refused(call: LoggedCall): void {
    this.#add('kinesis.throttled', 1)
    const key = keyOf(call)
    if (!this.#refusedAt.has(key)) this.#refusedAt.set(key, call.atMs + call.delayMs)
  }

  #expired(call: LoggedCall): void {
    this.#add('kinesis.expired-iterators', 1)
    this.#endWait(call)
  }

  #answered(call: LoggedCall): void {
    this.#endWait(call)
    if (call.operation !== 'GetRecords') return
    this.#add('kinesis.records', call.records)
    this.#add('kinesis.bytes', call.bytes)
  }

  #endWait(call: LoggedCall): void {
    const key = keyOf(call)
    const refusedAt = this.#refusedAt.get(key)
    if (refusedAt === undefined) return
    this.#refusedAt.delete(key)
    this.#add('kinesis.throttled-ms', call.atMs + call.delayMs - refusedAt)
  }

  #add(name: string, by: number): void {
    if (by > 0) this.sums.set(name, (this.sums.get(name) ?? 0) + by)
  }
}

function keyOf({ operation, shard }: LoggedCall): string {
  return `${operation}/${shard ?? ''}`
}

/** Throws where a receiver counted something else. */
export function compareCounts(
  what: string,
  counted: ReadonlyMap<string, number>,
  expected: ReadonlyMap<string, number>,
): void {
  const told = textOf(counted)
  const logged = textOf(expected)
  if (told === logged) return
  throw new Error(`${what} counted ${told}; the log of the service says ${logged}`)
}

function textOf(counts: ReadonlyMap<string, number>): string {
  const entries = [...counts].filter(([, n]) => n > 0).sort(([a], [b]) => (a < b ? -1 : 1))
  return entries.map(([name, n]) => `${name} ${n}`).join(', ')
}
