// A wall clock that jumps by an hour, stands still, or goes back, within a run and between two; and
// a second process that starts meanwhile. Every record counts once, in order, and once a later
// epoch has written, an earlier one writes no more. Who waits for the checkpoint takes it when its
// owner has given no sign of life for a lease, not before and not much later, and never from an
// owner that lives; 'force' takes it at once.

import { type Run, type StreamEvent, start } from 'millrace'
import { ManualClock, MemoryStore, quietLogger } from 'millrace/testing'
import { LEASE_MS } from '../../src/checkpoint/heartbeat.ts'
import type { Takeover } from '../../src/checkpoint/takeover.ts'
import { codeOf, messageOf } from '../../src/errors.ts'
import { MemorySinks } from './lives.ts'
import { pickFrom } from './picks.ts'
import { ProcessWorld } from './process-world.ts'
import type { Suite, Torture } from './torture.ts'
import { writtenInput } from './written-input.ts'
import { WRITTEN, writtenPipeline } from './written-pipelines.ts'

const TURNS = 12
const HOUR_MS = 3_600_000
/** How often time goes on before something that must happen counts as missing. */
const WAIT_TURNS = 80
const STEP_MS_MAX = 20_000
const STEP_MS = 250
/** With the second one only heartbeats show that an owner lives: its log is written too rarely. */
const INTERVALS_MS = [1_000, 1.5 * LEASE_MS] as const
/** An hour ahead is skipped, but for these. */
const CATCH_UP_MAX = 30
/** A start that may take the checkpoint does so within this, its looks included. */
const START_MS = 3_000
const input = writtenInput(TURNS, 6)
const expected = WRITTEN.counted.expected(input)['totals']

/** What becomes of the owner when a second process starts. Each seed has one of them at least. */
const FATES = ['forced', 'handed over', 'paused', 'cut off', 'dead'] as const
type Fate = (typeof FATES)[number]

/** The last fate comes so early that input is left for both. */
const FATE_TURN_MAX = TURNS - 5

export const clock: Torture = {
  name: 'clock',
  what: 'moves the wall clock by hours, stops it and sets it back, with a second process beside',
  stores: ['memory'],
  counts: { ci: 20, once: 1_000 },
  open: (): Promise<Suite> =>
    Promise.resolve({
      run: (seed) => new WildTime(seed).run(),
      close: () => Promise.resolve(),
    }),
}

interface Process {
  readonly run: Run
  readonly world: ProcessWorld
  /** Takes input that nobody has offered, so that it learns that it was taken over. */
  hungry: boolean
  ended: { readonly error: unknown } | undefined
}

/** One seed: processes one after the other, and some beside each other, on one checkpoint. */
class WildTime {
  readonly #fate: Fate
  readonly #intervalMs: number
  readonly #pick: (below: number) => number
  readonly #steady = new ManualClock(10 * HOUR_MS)
  readonly #store = new MemoryStore()
  readonly #sinks = new MemorySinks()
  /** Epochs in the order in which they wrote batches. */
  readonly #written: { readonly batchId: number; readonly epoch: number }[] = []
  readonly #told: string[] = []
  /** Batches with input that are committed. */
  readonly #consumed = new Set<number>()
  /** Input batches that may be read. */
  #offered = 0
  #processes = 0
  readonly #dead: Process[] = []

  constructor(seed: number) {
    this.#pick = pickFrom(seed)
    this.#fate = FATES[seed % FATES.length] ?? 'forced'
    this.#intervalMs = INTERVALS_MS[seed % 2] ?? 1_000
  }

  async run(): Promise<string> {
    const fateTurn = 1 + this.#pick(FATE_TURN_MAX)
    try {
      let process = await this.#start('force')
      let hadFate = false
      while (this.#consumed.size < TURNS) {
        await this.#turn(process)
        const turn = this.#consumed.size
        const next = this.#pick(5)
        if (turn >= fateTurn && !hadFate) {
          hadFate = true
          process = await this.#second(process, this.#fate)
        } else if (next === 3) {
          process = await this.#restart(process)
        } else if (next === 4 && turn <= FATE_TURN_MAX) {
          process = await this.#second(process, FATES[this.#pick(FATES.length)] ?? 'forced')
        }
      }
      for (const dead of this.#dead) await this.#wake(dead)
      await this.#stop(process)
      this.#check()
      return this.#fate
    } catch (cause) {
      throw new Error(this.#told.join(', '), { cause })
    }
  }

  /** Changes the wall clock, and lets the next input batch be processed. */
  async #turn(process: Process): Promise<void> {
    this.#disturb(process.world)
    const before = this.#consumed.size
    this.#offered = before + 1
    await this.#until(() => this.#consumed.size > before, 'A batch', process)
  }

  #disturb(world: ProcessWorld): void {
    const how = this.#pick(6)
    const now = world.wallMs()
    world.frozenAt = how === 5 ? now : undefined
    if (how > 2) return
    const jumpMs = [HOUR_MS, -HOUR_MS, -this.#pick(10_000)][how] ?? 0
    world.offsetMs += jumpMs
    this.#told.push(`wall clock ${jumpMs} ms`)
  }

  async #restart(process: Process): Promise<Process> {
    this.#told.push('restart')
    await this.#stop(process)
    return this.#start('wait', process.world.offsetMs)
  }

  /** Starts another process beside the first, whose wall clock differs. */
  async #second(first: Process, fate: Fate): Promise<Process> {
    this.#told.push(`second process, the first is ${fate}`)
    const offsetMs = first.world.offsetMs + (this.#pick(3) - 1) * HOUR_MS
    if (fate === 'forced') {
      const second = await this.#start('force', offsetMs)
      await this.#turn(second)
      await this.#fenced(first)
      return second
    }
    if (fate === 'handed over') return this.#handOver(first, offsetMs)
    await this.#halt(first, fate)
    const second = this.#starting('wait', offsetMs)
    await this.#pass(LEASE_MS - 2 * STEP_MS)
    if (second.started !== undefined) throw new Error('The lease had not passed')
    await this.#within(START_MS, () => second.started !== undefined, 'A start after the lease')
    for (let turns = 1 + this.#pick(2); turns > 0; turns -= 1) await this.#turn(await second.done)
    if (fate === 'dead') this.#dead.push(first)
    else {
      first.world.goOn()
      await this.#fenced(first)
    }
    return second.done
  }

  /** The first one stands still somewhere within a batch. */
  async #halt({ world }: Process, fate: Fate): Promise<void> {
    this.#offered = this.#consumed.size + this.#pick(2)
    this.#steady.advance(this.#intervalMs)
    for (let n = this.#pick(4); n > 0; n -= 1) await immediate()
    if (fate === 'cut off') world.cutOff()
    else world.pause()
  }

  /** A second one waits for as long as the first lives, and goes on as soon as it stops. */
  async #handOver(first: Process, offsetMs: number): Promise<Process> {
    await this.#refused(offsetMs)
    const second = this.#starting('wait', offsetMs)
    this.#offered = this.#consumed.size + this.#pick(2)
    for (let leases = 2 + this.#pick(3); leases > 0; leases -= 1) {
      this.#disturb(first.world)
      await this.#pass(LEASE_MS)
    }
    if (second.started !== undefined) throw new Error('An owner that lives was taken over')
    await this.#stop(first)
    await this.#within(START_MS, () => second.started !== undefined, 'A start after a hand-over')
    return second.done
  }

  /** Told to leave an owner alone, a start names it. */
  async #refused(offsetMs: number): Promise<void> {
    const error = await this.#start('refuse', offsetMs).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    const says = `process ${process.pid} `
    if (codeOf(error) === 'CHECKPOINT_IN_USE' && messageOf(error).includes(says)) return
    throw new Error('A start with "refuse" must name the owner', { cause: error })
  }

  /** The first process learns that it was taken over, and ends. */
  async #fenced(first: Process): Promise<void> {
    first.hungry = true
    await this.#until(() => first.ended !== undefined, 'The end of the first process')
    const error = first.ended?.error
    const says = `process ${process.pid} on host`
    if (codeOf(error) === 'FENCED' && messageOf(error).includes(says)) return
    throw new Error('The first process must end as FENCED, naming the second', { cause: error })
  }

  /** A process that was away for very long comes back. Without input it need not learn of it. */
  async #wake(dead: Process): Promise<void> {
    dead.world.goOn()
    await this.#pass(this.#intervalMs)
    await this.#stop(dead, 'FENCED')
  }

  async #stop(process: Process, code?: string): Promise<void> {
    process.run.stop({ graceful: false }).catch(() => undefined)
    await this.#until(() => process.ended !== undefined, 'A stop')
    const error = process.ended?.error
    if (error !== undefined && codeOf(error) !== code) throw error
  }

  async #start(takeover: Takeover, offsetMs = 0): Promise<Process> {
    const starting = this.#starting(takeover, offsetMs)
    let settled = false
    const settle = (): void => {
      settled = true
    }
    starting.done.then(settle, settle)
    await this.#within(START_MS, () => settled, `A start with "${takeover}"`)
    return starting.done
  }

  #starting(takeover: Takeover, offsetMs: number): Starting {
    this.#processes += 1
    const intervalMs = this.#intervalMs
    const world = new ProcessWorld(this.#steady, offsetMs)
    const next = (): number => this.#nextInput(starting.started?.hungry === true)
    const position = {
      get batchId() {
        return next()
      },
    }
    const running = start(writtenPipeline('counted'), {
      args: { input, position, intervalMs, sinkOf: this.#sinks.sinkOf },
      overrides: {
        batchInterval: intervalMs,
        checkpoint: world.storeOf(this.#store, this.#processes),
        snapshotEvery: 4,
        catchUpBatchesMax: CATCH_UP_MAX,
      },
      takeover,
      clock: world,
      logger: quietLogger,
      onEvent: (event) => this.#take(event),
    })
    const done = running.then((run) => {
      const process: Process = { run, world, hungry: false, ended: undefined }
      run.done.then(
        () => (process.ended = { error: undefined }),
        (error: unknown) => (process.ended = { error }),
      )
      starting.started = process
      return process
    })
    done.catch(() => undefined)
    const starting: Starting = { started: undefined, done }
    return starting
  }

  /** What the next batch holds, which nobody has taken yet; nothing past the end. */
  #nextInput(hungry: boolean): number {
    const consumed = this.#consumed.size
    return hungry || consumed < this.#offered ? consumed + 1 : TURNS + 1
  }

  #take(event: StreamEvent): void {
    if (event.kind === 'batch-written') {
      this.#written.push({ batchId: event.batchId, epoch: event.epoch })
    }
    if (event.kind === 'batch-completed' && event.records > 0) this.#consumed.add(event.batchId)
  }

  /** Lets time pass until something holds; faster, the longer it takes. */
  async #until(holds: () => boolean, what: string, process?: Process): Promise<void> {
    for (let turn = 0; turn < WAIT_TURNS; turn += 1) {
      for (let n = 0; n < 6; n += 1) {
        if (holds()) return
        await immediate()
      }
      if (process?.ended !== undefined) throw process.ended.error
      this.#steady.advance(Math.min(STEP_MS_MAX, this.#intervalMs * (1 + turn * turn)))
    }
    throw new Error(`${what} does not come`)
  }

  /** Lets so much time pass as something may take. */
  async #within(ms: number, holds: () => boolean, what: string): Promise<void> {
    for (let at = 0; at <= ms && !holds(); at += STEP_MS) await this.#pass(STEP_MS)
    if (!holds()) throw new Error(`${what} must come within ${ms} ms`)
  }

  async #pass(ms: number): Promise<void> {
    for (let at = 0; at < ms; at += STEP_MS) {
      this.#steady.advance(STEP_MS)
      for (let n = 0; n < 6; n += 1) await immediate()
    }
  }

  #check(): void {
    const epochs = this.#written.map(({ epoch }) => epoch)
    if (epochs.some((epoch, i) => epoch < (epochs[i - 1] ?? 0))) {
      throw new Error(`A later epoch had written: ${epochs.join()}`)
    }
    const batches = this.#sinks.batches('totals')
    const ids = [...batches.keys()].sort((a, b) => a - b)
    let turn = 0
    for (const id of ids) {
      const has = textOf(batches.get(id))
      if (has === textOf(expected?.get(turn))) continue
      turn += 1
      if (has !== textOf(expected?.get(turn))) {
        throw new Error(`Batch ${id} must hold the totals of input ${turn}, got ${has}`)
      }
    }
    if (turn !== TURNS) throw new Error(`The sink must have input ${TURNS}, got ${turn}`)
  }
}

interface Starting {
  started: Process | undefined
  readonly done: Promise<Process>
}

function immediate(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function textOf(records: readonly unknown[] | undefined): string {
  return JSON.stringify((records ?? []).map((record) => JSON.stringify(record)).sort(byText))
}

function byText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
