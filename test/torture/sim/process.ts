// A process of a simulation. All that it does to the world outside is a call: it takes effect on
// its way, whether or not the process still waits for it, and its answer comes later, or never. A
// process that is dead gets no answers and no timers, so that nothing of it goes on.

import type { Cancel, Clock } from '../../../src/clock.ts'
import type { Faults, Place } from './faults.ts'
import type { World } from './world.ts'

/** What a call does. */
export interface Effect<T> {
  /** Does it; throws what the call rejects with. */
  run(): T | Promise<T>
  /** Does a share of it, where it is not done in one step. */
  part?(share: number): void
}

interface InFlight {
  readonly place: Place
  readonly effect: Effect<unknown>
  readonly cancel: Cancel
}

/** The wall clock of a process that has not been set. */
const WALL_MS = 0

/** As in Node. */
const TIMER_MS_MIN = 1

/** How long calls take, in milliseconds: the shortest, the longest. */
const LATENCY_MS: Readonly<Record<Place, readonly [number, number]>> = {
  disk: [0, 3],
  network: [2, 90],
  sink: [1, 40],
  source: [1, 60],
  life: [0, 0],
}

/** One process. */
export class SimProcess {
  readonly name: string
  readonly world: World
  readonly clock: Clock
  readonly #faults: Faults
  readonly #inFlight = new Set<InFlight>()
  isDead = false
  /** Stopped by a signal until then. */
  heldUntilMs = 0
  /** Its network is gone until then. */
  cutOffUntilMs = 0
  /** What its wall clock is wrong by. */
  wallOffsetMs = 0
  /** True if something went wrong for it. */
  isHit = false

  constructor(name: string, world: World, faults: Faults) {
    this.name = name
    this.world = world
    this.#faults = faults
    this.clock = {
      wallMs: () => WALL_MS + world.nowMs + this.wallOffsetMs,
      monotonicMs: () => world.nowMs,
      after: (delayMs, fire) => world.after(Math.max(TIMER_MS_MIN, delayMs), fire, this),
    }
  }

  /** Notes what it does. */
  tell(line: string): void {
    this.world.tell(`${this.name} ${line}`)
  }

  /** Ends at once. Of a call that is under way nobody knows whether it takes effect. */
  die(how: string): void {
    if (this.isDead) return
    this.isDead = true
    this.tell(`dies: ${how}`)
    for (const { place, effect, cancel } of this.#inFlight) {
      // What is on a line arrives at its time, or not at all.
      if (place !== 'disk' && this.world.chance(1, 2)) continue
      cancel()
      if (place === 'disk') this.#leave(effect)
    }
    this.#inFlight.clear()
  }

  /** Does nothing for so long, as after SIGSTOP. */
  hold(ms: number): void {
    this.heldUntilMs = Math.max(this.heldUntilMs, this.world.nowMs + ms)
    this.tell(`is held for ${ms} ms`)
  }

  /** Tells that it is at a point of its life, where it may die. */
  at(point: string): Promise<void> {
    if (this.isDead) return forever()
    if (this.#faults.fateOf(this, 'life', point).kind !== 'dies') return Promise.resolve()
    this.die(`at ${point}`)
    return forever()
  }

  /** Calls the world outside; `about` is for the trace. */
  call<T>(place: Place, name: string, about: string, effect: Effect<T>): Promise<T> {
    if (this.isDead) return forever()
    const { world } = this
    const fate = this.#faults.fateOf(this, place, name)
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const answer = (settle: () => void): void => {
      if (fate.kind === 'unanswered') return
      const lateMs = world.chance(1, 4) ? this.#latencyMs(place) : 0
      if (lateMs === 0) world.now(this, settle)
      else world.after(lateMs, settle, this)
    }
    const act = (): void => {
      this.#inFlight.delete(flight)
      if (fate.kind === 'dies' && !fate.done) {
        this.die(`before ${name} ${about}`)
        return
      }
      const doing = fate.kind === 'unanswered' || fate.kind === 'fails' ? fate.done : true
      if (fate.kind === 'fails' && fate.share !== undefined) effect.part?.(fate.share)
      const done = doing ? tried(effect) : Promise.resolve({ value: undefined as T })
      void done.then((outcome) => {
        const error = fate.kind === 'fails' ? fate.error : 'error' in outcome && outcome.error
        this.tell(`${name} ${about}${wordFor(fate.kind, doing, error)}`)
        if (fate.kind === 'dies') this.die(`after ${name} ${about}`)
        answer(() => ('value' in outcome && !error ? resolve(outcome.value) : reject(error)))
      })
    }
    const slowMs = fate.kind === 'slow' ? fate.ms : 0
    const flight: InFlight = {
      place,
      effect,
      cancel: world.after(this.#latencyMs(place) + slowMs, act),
    }
    this.#inFlight.add(flight)
    return promise
  }

  #latencyMs(place: Place): number {
    const [from, to] = LATENCY_MS[place]
    return from + (this.world.pick(1_000) / 1_000) * (to - from)
  }

  /** Leaves a call done, undone, or done in part. */
  #leave(effect: Effect<unknown>): void {
    const how = this.world.pick(3)
    if (how === 0) return
    if (how === 1 && effect.part !== undefined) effect.part(this.world.pick(1_000) / 1_000)
    else void tried(effect)
  }
}

function wordFor(kind: string, done: boolean, error: unknown): string {
  const how = kind === 'passes' ? '' : ` (${kind}${done ? '' : ', not done'})`
  if (!(error instanceof Error)) return how
  return `${how} ! ${(error as { code?: string }).code ?? error.message}`
}

type Outcome<T> = { readonly value: T } | { readonly error: unknown }

/** Effects of the disk take place at once, others in a microtask. */
async function tried<T>(effect: Effect<T>): Promise<Outcome<T>> {
  try {
    return { value: await effect.run() }
  } catch (error) {
    return { error }
  }
}

/** What nobody answers. */
export function forever(): Promise<never> {
  return new Promise(() => undefined)
}
