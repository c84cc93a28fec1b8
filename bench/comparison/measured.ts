// The figures of one workload: records a second of each contestant, round by round, and ratios
// within a round.

import { median, type Row } from '../harness.ts'

/** A contestant with its figures. */
export interface MeasuredSide {
  readonly name: string
  /** Records a second of each round; empty where it is left out. */
  readonly rates: readonly number[]
  /** Records for each second of processor, where the system tells. */
  readonly cpuRates: readonly number[]
  readonly leftOut: string | undefined
  /** Bytes that a batch adds to the checkpoint's folder. */
  readonly logBytes: number | undefined
}

/** A workload with its contestants. */
export interface Measured {
  readonly workload: string
  readonly sides: readonly MeasuredSide[]
}

/** The names of the contestants that others are compared with. */
export const HAND_1 = 'hand-written, 1 thread'
export const HAND_2 = 'hand-written, 2 threads'
export const SPARK = 'Spark DStream, local[2]'
export const FLINK = 'Flink, parallelism 2'

/** The name of a millrace contestant. */
export function engineName(workers: number, checkpoint: boolean): string {
  const threads = ['inline', '1 worker'][workers] ?? `${workers} workers`
  return `millrace ${threads}${checkpoint ? ', LocalStore' : ''}`
}

/** The ratio of the rates of two contestants in each round; empty where one has none. */
export function ratios({ sides }: Measured, name: string, to: string): number[] {
  const rates = (of: string) => sides.find((side) => side.name === of)?.rates ?? []
  const others = rates(to)
  return rates(name)
    .slice(0, others.length)
    .map((rate, round) => rate / (others[round] as number))
}

/** One row for each contestant with figures. */
export function measuredRows(measured: Measured): Row[] {
  const references = [HAND_1, SPARK, FLINK].filter((name) =>
    measured.sides.some((side) => side.name === name && side.rates.length > 0),
  )
  const shown = { [HAND_1]: ': hand 1', [SPARK]: ': Spark', [FLINK]: ': Flink' }
  return measured.sides.flatMap((side) => {
    if (side.rates.length === 0) return []
    const million = (rate: number) => (rate / 1e6).toPrecision(3)
    const row = {
      contestant: side.name,
      'p50 M/s': million(median(side.rates)),
      min: million(Math.min(...side.rates)),
      max: million(Math.max(...side.rates)),
      'M/cpu s': side.cpuRates.length === 0 ? '' : million(median(side.cpuRates)),
    }
    const columns = references.map((name) => [
      shown[name as keyof typeof shown],
      ratioText(ratios(measured, side.name, name)),
    ])
    const { logBytes } = side
    const bytes = logBytes === undefined ? {} : { 'log kB/batch': (logBytes / 1e3).toFixed(1) }
    return [{ ...row, ...Object.fromEntries(columns), ...bytes }]
  })
}

function ratioText(values: readonly number[]): string {
  return values.length === 0 ? '' : median(values).toPrecision(3)
}
