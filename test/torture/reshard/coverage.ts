// What a run of `reshard` came across: all of it must come up in a long one.

import type { WatchedStream } from './watched-source.ts'

/** Where a kill hurts most. */
export const BETWEEN = 'killed between the end of a parent and the first batch of a child'

/** Situations that a long run must have met. */
const MUST_MEET = [
  'split',
  'merge',
  'double',
  'halve',
  'double right after halve',
  'reshard while the engine was down',
  'iterators expired',
  BETWEEN,
  'killed between the ends of two parents that merge',
  'merge whose parents ended in different batches',
  'child split again before it was read',
  'batch redone',
  'power lost',
] as const

export type Situation = (typeof MUST_MEET)[number]

/** Counts situations over many worlds. */
export class Coverage {
  readonly #counts = new Map<Situation, number>()

  met(situation: Situation, times = 1): void {
    this.#counts.set(situation, (this.#counts.get(situation) ?? 0) + times)
  }

  /** Throws unless every situation was met. */
  check(): void {
    const missing = MUST_MEET.filter((situation) => !this.#counts.has(situation))
    if (missing.length > 0) throw new Error(`It never came to: ${missing.join('; ')}`)
  }

  toString(): string {
    return MUST_MEET.map((one) => `${one}: ${this.#counts.get(one) ?? 0}`).join('; ')
  }
}

/** What one life met in the lineage of a stream: in the checkpoint that it began with, and in its
 * cuts. */
export function lineageMet(
  { from = [], endedIn }: WatchedStream,
  parentsOf: ReadonlyMap<string, readonly string[]>,
): Situation[] {
  const known = new Map(from.map(({ partition, position }) => [partition, position.kind]))
  const met: Situation[] = []
  for (const [child, parents] of parentsOf) {
    const ends = parents.filter((parent) => known.get(parent) === 'END').length
    const isMerge = parents.length === 2
    if (parents.length > 0 && ends === parents.length && !known.has(child)) met.push(BETWEEN)
    if (!isMerge || ends === 2) continue
    if (ends === 1) met.push('killed between the ends of two parents that merge')
    const [left, right] = parents.map((parent) => endedIn.get(parent))
    if (left === undefined || right === undefined || left === right) continue
    met.push('merge whose parents ended in different batches')
  }
  return met
}
