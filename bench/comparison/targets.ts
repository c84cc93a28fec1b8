// What the workloads are to reach, and whether they did in this run.

import { type Answer, median, type Row } from '../harness.ts'
import { engineName, FLINK, HAND_1, HAND_2, type Measured, ratios, SPARK } from './measured.ts'

/** A ratio that is to be reached. */
interface Target {
  readonly question: string
  readonly workload: string
  readonly atLeast: number
  readonly stretch?: number
  /** The ratio of each round; empty where it was not measured. */
  readonly of: (measured: Measured) => number[]
}

const ONE_WORKER = engineName(1, false)
const TWO_WORKERS = engineName(2, false)

const BESIDE_SPARK: Readonly<Record<string, readonly [atLeast: number, stretch?: number]>> = {
  grep: [1.6],
  'word-count': [1.2, 1.5],
  'sliding-word-count': [1.6, 2],
  'top-k': [1.6, 2],
  yahoo: [1.5, 1.7],
  'running-sum': [8],
  'windowed-join': [4],
}

const BESIDE_FLINK: Readonly<Record<string, number>> = {
  grep: 0.9,
  'word-count': 2,
  yahoo: 1.2,
  'running-sum': 3,
  'sliding-word-count': 50,
  'windowed-join': 5,
}

const STATELESS = ['grep', 'word-count', 'yahoo']

function targetsOf(workload: string): Target[] {
  const [atLeast, stretch] = BESIDE_SPARK[workload] ?? []
  const flink = BESIDE_FLINK[workload]
  const targets: Target[] = [
    {
      question: '1 worker : hand-written loop, 1 thread',
      workload,
      atLeast: 0.8,
      of: (measured) => ratios(measured, ONE_WORKER, HAND_1),
    },
    {
      question: 'scaling 1 → 2 workers : scaling of the hand-written loop',
      workload,
      atLeast: 0.9,
      of: scaling,
    },
  ]
  if (atLeast !== undefined) {
    const of = (measured: Measured) => ratios(measured, TWO_WORKERS, SPARK)
    const beyond = stretch === undefined ? {} : { stretch }
    targets.push({ question: `2 workers : ${SPARK}`, workload, atLeast, ...beyond, of })
  }
  if (flink !== undefined) {
    const of = (measured: Measured) => ratios(measured, TWO_WORKERS, FLINK)
    targets.push({ question: `2 workers : ${FLINK}`, workload, atLeast: flink, of })
  }
  if (STATELESS.includes(workload)) {
    const of = (measured: Measured) => ratios(measured, engineName(2, true), TWO_WORKERS)
    targets.push({ question: 'LocalStore on : off, 2 workers', workload, atLeast: 0.9, of })
  }
  return targets
}

function scaling(measured: Measured): number[] {
  const engine = ratios(measured, TWO_WORKERS, ONE_WORKER)
  const hand = ratios(measured, HAND_2, HAND_1)
  return engine.map((ratio, round) => ratio / (hand[round] as number))
}

/** What one workload is to reach, as notes. */
export function targetNotes(measured: Measured): string[] {
  return targetRows([measured]).rows.map((row) => {
    const reached = row['verdict'] === 'not measured' ? '' : `${row['reached']}, `
    return `to reach: ${row['question']} ≥ ${row['to reach']}: ${reached}${row['verdict']}`
  })
}

/** One row for each target of the workloads that were measured. */
export function targetRows(all: readonly Measured[]): Answer {
  const rows = all.flatMap((measured) =>
    targetsOf(measured.workload).map((target) => targetRow(target, target.of(measured))),
  )
  return { rows: rows.sort((a, b) => (String(a['question']) < String(b['question']) ? -1 : 1)) }
}

function targetRow({ question, workload, atLeast, stretch }: Target, values: number[]): Row {
  const beyond = stretch === undefined ? '' : ` (${stretch})`
  const row = { question, workload, 'to reach': `${atLeast}${beyond}` }
  if (values.length === 0) return { ...row, reached: '–', verdict: 'not measured' }
  const reached = median(values)
  const spread = `${Math.min(...values).toFixed(2)}–${Math.max(...values).toFixed(2)}`
  const verdict = reached >= atLeast ? 'held' : 'missed'
  return { ...row, reached: reached.toFixed(2), 'min–max': spread, verdict }
}
