// How much memory a run holds, and whether that grows with the number of its batches.

import { engineName } from './comparison/measured.ts'
import { LeftOut } from './contestants/contestant.ts'
import { NodeContestant } from './contestants/node-contestant.ts'
import type { PipelineTask } from './contestants/running-pipeline.ts'
import { type Answer, type BenchOptions, type Question, type Row, verdict } from './harness.ts'
import type { ManyKeysArgs } from './pipelines/many-keys.ts'

const WORKERS = [0, 2]
/** 1 M keys for batches of 2,000 records; small runs have few. */
const KEYS_A_RECORD = 500
const LOAD_BATCHES = 20
/** Shares of the batches at which memory is looked at. */
const LOOKS = [0.1, 0.25, 0.5, 0.75, 1]
const FLAT_BATCHES = 10
const SEMI_SPACE_MB = 8
const MB = 1e6
const KEYS_BOUND = 1_000_000
const RESIDENT_MB_BOUND = 400

interface Side {
  readonly keys: number
  readonly run: string
  readonly pipeline: string
  readonly args: unknown
  readonly warmBatches: number
  readonly batches: number
}

async function answer(options: BenchOptions): Promise<Answer> {
  const rows: Row[] = []
  const notes = new Set<string>()
  const verdicts: string[] = []
  for (const workers of WORKERS) {
    for (const side of sidesOf(options)) {
      try {
        const looks = await look(side, workers)
        rows.push(...looks)
        verdicts.push(...verdictsOf(side, workers, looks))
      } catch (error) {
        if (!(error instanceof LeftOut)) throw error
        notes.add(`left out: ${engineName(workers, false)}: ${error.message}`)
      }
    }
  }
  const semiSpace = `semi-spaces of at most ${SEMI_SPACE_MB} MB`
  return {
    rows,
    notes: [
      `${semiSpace}; heap and buffers of the main thread, after a collection`,
      ...verdicts,
      ...notes,
    ],
  }
}

/** The bound holds for 1 M keys and two workers; how flat a run is stands for itself. */
function verdictsOf({ run, keys }: Side, workers: number, looks: readonly Row[]): string[] {
  const resident = looks.map((row) => Number(row['resident MB']))
  const growth = (resident.at(-1) ?? Number.NaN) / (resident[0] ?? Number.NaN)
  const flat = `${engineName(workers, false)}, ${run}: resident memory at the end : at a tenth`
  const notes = [`${flat}: ${growth.toFixed(3)}`]
  if (keys !== KEYS_BOUND || workers !== 2) return notes
  const reached = Math.max(...resident)
  return [...notes, verdict(`${run}, resident MB`, reached, { below: RESIDENT_MB_BOUND })]
}

function sidesOf({ rounds, records, seed }: BenchOptions): Side[] {
  const keys = records * KEYS_A_RECORD
  const args: ManyKeysArgs = { keys, loadBatches: LOAD_BATCHES, records, seed }
  const flat = { keys: 100, pipeline: 'small-state', args: undefined, warmBatches: 0 }
  return [
    {
      run: `running sum, ${keys} keys`,
      ...{ keys, pipeline: 'many-keys', args, warmBatches: LOAD_BATCHES, batches: rounds },
    },
    { run: 'ten records a batch', ...flat, batches: rounds * FLAT_BATCHES },
  ]
}

/** Runs a side in a process of its own; gives a row for each look. */
async function look(side: Side, workers: number): Promise<Row[]> {
  const { run, pipeline, args, warmBatches, batches } = side
  const options = { semiSpaceMb: SEMI_SPACE_MB }
  const task: PipelineTask = { pipeline, args, workers, options }
  const contestant = new NodeContestant({
    name: run,
    module: new URL('contestants/memory-process.ts', import.meta.url),
    task,
    nodeOptions: ['--expose-gc', `--max-semi-space-size=${SEMI_SPACE_MB}`],
  })
  const rows: Row[] = []
  try {
    await contestant.start()
    if (warmBatches > 0) await contestant.leg(warmBatches)
    let done = 0
    for (const share of LOOKS) {
      const aim = Math.ceil(batches * share)
      const { figures = {} } = await contestant.leg(aim - done)
      done = aim
      const mb = (name: string) => ((figures[name] ?? Number.NaN) / MB).toFixed(1)
      const held = { 'heap MB': mb('heapUsed'), 'buffers MB': mb('arrayBuffers') }
      const resident = { 'resident MB': mb('rss'), 'at most MB': mb('maxRss') }
      rows.push({ run, workers, 'after batch': warmBatches + done, ...resident, ...held })
    }
  } finally {
    await contestant.stop()
  }
  return rows
}

export const memory: Question = {
  asks:
    'The memory of a run: 1 M string keys with a running sum over 1,000 batches (500 keys for\n' +
    'each record of a batch), and 10,000 small batches with a state and a window (10 for each\n' +
    'round).',
  defaults: { seed: 1, rounds: 1_000, records: 2_000 },
  answer,
}
