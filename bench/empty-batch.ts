// What a batch costs that has nothing to do, or next to nothing: a window, a state and two outputs
// without a record, and a word count of a few lines. Checkpoint off.

import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { engineName } from './comparison/measured.ts'
import { LeftOut } from './contestants/contestant.ts'
import { javaMissing } from './contestants/java.ts'
import {
  type PipelineTask,
  type RunningPipeline,
  runPipeline,
} from './contestants/running-pipeline.ts'
import { SparkContestant } from './contestants/spark-contestant.ts'
import {
  type Answer,
  type BenchOptions,
  median,
  type Question,
  quantile,
  type Row,
  turns,
  verdict,
} from './harness.ts'
import { benchFolder, type InputFolder, inputFiles } from './input/input-files.ts'
import type { IdleArgs } from './pipelines/idle.ts'
import type { WorkloadArgs } from './pipelines/results.ts'

const KEYS = [0, 1_000]
const WORKERS = [0, 2]
const EMPTY_INLINE_MS_BOUND = 1
const EMPTY_THREADS_MS_BOUND = 2
const WORD_COUNT_MS_BOUND = 6
const SPARK_BATCHES_MAX = 300
const SPARK_WARM_BATCHES = 100

interface Side {
  readonly row: Row
  /** Milliseconds below which the median is to be. */
  readonly below: number
  /** Runs one batch; milliseconds. */
  readonly batch: () => Promise<number>
  readonly stop: () => Promise<void>
}

interface Opened {
  readonly sides: Side[]
  readonly notes: string[]
}

async function answer(options: BenchOptions): Promise<Answer> {
  const set = { kind: 'lines', records: options.records, files: 1, seed: options.seed } as const
  const input = inputFiles(set)
  const { sides, notes } = await openPipelines(input)
  const times: number[][] = sides.map(() => [])
  for (const { round, timed } of turns(options)) {
    for (let i = 0; i < sides.length; i++) {
      const side = (round + i) % sides.length
      const ms = (await sides[side]?.batch()) ?? Number.NaN
      if (timed) times[side]?.push(ms)
    }
  }
  for (const side of sides) await side.stop()
  const rows = sides.map(({ row }, i) => ({ ...row, ...figuresOf(times[i] ?? []) }))
  notes.push(...sides.map(({ row, below }, i) => verdictOf(row, below, times[i] ?? [])))
  if (!options.peers) return { rows, notes }
  const spark = await besideSpark(input, options)
  return { rows: [...rows, ...spark.rows], notes: [...notes, ...(spark.notes ?? [])] }
}

/** Every pipeline, inline and on threads. */
async function openPipelines(input: InputFolder): Promise<Opened> {
  const sides: Side[] = []
  const notes = new Set<string>()
  for (const workers of WORKERS) {
    for (const { batch, pipeline, args } of pipelinesOf(input)) {
      const started = await startOr(notes, { pipeline, args, workers })
      if (started === undefined) continue
      // The first batch brings the keys.
      await started.run(1)
      const row = { batch, workers }
      const below = boundOf(pipeline, workers)
      sides.push({ row, below, batch: () => started.run(1), stop: () => started.stop() })
    }
  }
  return { sides, notes: [...notes] }
}

function boundOf(pipeline: string, workers: number): number {
  if (pipeline !== 'idle') return WORD_COUNT_MS_BOUND
  return workers === 0 ? EMPTY_INLINE_MS_BOUND : EMPTY_THREADS_MS_BOUND
}

function verdictOf(row: Row, below: number, ms: readonly number[]): string {
  const question = `median ms, ${row['batch']}, ${row['workers']} workers`
  return verdict(question, median(ms), { below })
}

function pipelinesOf(input: InputFolder) {
  const idle = KEYS.map((keys) => {
    const args: IdleArgs = { keys }
    return { batch: `empty, ${keys} keys`, pipeline: 'idle', args }
  })
  const args: WorkloadArgs = { inputs: [input] }
  const words = { batch: `word count, ${input.records} lines`, pipeline: 'word-count', args }
  return [...idle, words]
}

/** Starts a pipeline, or notes why the engine refuses it. */
async function startOr(
  notes: Set<string>,
  task: PipelineTask,
): Promise<RunningPipeline | undefined> {
  try {
    return await runPipeline(task)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    notes.add(`left out: ${engineName(task.workers, false)}: ${why}`)
    return undefined
  }
}

/** The same word count by Spark, whose times are whole milliseconds. */
async function besideSpark(input: InputFolder, options: BenchOptions): Promise<Answer> {
  const missing = javaMissing()
  if (missing !== undefined) return { rows: [], notes: [`left out: Spark: ${missing}`] }
  const rounds = Math.min(options.rounds, SPARK_BATCHES_MAX)
  const folder = mkdtempSync(join(benchFolder(), 'run-'))
  const { records } = options
  const batches = SPARK_WARM_BATCHES + rounds
  const task = { workload: 'word-count', inputs: [input], records, batches, folder }
  const spark = new SparkContestant(task)
  try {
    await spark.start()
    await spark.leg(SPARK_WARM_BATCHES)
    const times: number[] = []
    const startedAt = performance.now()
    do times.push((await spark.leg(1)).ms)
    while (times.length < rounds && performance.now() - startedAt < options.seconds * 1e3)
    return { rows: [{ batch: `the same, ${spark.name}`, workers: '', ...figuresOf(times) }] }
  } catch (error) {
    if (!(error instanceof LeftOut)) throw error
    return { rows: [], notes: [`left out: Spark: ${error.message}`] }
  } finally {
    await spark.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

function figuresOf(ms: readonly number[]): Row {
  const show = (share: number) => quantile(ms, share).toFixed(3)
  return { batches: ms.length, 'p50 ms': show(0.5), 'p99 ms': show(0.99), 'worst ms': show(1) }
}

export const emptyBatch: Question = {
  asks:
    'The fixed cost of a batch, checkpoint off, from its tick to its completion: nothing to do,\n' +
    'with no key yet and with keys, for each of which the state calls its function; and a word\n' +
    'count of a few lines.',
  defaults: { seed: 1, rounds: 3_000, records: 1_000 },
  answer,
}
