// The driver processes of a simulation, and whoever watches over them: one that died or ended is
// replaced after a while, and sometimes one is started too many.

import type { Sink } from 'millrace'
import { files } from 'millrace/sinks'
import { LocalStore } from '../../../src/checkpoint/local-store.ts'
import type { Owner, OwnerProbe } from '../../../src/checkpoint/log.ts'
import { codeOf, messageOf } from '../../../src/errors.ts'
import { ScriptedS3 } from '../../checkpoint/scripted-s3.ts'
import { type Side, WRITTEN, type WrittenName } from '../written-pipelines.ts'
import { SimDisk } from './disk.ts'
import { DATA } from './disk-calls.ts'
import { SimDriver } from './driver.ts'
import type { Faults } from './faults.ts'
import { bucketOf } from './network.ts'
import { SimProcess } from './process.ts'
import { SimStream } from './stream.ts'
import { SimTable } from './tables.ts'
import type { World } from './world.ts'

/** Where the checkpoint lies. */
export type Kind = 'local' | 's3'

/** Where an output goes. */
export type Place = 'files' | 'table' | 'store'

const LOOK_EVERY_MS = 400
const FLEET_MAX = 4

/** What a run that something went wrong for may end with. */
const CLEAN = new Set([
  'CHECKPOINT_UNWRITABLE',
  'SINK_FAILED',
  'SOURCE_UNREACHABLE',
  'CONFIG_INVALID',
  'FENCED',
])

/** All drivers of one pipeline, and what they share. */
export class Fleet {
  readonly name: WrittenName
  readonly kind: Kind
  readonly disk = new SimDisk()
  readonly service = new ScriptedS3()
  readonly streams = { left: new SimStream('left'), right: new SimStream('right') }
  readonly outputs: ReadonlyMap<string, { readonly place: Place; readonly table: SimTable }>
  readonly #world: World
  readonly #faults: Faults
  readonly #snapshotEvery: number
  readonly #sameHost: boolean
  #drivers: SimDriver[] = []
  #started = 0
  #watching = true

  constructor(world: World, faults: Faults, name: WrittenName, kind: Kind) {
    this.#world = world
    this.#faults = faults
    this.name = name
    this.kind = kind
    this.#snapshotEvery = world.between(1, 5)
    this.#sameHost = world.chance(1, 2)
    const { sides, outputs } = WRITTEN[name]
    // Where no tasks write, batches share writes of the log.
    const places: readonly Place[] = world.chance(1, 4) ? ['store'] : ['files', 'files', 'table']
    this.outputs = new Map(
      [...sides, ...outputs].map((output) => {
        return [output, { place: world.oneOf(places), table: new SimTable(output) }]
      }),
    )
  }

  /** True if some output goes to a service. */
  get hasTables(): boolean {
    return [...this.outputs.values()].some(({ place }) => place !== 'files')
  }

  /** Those that live. */
  get alive(): readonly SimDriver[] {
    return this.#drivers.filter(({ isAlive }) => isAlive)
  }

  /** Starts a driver where there is none, again and again. */
  watch(): void {
    this.#world.after(LOOK_EVERY_MS + this.#world.pick(LOOK_EVERY_MS), () => {
      this.#look()
      if (this.#watching) this.watch()
    })
  }

  /** Starts none any more. */
  endWatch(): void {
    this.#watching = false
  }

  /** Starts a driver. */
  start(takeover: 'wait' | 'force'): SimDriver {
    this.#started += 1
    const process = new SimProcess(`p${this.#started}`, this.#world, this.#faults)
    process.tell(`starts, takeover ${takeover}`)
    const driver = new SimDriver({
      name: this.name,
      process,
      store: this.#storeFor(process),
      sinkOf: (output) => this.#sinkFor(process, output),
      sourceOf: (side: Side) => this.streams[side].sourceFor(process),
      takeover,
      owner: this.#probeOf(this.#started),
      snapshotEvery: this.#snapshotEvery,
    })
    this.#drivers.push(driver)
    return driver
  }

  killOne(): void {
    const driver = this.#anyAlive()
    if (driver === undefined) return
    this.#faults.hit('kill', driver.process)
    driver.process.die('killed')
  }

  holdOne(ms: number): void {
    const driver = this.#anyAlive()
    if (driver === undefined) return
    this.#faults.hit('hold', driver.process)
    driver.process.hold(ms)
  }

  /** Holds one past its lease, and starts another meanwhile. */
  supersedeOne(): void {
    this.holdOne(this.#world.between(4_000, 16_000))
    this.startMore(1)
  }

  startMore(count: number): void {
    if (this.alive.length + count > FLEET_MAX) return
    this.#faults.hit('takeover')
    for (let n = 0; n < count; n += 1) this.start(this.#takeover())
  }

  cutOffOne(ms: number): void {
    const driver = this.#anyAlive()
    if (driver === undefined) return
    this.#faults.hit('partition', driver.process)
    driver.process.cutOffUntilMs = this.#world.nowMs + ms
  }

  setClockOfOne(byMs: number): void {
    const driver = this.#anyAlive()
    if (driver === undefined) return
    this.#faults.hit('clock', driver.process)
    driver.process.wallOffsetMs += byMs
  }

  /** Every process of the machine dies, and the disk loses what was not flushed. */
  losePower(): void {
    this.#faults.hit('power', ...this.alive.map(({ process }) => process))
    for (const { process } of this.alive) process.die('power')
    this.disk.loseUnflushed(this.#world)
  }

  /** Lets those go on that are held or cut off. */
  heal(): void {
    for (const { process } of this.#drivers) {
      process.heldUntilMs = 0
      process.cutOffUntilMs = 0
      process.wallOffsetMs = 0
    }
  }

  /** Kills all but one. */
  leave(one: SimDriver | undefined): void {
    for (const driver of this.alive) if (driver !== one) driver.process.die('killed')
  }

  #look(): void {
    for (const driver of this.#drivers) this.#checkEnd(driver)
    this.#drivers = this.#drivers.filter(({ isAlive }) => isAlive)
    if (this.#watching && this.#drivers.length === 0) this.start(this.#takeover())
  }

  /** A run ends with a code of the library, and only if something went wrong for it. */
  #checkEnd({ state, error, process, epoch }: SimDriver): void {
    if (state !== 'ended' || error === undefined) return
    const code = codeOf(error) ?? ''
    const isFine = code === 'FENCED' ? this.#started > 1 : process.isHit && CLEAN.has(code)
    if (isFine) return
    const text = error instanceof Error ? (error.stack ?? error.message) : messageOf(error)
    this.#world.breaks(`${process.name} of epoch ${epoch} must not end with: ${text}`)
  }

  #takeover(): 'wait' | 'force' {
    return this.#world.chance(1, 4) ? 'wait' : 'force'
  }

  #anyAlive(): SimDriver | undefined {
    const { alive } = this
    return alive.length === 0 ? undefined : this.#world.oneOf(alive)
  }

  #storeFor(process: SimProcess) {
    return this.kind === 's3' ? bucketOf(this.service, process) : new LocalStore(`${DATA}/state`)
  }

  #sinkFor(process: SimProcess, output: string): Sink<unknown> {
    const { place, table } = this.outputs.get(output) as { place: Place; table: SimTable }
    if (place === 'files') return files(`${DATA}/out/${output}`)
    return place === 'table' ? table.taskSinkFor(process) : table.driverSinkFor(process)
  }

  /** On one machine a process sees whether another one lives. */
  #probeOf(pid: number): OwnerProbe {
    const host = this.#sameHost ? 'one' : `host-${pid}`
    const isAlive = ({ pid: other }: Owner) =>
      this.#sameHost ? this.alive.some(({ process }) => process.name === `p${other}`) : undefined
    return { current: { host, bootId: undefined, pid, pidStartTime: undefined }, isAlive }
  }
}
