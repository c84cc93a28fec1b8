// Asks how fast the contestants of a workload are, beside each other.

import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Contestant, Leg } from '../contestants/contestant.ts'
import { FlinkContestant } from '../contestants/flink-contestant.ts'
import type { HandTask } from '../contestants/hand-process.ts'
import { heapGb, javaMissing, javaVersion, peerVersion } from '../contestants/java.ts'
import { NodeContestant } from '../contestants/node-contestant.ts'
import type { PipelineTask } from '../contestants/running-pipeline.ts'
import { type PeerTask, SparkContestant } from '../contestants/spark-contestant.ts'
import { type Answer, type BenchOptions, median } from '../harness.ts'
import { benchFolder, type InputFolder } from '../input/input-files.ts'
import type { WorkloadArgs } from '../pipelines/results.ts'
import { comparable, compare, difference, type Outcome } from './compare.ts'
import {
  engineName,
  FLINK,
  HAND_1,
  HAND_2,
  type Measured,
  type MeasuredSide,
  measuredRows,
  SPARK,
} from './measured.ts'
import { inputsOf, type Workload } from './workloads.ts'

const WORKERS = [0, 1, 2]

/** A workload with the bounds of this run. */
interface Asked {
  readonly workload: Workload
  readonly options: BenchOptions
  readonly inputs: readonly InputFolder[]
  /** Batches that every contestant is asked for at most. */
  readonly batches: number
  /** A folder for temporary files of this run. */
  readonly folder: string
}

/** Runs a workload's contestants. */
export async function measure(workload: Workload, options: BenchOptions): Promise<Measured> {
  const { files, warmBatches, legBatches } = workload
  const folder = mkdtempSync(join(benchFolder(), 'run-'))
  try {
    const inputs = inputsOf(workload, { files, records: options.records, seed: options.seed })
    const batches = warmBatches + options.rounds * legBatches
    return await measureIn({ workload, options, inputs, batches, folder })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function measureIn(asked: Asked): Promise<Measured> {
  const { workload, options } = asked
  const { warmBatches, legBatches } = workload
  const peers = options.peers ? peersOf(asked) : { contestants: [], leftOut: [] }
  const contestants = [...nodeContestants(asked), ...peers.contestants]
  const { rounds, seconds } = options
  const outcomes = await compare(contestants, { warmBatches, legBatches, rounds, seconds })
  const reference = outcomes[0] as Outcome
  const sides: MeasuredSide[] = []
  for (const outcome of outcomes) {
    const own = outcome.name === FLINK && workload.flink.kind === 'own'
    const other = own && outcome.leftOut === undefined ? await ownReference(asked) : reference
    sides.push(sideOf(outcome, other, asked))
  }
  return { workload: workload.name, sides: [...sides, ...peers.leftOut] }
}

/** The loops and the engine; the first is the reference for all results. */
function nodeContestants({ workload, inputs, folder }: Asked): Contestant[] {
  const hand = (threads: 1 | 2) =>
    handContestant(threads === 1 ? HAND_1 : HAND_2, { workload: workload.name, inputs, threads })
  const engine = (workers: number, checkpoint: boolean) => {
    const name = engineName(workers, checkpoint)
    const store = checkpoint ? join(folder, name.replaceAll(/\W+/g, '-')) : undefined
    const args: WorkloadArgs = { inputs }
    const task: PipelineTask = { pipeline: workload.name, args, workers, store }
    const module = new URL('../contestants/engine-process.ts', import.meta.url)
    return new NodeContestant({ name, module, task })
  }
  const engines = WORKERS.flatMap((workers) => [engine(workers, false), engine(workers, true)])
  return [hand(1), hand(2), ...engines]
}

function handContestant(name: string, task: HandTask): NodeContestant {
  const module = new URL('../contestants/hand-process.ts', import.meta.url)
  return new NodeContestant({ name, module, task })
}

function peersOf(asked: Asked): { contestants: Contestant[]; leftOut: MeasuredSide[] } {
  const { workload, options } = asked
  const missing = javaMissing()
  if (missing !== undefined) {
    return { contestants: [], leftOut: [SPARK, FLINK].map((name) => without(name, missing)) }
  }
  const spark = new SparkContestant(peerTask(asked, SPARK, asked.inputs, options.records))
  const { flink } = workload
  if (flink.kind === 'none') {
    return { contestants: [spark], leftOut: [without(FLINK, flink.why)] }
  }
  const inputs = flink.kind === 'same' ? asked.inputs : ownInputs(asked)
  const records = flink.kind === 'same' ? options.records : ownRecords(asked)
  const task = peerTask(asked, FLINK, inputs, records)
  return { contestants: [spark, new FlinkContestant(task)], leftOut: [] }
}

function peerTask(
  { workload, batches, folder }: Asked,
  name: string,
  inputs: readonly InputFolder[],
  records: number,
): PeerTask {
  const own = mkdtempSync(join(folder, `${name.split(/\W/)[0]}-`))
  return { workload: workload.name, inputs, records, batches, folder: own }
}

/** Records of a file of Flink's own; small runs have small files. */
function ownRecords({ workload: { flink }, options }: Asked): number {
  return flink.kind === 'own' ? Math.min(flink.records, options.records) : options.records
}

function ownInputs(asked: Asked): InputFolder[] {
  const { workload, options, batches } = asked
  const size = { files: batches, records: ownRecords(asked), seed: options.seed }
  return inputsOf(workload, size)
}

/** The right results of Flink's own files. */
async function ownReference(asked: Asked): Promise<Outcome> {
  const { workload, batches } = asked
  const task: HandTask = { workload: workload.name, inputs: ownInputs(asked), threads: 1 }
  const turns = { warmBatches: batches, legBatches: 0, rounds: 1, seconds: 0 }
  const [reference] = await compare([handContestant(HAND_1, task)], turns)
  return reference as Outcome
}

function without(name: string, reason: string): MeasuredSide {
  return { name, rates: [], cpuRates: [], leftOut: reason, logBytes: undefined }
}

/** The figures of a contestant; none where its result is wrong, or cannot be compared: the whole
 * run fails then, at its end. */
function sideOf(outcome: Outcome, reference: Outcome, asked: Asked): MeasuredSide {
  const { name, legs, leftOut } = outcome
  if (leftOut !== undefined) return without(name, leftOut)
  const wrong = comparable(reference, outcome)
    ? difference(reference, outcome)
    : 'it gave none that can be compared'
  if (wrong !== undefined) {
    process.exitCode = 1
    return without(name, `its result is wrong: ${wrong}`)
  }
  const own = name === FLINK && asked.workload.flink.kind === 'own'
  const records = own ? ownRecords(asked) : asked.options.records
  const legRecords = records * asked.inputs.length * asked.workload.legBatches
  return {
    name,
    rates: legs.map(({ ms }) => (legRecords / ms) * 1e3),
    // The system counts in steps of 10 ms: a tiny leg may have none.
    cpuRates: legs.flatMap(({ cpuMs }) => (cpuMs ? [(legRecords / cpuMs) * 1e3] : [])),
    leftOut: undefined,
    logBytes: medianBytes(legs),
  }
}

function medianBytes(legs: readonly Leg[]): number | undefined {
  const bytes = legs.flatMap(({ figures }) => figures?.['logBytes'] ?? [])
  return bytes.length === 0 ? undefined : median(bytes)
}

/** The measured workload as an answer. */
export function workloadAnswer(
  measured: Measured,
  workload: Workload,
  { peers, records }: BenchOptions,
): Answer {
  const { inputs, warmBatches, legBatches, flink } = workload
  const streams = inputs.map(({ kind }) => kind).join(' and ')
  const notes = [
    `each batch ${records} ${streams}, in 2 partitions; ${warmBatches} batches of warm-up, ` +
      `${legBatches} in each round`,
    'results equal by checksum for all who have figures; ratios are medians over the rounds',
  ]
  if (peers && javaMissing() === undefined) notes.push(...peerNotes())
  if (peers && flink.kind === 'own') {
    notes.push(
      `Flink: files of its own of ${Math.min(flink.records, records)} records: ${flink.why}`,
    )
  }
  notes.push(...leftOutNotes(measured.sides))
  return { rows: measuredRows(measured), notes }
}

/** Who is left out, by reason. */
function leftOutNotes(sides: readonly MeasuredSide[]): string[] {
  const names = new Map<string, string[]>()
  for (const { name, leftOut } of sides) {
    if (leftOut !== undefined) names.set(leftOut, [...(names.get(leftOut) ?? []), name])
  }
  return Array.from(names, ([reason, out]) => `left out: ${out.join('; ')}: ${reason}`)
}

function peerNotes(): string[] {
  return [
    `Java ${javaVersion()}, heap ${heapGb()} GiB each`,
    `Spark ${peerVersion('spark')}: Kryo, 2 partitions, processing time; windows and state ` +
      'checkpointed to disk every 10 batches, nothing else',
    `Flink ${peerVersion('flink')}: object reuse, heap state, exactly-once checkpoints to disk ` +
      'every second; stopped by signal while others run',
  ]
}
