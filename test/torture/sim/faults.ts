// What goes wrong with calls: faults are armed, and hit the next call that they are for.

import type { SimProcess } from './process.ts'
import type { World } from './world.ts'

/** Where a call goes; `life` is no call, but a point that a batch reaches. */
export type Place = 'disk' | 'network' | 'sink' | 'source' | 'life'

/** What becomes of a call. */
export type Fate =
  | { readonly kind: 'passes' }
  /** It rejects; `done`: it took effect all the same, `share`: so much of it did. */
  | {
      readonly kind: 'fails'
      readonly error: Error
      readonly done: boolean
      readonly share?: number
    }
  /** Nobody answers, whether or not it was done. */
  | { readonly kind: 'unanswered'; readonly done: boolean }
  | { readonly kind: 'slow'; readonly ms: number }
  /** The process dies before or after it. */
  | { readonly kind: 'dies'; readonly done: boolean }

/** A fault that waits for its call. */
export interface ArmedFault {
  readonly place: Place
  /** The beginning of the name of the call. @default any */
  readonly call?: string
  /** How many such calls pass before. */
  readonly passing: number
  readonly fate: Exclude<Fate, { readonly kind: 'passes' }>
}

interface Armed {
  readonly fault: ArmedFault
  readonly untilMs: number
  passing: number
}

/** A fault whose call does not come is given up. */
const ARMED_MS = 6_000

const PASSES: Fate = { kind: 'passes' }

/** The faults of one simulation. */
export class Faults {
  readonly #world: World
  #armed: Armed[] = []
  /** How many have hit, by kind. */
  readonly hits = new Map<string, number>()

  constructor(world: World) {
    this.#world = world
  }

  /** How many have hit. */
  get count(): number {
    return [...this.hits.values()].reduce((n, one) => n + one, 0)
  }

  /** Waits for a call. */
  arm(fault: ArmedFault): void {
    const untilMs = this.#world.nowMs + ARMED_MS
    this.#armed.push({ fault, untilMs, passing: fault.passing })
  }

  /** Nothing goes wrong any more. */
  disarm(): void {
    this.#armed = []
  }

  /** Counts something that went wrong, for the processes that it went wrong for. */
  hit(kind: string, ...processes: readonly SimProcess[]): void {
    this.hits.set(kind, (this.hits.get(kind) ?? 0) + 1)
    for (const process of processes) process.isHit = true
    this.#world.tell(`FAULT ${kind} ${processes.map(({ name }) => name).join()}`)
  }

  /** Gives what becomes of a call. */
  fateOf(process: SimProcess, place: Place, call: string): Fate {
    const { nowMs } = this.#world
    const isRemote = place === 'network' || place === 'sink' || place === 'source'
    if (isRemote && process.cutOffUntilMs > nowMs) {
      return { kind: 'unanswered', done: place !== 'source' && this.#world.chance(1, 4) }
    }
    this.#armed = this.#armed.filter(({ untilMs }) => untilMs > nowMs)
    for (const one of this.#armed) {
      const { fault } = one
      if (fault.place !== place || !call.startsWith(fault.call ?? '')) continue
      one.passing -= 1
      if (one.passing >= 0) continue
      this.#armed = this.#armed.filter((other) => other !== one)
      this.hit(`${place} ${fault.fate.kind}`, process)
      return fault.fate
    }
    return PASSES
  }
}
