// The workloads: what they read, and how much of it.

import type { WorkloadName } from '../hand/hands.ts'
import { type InputFolder, inputFiles } from '../input/input-files.ts'

/** A workload of the comparison with hand-written loops and peers. */
export interface Workload {
  readonly name: WorkloadName
  readonly asks: string
  /** Each stream: what its files hold, and what is added to the seed. */
  readonly inputs: readonly { readonly kind: InputFolder['kind']; readonly seed: number }[]
  /** Files of each input; after the last comes the first again. */
  readonly files: number
  /** Records of a file: a batch has one of each input. */
  readonly records: number
  readonly warmBatches: number
  readonly legBatches: number
  readonly rounds: number
  readonly flink: FlinkPart
}

/** How Flink takes part: with the same files, with smaller files of its own, each read once, or
 * not. */
export type FlinkPart =
  | { readonly kind: 'same' }
  | { readonly kind: 'own'; readonly records: number; readonly why: string }
  | { readonly kind: 'none'; readonly why: string }

const LINES = [{ kind: 'lines', seed: 0 }] as const
const SAME: FlinkPart = { kind: 'same' }

/** Window and state workloads have ten batches a leg: Spark checkpoints each tenth, so each leg has
 * one such batch. */
export const workloads: readonly Workload[] = [
  {
    name: 'grep',
    asks: 'Lines with a needle, counted by batch.',
    inputs: LINES,
    ...{ files: 4, records: 500_000, warmBatches: 8, legBatches: 4, rounds: 7 },
    flink: SAME,
  },
  {
    name: 'word-count',
    asks: 'Words counted by batch: split, pair, reduceByKey.',
    inputs: LINES,
    ...{ files: 4, records: 500_000, warmBatches: 4, legBatches: 2, rounds: 5 },
    flink: SAME,
  },
  {
    name: 'sliding-word-count',
    asks: 'Words counted over the last 30 batches, at each batch, with an inverse.',
    inputs: LINES,
    ...{ files: 8, records: 200_000, warmBatches: 40, legBatches: 10, rounds: 5 },
    flink: {
      kind: 'own',
      records: 2_000,
      why: 'each word enters 30 windows: files of the size of the others would take hours',
    },
  },
  {
    name: 'top-k',
    asks: 'The ten most frequent words of the last 30 batches, at each batch.',
    inputs: LINES,
    ...{ files: 8, records: 200_000, warmBatches: 40, legBatches: 10, rounds: 5 },
    flink: { kind: 'none', why: 'Flink has no such operator: sliding-word-count stands for it' },
  },
  {
    name: 'yahoo',
    asks: 'The Yahoo benchmark: JSON.parse, views only, campaign of the ad, count by 10 s.',
    inputs: [{ kind: 'ads', seed: 0 }],
    ...{ files: 8, records: 200_000, warmBatches: 8, legBatches: 4, rounds: 7 },
    flink: SAME,
  },
  {
    name: 'running-sum',
    asks: 'The running sum of each of 1 M keys: mapWithState.',
    inputs: [{ kind: 'events', seed: 0 }],
    ...{ files: 16, records: 200_000, warmBatches: 20, legBatches: 10, rounds: 5 },
    flink: SAME,
  },
  {
    name: 'windowed-join',
    asks: 'Two streams, each windowed over three batches, joined and counted.',
    inputs: [
      { kind: 'events', seed: 0 },
      { kind: 'events', seed: 1 },
    ],
    ...{ files: 4, records: 200_000, warmBatches: 4, legBatches: 2, rounds: 5 },
    flink: {
      kind: 'own',
      records: 50_000,
      why: 'files are read once, since its windows go by the time of the events',
    },
  },
]

/** The files of a workload's inputs. */
export function inputsOf(
  { inputs }: Workload,
  size: { readonly files: number; readonly records: number; readonly seed: number },
): InputFolder[] {
  return inputs.map(({ kind, seed }) => inputFiles({ ...size, kind, seed: size.seed + seed }))
}
