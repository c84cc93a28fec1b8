// When the records of each batch had gone through: kept in memory, looked at when all is over.

import { sharedMicroseconds } from './intended-time.ts'

interface Arrival {
  readonly due: readonly number[]
  readonly at: number
}

const MICROSECONDS = 1e6

const arrivals: Arrival[] = []

/** Notes that the foreachBatch of these records returns now. */
export function recordArrival(due: readonly number[]): void {
  if (due.length > 0) arrivals.push({ due, at: sharedMicroseconds() })
}

/** Records that have gone through so far. */
export function arrivedCount(): number {
  return arrivals.reduce((sum, { due }) => sum + due.length, 0)
}

/** The latency, in milliseconds, of each record but those that were due in the first seconds. */
export function latencies(warmSeconds: number): number[] {
  const all: number[] = []
  const begunAt = Math.min(...arrivals.map(({ due }) => due[0] as number))
  const from = begunAt + warmSeconds * MICROSECONDS
  for (const { due, at } of arrivals) {
    for (const time of due) if (time >= from) all.push((at - time) / 1e3)
  }
  return all
}
