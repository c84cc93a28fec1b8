// What a run of `reshard` came across: all of it must come up in a long one.

/** Situations that a long run must have met. */
const MUST_MEET = [
  'split',
  'merge',
  'double',
  'halve',
  'double right after halve',
  'reshard while the engine was down',
  'iterators expired',
  'killed between the end of a parent and the first batch of a child',
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
