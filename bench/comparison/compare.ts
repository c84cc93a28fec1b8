// Contestants in turn: round after round each runs its leg, so that all meet the same noise. Checks
// are compared when all is done, and every figure is a ratio within a round.

import { type Contestant, type Finish, LeftOut, type Leg } from '../contestants/contestant.ts'
import { cpuMs } from './cpu-time.ts'

/** How long a comparison is. */
export interface Turns {
  readonly warmBatches: number
  readonly legBatches: number
  readonly rounds: number
  /** At most about so long, warm-up not included; one round at least. */
  readonly seconds: number
}

/** What came of a contestant. */
export interface Outcome {
  readonly name: string
  /** One for each round. */
  readonly legs: readonly Leg[]
  /** The check of each batch, where it is known. */
  readonly checks: readonly string[]
  readonly totals: string | undefined
  /** Why it takes no part. */
  readonly leftOut: string | undefined
}

class Side {
  readonly contestant: Contestant
  readonly legs: Leg[] = []
  readonly checks: string[] = []
  finish: Finish = {}
  leftOut: string | undefined

  constructor(contestant: Contestant) {
    this.contestant = contestant
  }

  /** Does its part unless it is left out; what it rejects with leaves it out. */
  async attempt(part: () => Promise<void>): Promise<void> {
    if (this.leftOut !== undefined) return
    try {
      await part()
    } catch (error) {
      if (!(error instanceof LeftOut)) throw error
      this.leftOut = error.message
      await this.contestant.stop()
    }
  }

  async leg(batches: number): Promise<Leg> {
    const before = cpuMs(this.contestant.pid)
    const leg = await this.contestant.leg(batches)
    const after = cpuMs(this.contestant.pid)
    this.checks.push(...leg.checks)
    return before === undefined || after === undefined ? leg : { ...leg, cpuMs: after - before }
  }
}

/** Runs the contestants; gives their outcomes in the same order. The first is the reference: it
 * runs as many batches as all were promised, so that totals can be compared. */
export async function compare(
  contestants: readonly Contestant[],
  turns: Turns,
): Promise<Outcome[]> {
  const sides = contestants.map((contestant) => new Side(contestant))
  try {
    for (const side of sides) {
      await side.attempt(() => side.contestant.start())
      await side.attempt(async () => void (await side.leg(turns.warmBatches)))
    }
    const rounds = await runRounds(sides, turns)
    const [reference] = sides
    const missing = (turns.rounds - rounds) * turns.legBatches
    if (missing > 0 && reference !== undefined) {
      await reference.attempt(async () => void (await reference.leg(missing)))
    }
    for (const side of sides) {
      await side.attempt(async () => {
        side.finish = await side.contestant.finish()
      })
    }
  } finally {
    await Promise.all(contestants.map((contestant) => contestant.stop()))
  }
  return sides.map(({ contestant, legs, checks, finish, leftOut }) => ({
    name: contestant.name,
    legs: leftOut === undefined ? legs : [],
    checks: [...checks, ...(finish.checks ?? [])],
    totals: finish.totals,
    leftOut,
  }))
}

/** Gives how many rounds there were. */
async function runRounds(sides: readonly Side[], turns: Turns): Promise<number> {
  const startedAt = performance.now()
  let round = 0
  do {
    for (let i = 0; i < sides.length; i++) {
      // Who begins changes from round to round.
      const side = sides[(round + i) % sides.length] as Side
      await side.attempt(async () => void side.legs.push(await side.leg(turns.legBatches)))
    }
    round += 1
  } while (round < turns.rounds && performance.now() - startedAt < turns.seconds * 1e3)
  return round
}

/** The first difference between the results of two contestants; undefined where they agree, or have
 * nothing in common to compare. */
export function difference(reference: Outcome, other: Outcome): string | undefined {
  const shared = Math.min(reference.checks.length, other.checks.length)
  for (let i = 0; i < shared; i++) {
    if (reference.checks[i] !== other.checks[i]) {
      return `batch ${i + 1} is ${other.checks[i]}, not ${reference.checks[i]}`
    }
  }
  const { totals } = reference
  if (totals === undefined || other.totals === undefined || totals === other.totals)
    return undefined
  return `the totals are ${other.totals}, not ${totals}`
}

/** True where at least one result of both can be compared. */
export function comparable(reference: Outcome, other: Outcome): boolean {
  const both = reference.totals !== undefined && other.totals !== undefined
  return both || (reference.checks.length > 0 && other.checks.length > 0)
}
