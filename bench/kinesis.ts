// The receiver in its I/O thread beside the bare SDK in a thread of its own: the same calls for the
// same streams, alone and beside two busy loops.

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

/** What few shards may give decides, of many the processor. */
const SHARDS = [16, 64] as const
const RECORD_BYTES = 1_024
/** Half a MiB: four reads a second for a shard, within its 2 MiB. */
const RECORDS_PER_CALL = 512
const SIDES = ['sdk', 'receiver'] as const
const NAMES = { sdk: 'bare SDK loop', receiver: 'receiver' } as const
const BUSY_LOOPS = 2
const LOADS = ['alone', 'beside two busy loops'] as const

type Legs = Readonly<Record<ReaderTask['side'], ReaderFigures[]>>

async function answer(options: BenchOptions): Promise<Answer> {
  const streams = SHARDS.map((shards) => {
    const recordsOfShard = Math.max(1, Math.ceil(options.records / shards))
    return { stream: `shards-${shards}`, shards, recordsOfShard }
  })
  const server = start('server-process.ts', { streams, recordBytes: RECORD_BYTES })
  const busy = new BusyLoops()
  const rows: Row[] = []
  const notes: string[] = []
  try {
    const endpoint = await message<string>(server)
    for (const load of LOADS) {
      if (load !== 'alone') busy.wake()
      for (const { stream, shards, recordsOfShard } of streams) {
        const records = recordsOfShard * shards
        const reads = { endpoint, stream, records, recordsPerCall: RECORDS_PER_CALL }
        const legs = await legsOf(options, reads)
        rows.push(...rowsOf(load, shards, legs))
        notes.push(...verdicts(`${shards} shards, ${load}`, legs))
      }
    }
    return { rows, notes }
  } finally {
    await busy.end()
    server.disconnect()
  }
}

/** Lets the sides read in turn; the one that begins changes. */
async function legsOf(options: BenchOptions, reads: Omit<ReaderTask, 'side'>): Promise<Legs> {
  const legs: Legs = { sdk: [], receiver: [] }
  for (const { round, timed } of turns(options, LOADS.length * SHARDS.length)) {
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

function rowsOf(load: string, shards: number, legs: Legs): Row[] {
  return SIDES.map((side) => {
    const middle = (figure: keyof ReaderFigures): number =>
      median(legs[side].map((leg) => leg[figure]))
    return {
      load,
      shards,
      reader: NAMES[side],
      'records/s': Math.round(middle('recordsPerSecond')),
      'CPU ms / 1,000 records': middle('cpuMsPerThousand').toFixed(2),
      'CPU ms / MB': middle('cpuMsPerMb').toFixed(2),
      'p99 fetch ms': middle('p99Ms').toFixed(1),
      reads: middle('reads'),
    }
  })
}

function verdicts(what: string, legs: Legs): string[] {
  const ratio = (figure: keyof ReaderFigures): number =>
    median(legs.receiver.map((leg, i) => leg[figure] / (legs.sdk[i]?.[figure] ?? Number.NaN)))
  return [
    verdict(`records/s, receiver : SDK, ${what}`, ratio('recordsPerSecond'), { atLeast: 0.9 }),
    verdict(`p99 fetch delay, receiver : SDK, ${what}`, ratio('p99Ms'), { atMost: 1.5 }),
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
    'Reading filled streams from a server in a process of its own: the receiver in its I/O\n' +
    'thread, and the bare AWS SDK in a thread, with the same calls. Medians of the rounds; the\n' +
    'delay of a fetch is from when the pace of its shard allows it to its answer; CPU is that\n' +
    'of the process.',
  defaults: { seed: 1, rounds: 3, records: 256 * RECORDS_PER_CALL },
  answer,
}
