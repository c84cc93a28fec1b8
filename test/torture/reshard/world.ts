// One world of `reshard`: two streams under load whose shards change, an engine that is killed once
// and starts again, and what must hold at the end.

import { KinesisSimulator, MemoryStore } from 'millrace/testing'
import { pickFrom } from '../picks.ts'
import { VirtualClock } from '../virtual-clock.ts'
import { BETWEEN, type Coverage, lineageMet } from './coverage.ts'
import { EngineLife, streamsOf } from './engine-life.ts'
import { checkArrivals, checkFolds, checkLineage } from './expected.ts'
import { hasArrived, Load } from './load.ts'
import { type ReshardKind, Reshards } from './reshards.ts'
import { checkRates, checkReads } from './shard-rates.ts'
import { STREAMS, type StreamName } from './two-streams.ts'
import type { CutNews } from './watched-source.ts'
import { WrittenOutputs } from './written-outputs.ts'

const HOUR_MS = 3_600_000
const CALLS_MAX = 500_000
const KINDS: readonly ReshardKind[] = ['split', 'merge', 'double', 'halve']
const GAP_MS_MAX = 6_000
const DOWN_MS_MIN = 1_000
const DOWN_MS_MAX = 25_000
/** Longer than an iterator lives, also one that was made after the kill. */
const OUTAGE_MS = 420_000
/** What has not come so long after the end of the load is lost. */
const LATE_MS_MAX = OUTAGE_MS + 120_000
/** Steps to the death after what it waits for: a batch has some fifteen writes. */
const DEATH_STEPS_MAX = { all: 45, writes: 30 } as const
/** Less than a burst: a batch cannot take all that waits. */
const BATCH_BYTES_SMALL = 2_000

/** What the kill waits for. */
const TRIGGERS = ['reshard', 'end', 'end', 'child'] as const

/** A world of one seed. */
export class World {
  readonly #pick: (below: number) => number
  readonly #events: number
  readonly #coverage: Coverage
  readonly #clock = new VirtualClock()
  readonly #simulator: KinesisSimulator
  readonly #reshards: Reshards
  readonly #load: Load
  readonly #store = new MemoryStore()
  readonly #outputs = new WrittenOutputs()
  readonly #lives: EngineLife[] = []
  readonly #told: string[] = []
  readonly #trigger: (typeof TRIGGERS)[number]
  /** How many events are made before the kill is armed. */
  readonly #armedAfter: number
  readonly #recordsPerCallMax: number
  readonly #batchBytesMax: number
  readonly #outage: boolean
  #made = 0
  #isDown = false
  #kills = 0

  constructor(seed: number, events: number, coverage: Coverage) {
    const pick = pickFrom(seed)
    this.#pick = pick
    this.#events = events
    this.#coverage = coverage
    this.#trigger = TRIGGERS[pick(TRIGGERS.length)] ?? 'end'
    this.#armedAfter = 1 + pick(events)
    this.#recordsPerCallMax = [20, 60, 10_000][pick(3)] ?? 20
    this.#batchBytesMax = pick(3) === 0 ? BATCH_BYTES_SMALL : 64 * 1_048_576
    this.#outage = pick(5) === 0
    const clock = this.#clock
    const fromMs = clock.wallMs() + pick(20_000)
    const stream = STREAMS[pick(2)] ?? 'orders'
    const outage = { kind: 'error', operation: 'GetRecords', stream } as const
    this.#simulator = new KinesisSimulator({
      clock,
      seed,
      callsMax: CALLS_MAX,
      streamDelayMs: [0, 0, 2_500][pick(3)] ?? 0,
      faults: this.#outage ? [{ ...outage, fromMs, untilMs: fromMs + OUTAGE_MS }] : [],
    })
    this.#reshards = new Reshards(this.#simulator, clock, pick)
    this.#load = new Load(this.#simulator, clock, pick)
  }

  /** Lives through it; throws what was found. Gives where the engine was killed. */
  async run(): Promise<string> {
    try {
      await this.#clock.passFor(this.#play(), this.#clock.wallMs() + HOUR_MS)
      this.#check()
      return this.#note()
    } catch (cause) {
      throw new Error(this.#told.join(', '), { cause })
    } finally {
      await this.#simulator.close()
    }
  }

  /** A digest of all calls that the service had. */
  get log(): string {
    return JSON.stringify(this.#simulator.calls)
  }

  async #play(): Promise<void> {
    for (const StreamName of STREAMS) {
      this.#simulator.call('CreateStream', { StreamName, ShardCount: 1 + this.#pick(3) })
    }
    // A stream takes its time until it is there.
    await this.#clock.wait(3_000)
    const loading = this.#load.run()
    const living = this.#live()
    const lived = Promise.race([living, new Promise<never>(() => undefined)])
    await Promise.race([this.#reshardAll(), lived])
    await Promise.race([this.#killed(), lived])
    this.#load.end()
    await loading
    const lateMs = this.#clock.wallMs() + LATE_MS_MAX
    const isOver = () => this.#isThrough() || this.#clock.wallMs() > lateMs
    await Promise.race([this.#until(isOver), lived])
    await this.#life.stop()
    await living
  }

  get #life(): EngineLife {
    const life = this.#lives.at(-1)
    if (life === undefined) throw new Error('No engine was started')
    return life
  }

  /** Starts the engine, and starts it again when it was killed; ends with the last one. */
  async #live(): Promise<void> {
    for (;;) {
      const life = this.#begin()
      await life.dead
      if (life.lastStep === '') return
      this.#kills += 1
      this.#tell(`killed ${life.lastStep}`)
      this.#losePower()
      await this.#beDown()
    }
  }

  #begin(): EngineLife {
    const pick = this.#pick
    const jitter = pickFrom(pick(1_000_000))
    const life = new EngineLife({
      simulator: this.#simulator,
      clock: this.#clock,
      store: this.#store,
      outputs: this.#outputs,
      ordinal: this.#lives.length + 1,
      takeover: pick(2) === 0 ? 'wait' : 'force',
      snapshotEvery: 2 + pick(6),
      batchBytesMax: this.#batchBytesMax,
      recordsPerCallMax: this.#recordsPerCallMax,
      random: () => jitter(2 ** 30) / 2 ** 30,
      onCut: (stream, news) => this.#cut(stream, news),
    })
    this.#lives.push(life)
    return life
  }

  #losePower(): void {
    if (this.#pick(2) === 0) return
    this.#store.crash({ keepUnsynced: this.#pick(64) })
    this.#coverage.met('power lost')
  }

  /** Nobody reads for a while; shards may change meanwhile. */
  async #beDown(): Promise<void> {
    this.#isDown = true
    await this.#clock.wait(DOWN_MS_MIN + this.#pick(4_000))
    const more = this.#pick(3)
    for (let n = 0; n < more; n += 1) await this.#reshard(this.#anyStream(), this.#anyKind())
    if (this.#pick(2) === 0) await this.#clock.wait(this.#pick(DOWN_MS_MAX))
    this.#isDown = false
  }

  /** All events, in scenes of one or two. */
  async #reshardAll(): Promise<void> {
    await this.#clock.wait(2_500 + this.#pick(2_000))
    while (this.#made < this.#events) {
      const stream = this.#anyStream()
      const scene = this.#pick(6)
      if (scene === 0) await this.#grandchildren(stream)
      else if (scene === 1) await this.#unevenMerge(stream)
      else if (scene === 2) await this.#halveAndDouble(stream)
      else await this.#reshard(stream, this.#anyKind())
      if (this.#pick(4) > 0) await this.#clock.wait(this.#pick(GAP_MS_MAX))
    }
  }

  /** A shard is split, and a child too before anybody has read it. */
  async #grandchildren(stream: StreamName): Promise<void> {
    const shard = this.#load.burst(stream, 'small')
    await this.#reshard(stream, 'split', shard)
    const [child] =
      [...this.#reshards.parents(stream)].findLast(([, of]) => of.includes(shard)) ?? []
    await this.#reshard(stream, 'split', child)
    const isSplit = [...this.#reshards.parents(stream).values()].flat().includes(child ?? '')
    if (isSplit) this.#coverage.met('child split again before it was read')
  }

  /** One of two parents has much more to read than the other. */
  async #unevenMerge(stream: StreamName): Promise<void> {
    const isSmall = this.#batchBytesMax === BATCH_BYTES_SMALL || this.#pick(2) === 0
    const shard = this.#load.burst(stream, isSmall ? 'small' : 'fat')
    await this.#reshard(stream, 'merge', shard)
  }

  async #halveAndDouble(stream: StreamName): Promise<void> {
    const before = this.#made
    await this.#reshard(stream, 'halve')
    await this.#reshard(stream, 'double')
    if (this.#made === before + 2) this.#coverage.met('double right after halve')
  }

  async #reshard(stream: StreamName, kind: ReshardKind, shard?: string): Promise<void> {
    if (this.#made >= this.#events) return
    this.#made += 1
    const done = await this.#reshards.make(stream, kind, shard)
    this.#tell(done)
    this.#coverage.met(kindOf(done))
    if (this.#isDown) this.#coverage.met('reshard while the engine was down')
    if (this.#trigger === 'reshard' && this.#made >= this.#armedAfter) this.#kill()
  }

  #cut(stream: StreamName, { ended, begun }: CutNews): void {
    for (const shard of ended) this.#tell(`end of ${stream} ${Number(shard.slice(8))}`)
    if (this.#made < this.#armedAfter) return
    if (this.#trigger === 'end' && ended.length > 0) this.#kill()
    if (this.#trigger === 'child' && begun.length > 0) this.#kill()
  }

  #kill(): void {
    if (this.#kills > 0 || this.#isDown) return
    const when = this.#pick(2) === 0 ? 'before' : 'after'
    const of = this.#pick(3) === 0 ? 'all' : 'writes'
    this.#life.die({ steps: 1 + this.#pick(DEATH_STEPS_MAX[of]), of, when })
  }

  /** The kill that did not come by what it waited for comes now. */
  async #killed(): Promise<void> {
    await this.#clock.wait(GAP_MS_MAX)
    this.#kill()
    await this.#until(() => this.#kills > 0 && !this.#isDown)
  }

  #isThrough(): boolean {
    return hasArrived(this.#load, (stream) => this.#outputs.arrived(stream))
  }

  /** Looks every second; the last batch and the last reshards are through one after. */
  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) await this.#clock.wait(1_000)
    await this.#clock.wait(3_000)
  }

  #check(): void {
    const { batches } = this.#outputs
    for (const stream of STREAMS) {
      checkArrivals(stream, batches[stream], this.#load.sent[stream])
      checkLineage(stream, batches[stream], this.#reshards.parents(stream))
    }
    checkFolds(batches)
    checkRates(this.#simulator.calls)
    for (const [i, life] of this.#lives.entries()) {
      checkNews(life)
      this.#checkReads(life, this.#lives[i + 1]?.firstCall)
    }
    for (const stream of STREAMS) this.#checkTold(stream)
  }

  /** A child is read when its parents are. */
  #checkReads(life: EngineLife, end: number | undefined): void {
    for (const [name, { firstCall }] of streamsOf(life)) {
      if (firstCall === undefined) continue
      const calls = this.#simulator.calls.slice(firstCall, end)
      checkReads(name, calls, this.#reshards.parents(name))
    }
  }

  /** Every reshard was told, by one life or another. */
  #checkTold(stream: StreamName): void {
    for (const [child, parents] of this.#reshards.parents(stream)) {
      for (const parent of parents) {
        if (this.#lives.some(({ news }) => news.reshards(stream).get(parent)?.has(child))) continue
        throw new Error(`Nobody told that ${child} of "${stream}" came out of ${parent}`)
      }
    }
  }

  /** Notes what this world came to; gives where the engine was killed. */
  #note(): string {
    const coverage = this.#coverage
    if (this.#outputs.redone > 0) coverage.met('batch redone')
    const met = this.#lives.flatMap((life) =>
      streamsOf(life).flatMap(([name, stream]) => lineageMet(stream, this.#reshards.parents(name))),
    )
    for (const situation of met) coverage.met(situation)
    if (this.#lives.some(({ expiredIterators }) => expiredIterators > 0)) {
      coverage.met('iterators expired')
    }
    return met.includes(BETWEEN) ? 'killed between parents and children' : 'killed elsewhere'
  }

  #anyStream(): StreamName {
    return STREAMS[this.#pick(STREAMS.length)] ?? 'orders'
  }

  #anyKind(): ReshardKind {
    return KINDS[this.#pick(KINDS.length)] ?? 'split'
  }

  #tell(what: string): void {
    const atMs = this.#clock.wallMs() - 1_700_000_000_000
    this.#told.push(`${(atMs / 1_000).toFixed(1)} s: ${what}`)
  }
}

function kindOf(done: string): ReshardKind {
  const scaled = /^scale \w+ (\d+) to (\d+)$/.exec(done)
  if (scaled === null) return done.startsWith('split') ? 'split' : 'merge'
  return Number(scaled[2]) > Number(scaled[1]) ? 'double' : 'halve'
}

function checkNews(life: EngineLife): void {
  const known = new Set<string>()
  const ended = new Set<string>()
  for (const [stream, { from = [] }] of streamsOf(life)) {
    for (const { partition, position } of from) {
      known.add(`${stream}/${partition}`)
      if (position.kind === 'END') ended.add(`${stream}/${partition}`)
    }
  }
  life.news.check(known, ended)
}
