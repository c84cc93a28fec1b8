// How late the event loop of the service is while the engine works: beside two saturated workers,
// beside two plain busy loops, and with the engine inline, which shares it.

import { compare } from './comparison/compare.ts'
import { engineName } from './comparison/measured.ts'
import type { Contestant, Leg } from './contestants/contestant.ts'
import type { EventLoopTask } from './contestants/event-loop-process.ts'
import { NodeContestant } from './contestants/node-contestant.ts'
import { type Answer, type BenchOptions, type Question, quantile, type Row } from './harness.ts'
import { inputFiles } from './input/input-files.ts'
import type { WorkloadArgs } from './pipelines/results.ts'

const FILES = 4
const THREADS = 2
const BUSY_LOOPS = 'two busy loops'
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
  const busy = contestant(BUSY_LOOPS, { kind: 'busy-loops', threads: THREADS })
  const contestants = [busy, pipeline(THREADS), pipeline(0)]
  const turns = { warmBatches: LEG, legBatches: LEG, rounds, seconds }
  const outcomes = await compare(contestants, turns)
  const reference = outcomes[0]?.legs ?? []
  return {
    rows: outcomes.flatMap(({ name, legs, leftOut }) =>
      leftOut === undefined ? [rowOf(name, legs, reference)] : [],
    ),
    notes: outcomes.flatMap(({ name, leftOut }) =>
      leftOut === undefined ? [] : [`left out: ${name}: ${leftOut}`],
    ),
  }
}

function contestant(name: string, task: EventLoopTask): Contestant {
  const module = new URL('contestants/event-loop-process.ts', import.meta.url)
  return new NodeContestant({ name, module, task })
}

function rowOf(name: string, legs: readonly Leg[], reference: readonly Leg[]): Row {
  const of = (from: readonly Leg[], figure: string) =>
    from.map(({ figures }) => figures?.[figure] ?? Number.NaN)
  const median = (figure: string) => quantile(of(legs, figure), 0.5).toFixed(2)
  const busy = of(reference, 'p99')
  const ratios = of(legs, 'p99').map((ms, round) => ms / (busy[round] as number))
  return {
    beside: name,
    'p50 ms': median('p50'),
    'p99 ms': median('p99'),
    'worst ms': Math.max(...of(legs, 'worst')).toFixed(2),
    'p99 : busy loops': quantile(ratios, 0.5).toFixed(2),
  }
}

export const eventLoop: Question = {
  asks:
    "The delay of the main thread's event loop beside two workers that count words without a pause,\n" +
    'beside two busy loops, and with the engine inline: medians over rounds of a second.',
  defaults: { seed: 1, rounds: 10, records: 50_000 },
  answer,
}
