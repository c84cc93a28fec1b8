// One simulation: records arrive, drivers come and go, things go wrong until enough has; then all
// is well again, what is left is processed, and what came of it is checked.

import { WRITTEN, type WrittenName } from '../written-pipelines.ts'
import { replaceBuiltins } from './builtins.ts'
import { Chaos } from './chaos.ts'
import { checkFleet, epochGuard } from './checks.ts'
import { DiskCalls } from './disk-calls.ts'
import type { SimDriver } from './driver.ts'
import { Faults } from './faults.ts'
import { Fleet, type Kind } from './fleet.ts'
import { World } from './world.ts'

/** How a simulation went. */
export interface SimReport {
  readonly name: WrittenName
  readonly faults: number
  readonly events: number
  readonly virtualMs: number
  /** The same for two runs that did the same. */
  readonly trace: string
  readonly hits: ReadonlyMap<string, number>
}

export const FAULTS_MIN = 20
const CHAOS_MS_MAX = 240_000
const SETTLE_MS = 12_000
const LATE_MS = 16_000
const START_MS_MAX = 60_000
const STOP_MS_MAX = 120_000
const ARRIVE_EVERY_MS = 600
/** What has arrived is read within. */
const READ_MS = 2_000
const KEYS = 12

/** Runs the simulation of a seed; rejects with what is wrong, and the end of the trace. */
export async function simulate(seed: number, kind: Kind): Promise<SimReport> {
  const world = new World(seed)
  const simulation = new Simulation(world, kind)
  try {
    return await simulation.run()
  } catch (cause) {
    throw new Error(`${simulation.about}\n${world.trace.tail}`, { cause })
  }
}

class Simulation {
  readonly #world: World
  readonly #faults: Faults
  readonly #fleet: Fleet
  #arriving = true

  constructor(world: World, kind: Kind) {
    this.#world = world
    this.#faults = new Faults(world)
    const name = world.oneOf(Object.keys(WRITTEN) as WrittenName[])
    this.#fleet = new Fleet(world, this.#faults, name, kind)
  }

  get about(): string {
    const { name, kind, outputs } = this.#fleet
    const places = [...outputs].map(([output, { place }]) => `${output} to ${place}`)
    return `pipeline "${name}", checkpoint ${kind}, ${places.join(', ')}`
  }

  async run(): Promise<SimReport> {
    const world = this.#world
    const disk = new DiskCalls(this.#fleet.disk, world, epochGuard(world))
    const putBack = replaceBuiltins(world, disk)
    try {
      await this.#trouble()
      await this.#calm()
      await this.#restart()
    } finally {
      putBack()
    }
    checkFleet(this.#fleet)
    const { count, hits } = this.#faults
    const { events, nowMs, trace } = world
    const { name } = this.#fleet
    return { name, faults: count, events, virtualMs: nowMs, trace: trace.checksum, hits }
  }

  /** Things go wrong, often enough. */
  async #trouble(): Promise<void> {
    const enough = FAULTS_MIN + this.#world.pick(10)
    const chaos = new Chaos(this.#world, this.#faults, this.#fleet)
    this.#arrive()
    this.#fleet.watch()
    chaos.begin()
    await this.#world.until(`${enough} faults`, CHAOS_MS_MAX, () => this.#faults.count >= enough)
    chaos.end()
  }

  /** All goes on; one driver is left, and ends gracefully. */
  async #calm(): Promise<void> {
    this.#fleet.heal()
    this.#world.tell('calm')
    await this.#pass(SETTLE_MS)
    this.#fleet.leave(this.#owner)
    // What the dead have sent may still arrive, and take the checkpoint over.
    await this.#pass(LATE_MS)
    await this.#world.until('a driver that runs', START_MS_MAX, () => this.#owner !== undefined)
    this.#fleet.endWatch()
    const owner = this.#owner as SimDriver
    this.#fleet.leave(owner)
    await this.#finish(owner)
  }

  /** What the checkpoint holds is what the next start needs. */
  async #restart(): Promise<void> {
    const driver = this.#fleet.start('force')
    await this.#world.until('batches', START_MS_MAX, () => driver.completed >= 3)
    this.#arriving = false
    await this.#pass(READ_MS)
    await this.#finish(driver)
  }

  /** The one with the latest epoch of those that run. */
  get #owner(): SimDriver | undefined {
    const running = this.#fleet.alive.filter(({ state }) => state === 'running')
    return running.sort((a, b) => b.epoch - a.epoch)[0]
  }

  async #finish(driver: SimDriver): Promise<void> {
    this.#world.after(0, () => driver.stop(), driver.process)
    await this.#world.until('the end of the run', STOP_MS_MAX, () => !driver.isAlive)
    if (driver.error !== undefined) throw driver.error
  }

  async #pass(ms: number): Promise<void> {
    let passed = false
    this.#world.after(ms, () => {
      passed = true
    })
    await this.#world.until('time', ms + 1, () => passed)
  }

  /** A record comes now and then, and sometimes none for long. */
  #arrive(): void {
    const world = this.#world
    const waitMs = world.chance(1, 30) ? world.pick(8_000) : world.pick(ARRIVE_EVERY_MS)
    world.after(waitMs, () => {
      if (!this.#arriving) return
      const { streams, name } = this.#fleet
      for (const side of WRITTEN[name].sides) {
        if (world.chance(2, 3)) streams[side].records.push(`key-${world.pick(KEYS)}`)
      }
      this.#arrive()
    })
  }
}
