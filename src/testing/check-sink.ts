// Holds a sink against the contract (docs/sinks.md): lives that begin, write, die and come back.

import type { Sink } from '../sinks/sink.ts'
import { HISTORIES, Place } from './sink-histories.ts'

/** What a sink owes:
 * - `complete`: what was committed is there;
 * - `invisible`: nothing of a batch is there before its commit;
 * - `once`: a batch that comes again is there once;
 * - `attempts`: of several attempts only the one that is committed counts;
 * - `fenced`: a lower epoch commits nothing once a higher one has opened the place;
 * - `threads`: what goes between driver and tasks can go to another thread;
 * - `receipts`: receipts count the records;
 * - `leftovers`: what attempts left is removed, at the latest by the close of the next life;
 * - `works`: what the engine may call does not fail. */
export type SinkGuarantee =
  | 'complete'
  | 'invisible'
  | 'once'
  | 'attempts'
  | 'fenced'
  | 'threads'
  | 'receipts'
  | 'leftovers'
  | 'works'

/** A guarantee that a sink was seen to break. */
export interface SinkViolation {
  /** What it broke. */
  readonly guarantee: SinkGuarantee
  /** What had happened to it. */
  readonly history: string
  /** What was seen. */
  readonly detail: string
}

/** A sink on an empty place of its own, and how to look at the place. */
export interface SinkUnderTest {
  /** Makes the sink anew, on the same place: as each process and each thread does. */
  readonly sink: () => Sink<unknown>
  /** The records that the place shows, in any order. They are compared as JSON. */
  readonly read: () => Promise<readonly unknown[]>
  /** The n-th record to write; no two are equal. @default a text */
  readonly record?: (n: number) => unknown
  /** True if a lower epoch's commit must reject. @default true for an exactly-once sink with
   * tasks */
  readonly fences?: boolean
  /** Names of what attempts have left in the place. @default not looked at */
  readonly leftovers?: () => Promise<readonly string[]>
  /** Takes the place away. */
  readonly close?: () => Promise<void>
}

/** Holds a sink against what the engine may do to it: batches that are written, replayed and run
 * again in further attempts, processes that die after and within each call, processes that were
 * taken over, batches that come again in other partitions. Gives what it broke; an empty list if
 * nothing. An at-least-once sink may show records again.
 *
 * `open` makes an empty place for each of the histories.
 *
 * @example
 * ```ts
 * const violations = await checkSink(() => {
 *   const sink = new CollectingSink<unknown>()
 *   return Promise.resolve({ sink: () => sink, read: () => Promise.resolve(sink.records()) })
 * })
 * assert.deepEqual(violations, [])
 * ```
 */
export async function checkSink(open: () => Promise<SinkUnderTest>): Promise<SinkViolation[]> {
  const violations: SinkViolation[] = []
  for (const { name, run } of HISTORIES) {
    const under = await open()
    const place = new Place(under, name)
    try {
      await run(place)
    } catch (error) {
      place.threw(error)
    } finally {
      await under.close?.()
    }
    violations.push(...place.violations)
  }
  return violations
}
