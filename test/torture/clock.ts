// A wall clock that jumps by an hour, stands still, or goes back, within a run and between two; and
// a second process that starts meanwhile. Every record counts once, in order, and once a later
// epoch has written, an earlier one writes no more.

import { type Run, type StreamEvent, start } from 'millrace'
import { ManualClock, MemoryStore, quietLogger } from 'millrace/testing'
import type { CheckpointStore } from '../../src/checkpoint/store.ts'
import type { Cancel, Clock } from '../../src/clock.ts'
import { codeOf } from '../../src/errors.ts'
import { MemorySinks } from './lives.ts'
import { pickFrom } from './picks.ts'
import type { Suite, Torture } from './torture.ts'
import { writtenInput } from './written-input.ts'
import { INTERVAL_MS, WRITTEN, writtenPipeline } from './written-pipelines.ts'

const TURNS = 12
const HOUR_MS = 3_600_000
/** A clock that went back an hour makes a start wait for so long. */
const WAIT_TURNS = 80
const STEP_MS_MAX = 120_000
const input = writtenInput(TURNS, 6)
const expected = WRITTEN.counted.expected(input)['totals']

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

/** A clock whose wall time is as its owner says; the monotonic time goes on. */
class WildClock implements Clock {
  readonly #steady: ManualClock
  offsetMs = 0
  frozenAt: number | undefined

  constructor(steady: ManualClock) {
    this.#steady = steady
  }

  wallMs(): number {
    return this.frozenAt ?? this.#steady.wallMs() + this.offsetMs
  }

  monotonicMs(): number {
    return this.#steady.monotonicMs()
  }

  after(delayMs: number, fire: () => void): Cancel {
    return this.#steady.after(delayMs, fire)
  }
}

/** One seed: processes one after the other, and some beside each other, on one checkpoint. */
class WildTime {
  readonly #pick: (below: number) => number
  readonly #steady = new ManualClock(10 * HOUR_MS)
  readonly #store = new MemoryStore()
  readonly #sinks = new MemorySinks()
  /** Epochs in the order in which they wrote batches. */
  readonly #written: { readonly batchId: number; readonly epoch: number }[] = []
  readonly #told: string[] = []
  #processes = 0
  /** Input batches that are committed. */
  #consumed = 0
  #jumps = 0
  #takeovers = 0

  constructor(seed: number) {
    this.#pick = pickFrom(seed)
  }

  async run(): Promise<string> {
    try {
      let process = await this.#start('force')
      while (this.#consumed < TURNS) {
        await this.#turn(process)
        const next = this.#pick(5)
        if (next < 3) continue
        process = next === 3 ? await this.#restart(process) : await this.#second(process)
      }
      await process.run.stop({ graceful: false })
      this.#check()
      return this.#takeovers > 0 ? 'with a second process' : 'alone'
    } catch (cause) {
      throw new Error(this.#told.join(', '), { cause })
    }
  }

  /** Changes the wall clock, and lets the next input batch be processed. */
  async #turn(process: Process): Promise<void> {
    this.#disturb(process.clock)
    const before = this.#consumed
    await this.#until(() => this.#consumed > before, process)
  }

  #disturb(clock: WildClock): void {
    const how = this.#pick(6)
    const now = clock.wallMs()
    clock.frozenAt = how === 5 ? now : undefined
    if (how > 2) return
    this.#jumps += 1
    const jumpMs = [HOUR_MS, -HOUR_MS, -this.#pick(10_000)][how] ?? 0
    clock.offsetMs += jumpMs
    this.#told.push(`wall clock ${jumpMs} ms`)
  }

  async #restart({ run, clock }: Process): Promise<Process> {
    await run.stop({ graceful: false })
    this.#told.push('restart')
    return this.#start('force', clock.offsetMs)
  }

  /** Starts another process, whose wall clock differs; the first one lives. */
  async #second(first: Process): Promise<Process> {
    this.#told.push('second process')
    this.#takeovers += 1
    const offsetMs = first.clock.offsetMs + (this.#pick(3) - 1) * HOUR_MS
    const starting = this.#start('wait', offsetMs)
    let second: Process | undefined
    starting.then(
      (process) => {
        second = process
      },
      () => undefined,
    )
    // A first process that shows that it lives need not give way: then it stops.
    await this.#until(() => second !== undefined, undefined, 30)
    if (second === undefined) await first.run.stop({ graceful: false })
    await this.#until(() => second !== undefined, undefined)
    const ended = await first.run.done.then(
      () => undefined,
      (error: unknown) => error,
    )
    if (ended !== undefined && codeOf(ended) !== 'FENCED') throw ended
    return starting
  }

  async #start(takeover: 'wait' | 'force', offsetMs = 0): Promise<Process> {
    this.#processes += 1
    const clock = new WildClock(this.#steady)
    clock.offsetMs = offsetMs
    const position = {
      // What a second process has taken is not for the first one to take.
      get batchId() {
        return cursor.next()
      },
    }
    const cursor = { next: () => this.#consumed + 1 }
    const started = start(writtenPipeline('counted'), {
      args: { input, position, sinkOf: this.#sinks.sinkOf },
      overrides: { checkpoint: relocated(this.#store, this.#processes), snapshotEvery: 4 },
      takeover,
      clock,
      logger: quietLogger,
      onEvent: (event) => this.#take(event),
    })
    let run: Run | undefined
    const settled = started.then((one) => {
      run = one
    })
    settled.catch(() => undefined)
    if (takeover === 'wait') await settled
    else await this.#until(() => run !== undefined, undefined)
    return { run: await started, clock }
  }

  #take(event: StreamEvent): void {
    if (event.kind === 'batch-written') {
      this.#written.push({ batchId: event.batchId, epoch: event.epoch })
    }
    if (event.kind === 'batch-completed' && event.records > 0) this.#consumed += 1
  }

  /** Lets time pass until something holds; faster, the longer it takes. */
  async #until(holds: () => boolean, process: Process | undefined, turns = WAIT_TURNS) {
    for (let turn = 0; turn < turns; turn += 1) {
      for (let n = 0; n < 6; n += 1) {
        if (holds()) return
        await new Promise((resolve) => setImmediate(resolve))
      }
      if (process !== undefined) await Promise.race([process.run.done, Promise.resolve()])
      this.#steady.advance(Math.min(STEP_MS_MAX, INTERVAL_MS * (1 + turn * turn)))
    }
    if (turns === WAIT_TURNS) throw new Error('Nothing happens any more')
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

interface Process {
  readonly run: Run
  readonly clock: WildClock
}

function textOf(records: readonly unknown[] | undefined): string {
  return JSON.stringify((records ?? []).map((record) => JSON.stringify(record)).sort(byText))
}

function byText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}

function relocated(store: CheckpointStore, process: number): CheckpointStore {
  return new Proxy(store, {
    get(target, property) {
      if (property === 'location') return `${target.location}#${process}`
      const value: unknown = Reflect.get(target, property, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
