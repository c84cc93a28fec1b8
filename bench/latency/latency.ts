// How long it takes from the time at which a line was to be sent, by a generator in another
// process, over TCP, to the return of a foreachBatch that does nothing more.

import { type ChildProcess, fork } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { engineName } from '../comparison/measured.ts'
import { LeftOut } from '../contestants/contestant.ts'
import { NodeContestant } from '../contestants/node-contestant.ts'
import { type Answer, type BenchOptions, type Question, type Row, verdict } from '../harness.ts'
import { benchFolder } from '../input/input-files.ts'
import type { LatencyTask } from './engine-process.ts'
import { fsyncP99Ms } from './fsync-probe.ts'
import type { FromGenerator, Schedule } from './generator.ts'

const WORKERS = [0, 2]
const RATES = [1_000, 10_000]
const INTERVALS_MS = [10, 50, 100, 1_000]
/** What a cell takes where no time is given, warm-up not included. */
const CELL_SECONDS = 10
const WARM_SHARE = 0.2
/** What the 99th percentile is to be below, by interval, in intervals. */
const P99_BOUNDS: Readonly<Record<number, number>> = { 10: 2, 100: 1.3 }
const P99_RATE = 10_000

/** One row of the answer. */
export interface Cell {
  readonly workers: number
  readonly rate: number
  readonly intervalMs: number
  readonly checkpoint: boolean
}

async function answer({ seconds }: BenchOptions): Promise<Answer> {
  const cells = allCells()
  const cellSeconds = Math.min(CELL_SECONDS, seconds / cells.length)
  const rows: Row[] = []
  const notes = new Set<string>()
  const verdicts: string[] = []
  const folder = mkdtempSync(join(benchFolder(), 'run-'))
  try {
    for (const [i, cell] of cells.entries()) {
      const store = join(folder, `cell-${i}`)
      try {
        const row = await measureCell(cell, cellSeconds, store)
        rows.push(row)
        verdicts.push(...verdictsOf(cell, Number(row['p99 : interval'])))
      } catch (error) {
        if (!(error instanceof LeftOut)) throw error
        notes.add(`left out: ${engineName(cell.workers, false)}: ${error.message}`)
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  const times = `milliseconds; ${cellSeconds.toFixed(1)} s for each row, after a fifth of warm-up`
  return { rows, notes: [times, ...verdicts, ...notes] }
}

function verdictsOf({ workers, rate, intervalMs, checkpoint }: Cell, reached: number): string[] {
  const below = P99_BOUNDS[intervalMs]
  if (below === undefined || rate !== P99_RATE || checkpoint) return []
  const engine = engineName(workers, false)
  const question = `p99 : interval, ${engine}, ${rate} lines/s, ${intervalMs} ms`
  return [verdict(question, reached, { below })]
}

function allCells(): Cell[] {
  const onOff = [false, true]
  return WORKERS.flatMap((workers) =>
    RATES.flatMap((rate) =>
      INTERVALS_MS.flatMap((intervalMs) =>
        onOff.map((checkpoint) => ({ workers, rate, intervalMs, checkpoint })),
      ),
    ),
  )
}

/** Measures one row, with a folder of its own. */
export async function measureCell(cell: Cell, seconds: number, folder: string): Promise<Row> {
  const { workers, rate, intervalMs, checkpoint } = cell
  mkdirSync(folder)
  const fsync = checkpoint ? { 'fsync p99': fsyncP99Ms(folder).toFixed(2) } : {}
  const warmSeconds = seconds * WARM_SHARE
  const schedule = { rate, seconds: seconds + warmSeconds }
  const generator = await Generator.start()
  const store = checkpoint ? join(folder, 'checkpoint') : undefined
  const task: LatencyTask = { workers, intervalMs, store, warmSeconds, port: generator.port }
  const module = new URL('engine-process.ts', import.meta.url)
  const engine = new NodeContestant({ name: engineName(workers, checkpoint), module, task })
  try {
    await engine.start()
    const { lines, lateP99Ms } = await generator.send(schedule)
    const { figures = {} } = await engine.leg(lines)
    const show = (name: string) => (figures[name] ?? Number.NaN).toFixed(2)
    const p99 = figures['p99'] ?? Number.NaN
    return {
      engine: engineName(workers, checkpoint),
      'lines/s': rate,
      interval: intervalMs,
      lines: figures['lines'] ?? 0,
      ...{ p50: show('p50'), p99: show('p99'), 'p99.9': show('p999'), worst: show('worst') },
      'p99 : interval': (p99 / intervalMs).toFixed(2),
      'sent late p99': lateP99Ms.toFixed(2),
      ...fsync,
    }
  } finally {
    await engine.stop()
    generator.stop()
  }
}

/** The generator's process. */
class Generator {
  readonly port: number
  readonly #child: ChildProcess
  readonly #connected: Promise<unknown>

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.port = port
    this.#connected = said(child, 'connected')
  }

  static async start(): Promise<Generator> {
    const path = fileURLToPath(new URL('generator.ts', import.meta.url))
    const child = fork(path, [], { execArgv: [] })
    const { port } = await said(child, 'listening')
    return new Generator(child, port)
  }

  /** Sends all lines, once somebody has connected. */
  async send(schedule: Schedule): Promise<Extract<FromGenerator, { kind: 'sent' }>> {
    await this.#connected
    const sent = said(this.#child, 'sent')
    this.#child.send(schedule)
    return sent
  }

  stop(): void {
    this.#child.kill('SIGKILL')
  }
}

function said<K extends FromGenerator['kind']>(
  child: ChildProcess,
  kind: K,
): Promise<Extract<FromGenerator, { kind: K }>> {
  return new Promise((resolve) => {
    const take = (message: FromGenerator): void => {
      if (message.kind !== kind) return
      child.off('message', take)
      resolve(message as Extract<FromGenerator, { kind: K }>)
    }
    child.on('message', take)
  })
}

export const latency: Question = {
  asks:
    'The latency of a line, from the time at which a generator in another process was to send\n' +
    'it over TCP to the return of a foreachBatch that does nothing more.',
  defaults: { seed: 1, rounds: 1, records: 0 },
  answer,
}
