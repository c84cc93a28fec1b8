// The receiver in its I/O thread beside the bare SDK in a thread of its own: the same calls for the
// same stream, alone and beside two busy loops.

import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { ASLEEP, AWAKE } from './contestants/busy-loop-state.ts'
import {
  type Answer,
  type BenchOptions,
  median,
  type Question,
  type Row,
  turns,
  verdict,
} from './harness.ts'
import type { ReaderFigures, ReaderTask } from './kinesis/reader-process.ts'
import type { ServerTask } from './kinesis/server-process.ts'

const SHARDS = 16
const RECORD_BYTES = 1_024
/** Half a MiB: four reads a second for a shard, within its 2 MiB. */
const RECORDS_PER_CALL = 512
const STREAM = 'bench'
const SIDES = ['sdk', 'receiver'] as const
const NAMES = { sdk: 'bare SDK loop', receiver: 'receiver' } as const
const BUSY_LOOPS = 2

type Legs = Readonly<Record<ReaderTask['side'], ReaderFigures[]>>

async function answer(options: BenchOptions): Promise<Answer> {
  const recordsOfShard = Math.max(1, Math.ceil(options.records / SHARDS))
  const task: ServerTask = {
    stream: STREAM,
    shards: SHARDS,
    recordsOfShard,
    recordBytes: RECORD_BYTES,
  }
  const server = start('server-process.ts', task)
  const busy = new BusyLoops()
  try {
    const endpoint = await message<string>(server)
    const where = { endpoint, stream: STREAM, recordsPerCall: RECORDS_PER_CALL }
    const reads = { ...where, records: recordsOfShard * SHARDS }
    const alone = await legsOf(options, reads)
    busy.wake()
    const crowded = await legsOf(options, reads)
    return {
      rows: [...rowsOf('alone', alone), ...rowsOf('beside two busy loops', crowded)],
      notes: [...verdicts('alone', alone), ...verdicts('beside busy loops', crowded)],
    }
  } finally {
    await busy.end()
    server.disconnect()
  }
}

/** Lets the sides read in turn; the one that begins changes. */
async function legsOf(options: BenchOptions, reads: Omit<ReaderTask, 'side'>): Promise<Legs> {
  const legs: Legs = { sdk: [], receiver: [] }
  for (const { round, timed } of turns(options, 2)) {
    for (const i of SIDES.keys()) {
      const side = SIDES[(round + i) % SIDES.length] as ReaderTask['side']
      const figures = await message<ReaderFigures>(start('reader-process.ts', { side, ...reads }))
      if (timed) legs[side].push(figures)
    }
  }
  return legs
}

function start(module: string, task: ServerTask | ReaderTask): ChildProcess {
  const url = new URL(`kinesis/${module}`, import.meta.url)
  return fork(fileURLToPath(url), [JSON.stringify(task)], {
    execArgv: ['--conditions=millrace-src'],
  })
}

function message<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const exited = (code: number | null): void => {
      reject(new Error(`A process of the question ended with code ${code}`))
    }
    child.once('exit', exited)
    child.once('message', (value) => {
      child.off('exit', exited)
      resolve(value as T)
    })
  })
}

function rowsOf(load: string, legs: Legs): Row[] {
  return SIDES.map((side) => {
    const middle = (figure: keyof ReaderFigures): number =>
      median(legs[side].map((leg) => leg[figure]))
    return {
      load,
      reader: NAMES[side],
      'records/s': Math.round(middle('recordsPerSecond')),
      'CPU ms / 1,000 records': middle('cpuMsPerThousand').toFixed(2),
      'CPU ms / MB': middle('cpuMsPerMb').toFixed(2),
      'p99 fetch ms': middle('p99Ms').toFixed(1),
      reads: middle('reads'),
    }
  })
}

function verdicts(load: string, legs: Legs): string[] {
  const ratio = (figure: keyof ReaderFigures): number =>
    median(legs.receiver.map((leg, i) => leg[figure] / (legs.sdk[i]?.[figure] ?? Number.NaN)))
  return [
    verdict(`records/s, receiver : SDK, ${load}`, ratio('recordsPerSecond'), { atLeast: 0.9 }),
    verdict(`p99 fetch delay, receiver : SDK, ${load}`, ratio('p99Ms'), { atMost: 1.5 }),
  ]
}

/** Two threads that spin once they are woken. */
class BusyLoops {
  readonly #state = new SharedArrayBuffer(4)
  readonly #threads: readonly Worker[]

  constructor() {
    Atomics.store(new Int32Array(this.#state), 0, ASLEEP)
    const module = new URL('contestants/busy-loop.ts', import.meta.url)
    this.#threads = Array.from({ length: BUSY_LOOPS }, () => {
      return new Worker(module, { workerData: this.#state })
    })
  }

  wake(): void {
    const state = new Int32Array(this.#state)
    Atomics.store(state, 0, AWAKE)
    Atomics.notify(state, 0)
  }

  async end(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.terminate()))
  }
}

export const kinesis: Question = {
  asks:
    'Reading a filled stream of 16 shards from a server in a process of its own: the receiver\n' +
    'in its I/O thread, and the bare AWS SDK in a thread, with the same calls. Medians of the\n' +
    'rounds; the p99 is that of the time from a read to its answer; CPU is that of the process.',
  defaults: { seed: 1, rounds: 3, records: 16 * 12 * RECORDS_PER_CALL },
  answer,
}
