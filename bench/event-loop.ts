// How late the event loop of the service is while the engine works: beside two saturated workers,
// beside two plain busy loops, and with the engine inline, which shares it.

import { compare } from './comparison/compare.ts'
import { engineName } from './comparison/measured.ts'
import type { Contestant, Leg } from './contestants/contestant.ts'
import type { EventLoopTask } from './contestants/event-loop-process.ts'
import { NodeContestant } from './contestants/node-contestant.ts'
import {
  type Answer,
  type BenchOptions,
  median,
  type Question,
  type Row,
  verdict,
} from './harness.ts'
import { inputFiles } from './input/input-files.ts'
import type { WorkloadArgs } from './pipelines/results.ts'

const FILES = 4
const THREADS = 2
const P99_RATIO_MAX = 1.5
const BUSY_LOOPS = 'two busy loops'
/** The engine has a thread for its receivers, too. */
const MORE_BUSY_LOOPS = 'three busy loops'
/** A second of warm-up, and a second in each round. */
const LEG = 10

async function answer(options: BenchOptions): Promise<Answer> {
  const { rounds, seconds, seed, records } = options
  const args: WorkloadArgs = {
    inputs: [inputFiles({ kind: 'lines', records, files: FILES, seed })],
  }
  const pipeline = (workers: number) =>
    contestant(engineName(workers, false), {
      ...{ kind: 'pipeline', pipeline: 'word-count', args, workers },
    })
  const busy = (name: string, threads: number) => contestant(name, { kind: 'busy-loops', threads })
  const contestants = [
    busy(BUSY_LOOPS, THREADS),
    busy(MORE_BUSY_LOOPS, THREADS + 1),
    pipeline(THREADS),
    pipeline(1),
    pipeline(0),
  ]
  const turns = { warmBatches: LEG, legBatches: LEG, rounds, seconds }
  const outcomes = await compare(contestants, turns)
  const reference = outcomes[0]?.legs ?? []
  return {
    rows: outcomes.flatMap(({ name, legs, leftOut }) =>
      leftOut === undefined ? [rowOf(name, legs, reference)] : [],
    ),
    notes: outcomes.flatMap(({ name, legs, leftOut }) => {
      if (leftOut !== undefined) return [`left out: ${name}: ${leftOut}`]
      if (name !== engineName(THREADS, false)) return []
      const reached = median(besideBusyLoops(legs, reference))
      return [verdict('p99 beside two workers : busy loops', reached, { atMost: P99_RATIO_MAX })]
    }),
  }
}

function contestant(name: string, task: EventLoopTask): Contestant {
  const module = new URL('contestants/event-loop-process.ts', import.meta.url)
  return new NodeContestant({ name, module, task })
}

function rowOf(name: string, legs: readonly Leg[], reference: readonly Leg[]): Row {
  const middle = (figure: string) => median(figuresOf(legs, figure)).toFixed(2)
  return {
    beside: name,
    'p50 ms': middle('p50'),
    'p99 ms': middle('p99'),
    'worst ms': Math.max(...figuresOf(legs, 'worst')).toFixed(2),
    'p99 : busy loops': median(besideBusyLoops(legs, reference)).toFixed(2),
  }
}

/** The ratio of the 99th percentiles, round by round. */
function besideBusyLoops(legs: readonly Leg[], reference: readonly Leg[]): number[] {
  const busy = figuresOf(reference, 'p99')
  return figuresOf(legs, 'p99').map((ms, round) => ms / (busy[round] as number))
}

function figuresOf(legs: readonly Leg[], figure: string): number[] {
  return legs.map(({ figures }) => figures?.[figure] ?? Number.NaN)
}

export const eventLoop: Question = {
  asks:
    "The delay of the main thread's event loop beside two workers that count words without a\n" +
    'pause, beside busy loops, and with the engine inline: medians over rounds of a second.',
  defaults: { seed: 1, rounds: 10, records: 50_000 },
  answer,
}
