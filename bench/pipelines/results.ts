// How the output of a pipeline reaches the process that runs it: foreachBatch runs in the thread
// that called start(), and with it in that thread's copy of this module.

import type { Batch, DStream } from 'millrace'
import { type Check, checkRow, EMPTY, plus, showCheck } from '../check.ts'
import type { BatchFiles } from './batch-files.ts'

/** What start() hands to the pipeline of a workload. */
export interface WorkloadArgs {
  /** The folder of each stream. */
  readonly inputs: readonly BatchFiles[]
}

const INTERVAL_MS = 1_000
const reported: string[] = []

/** How all pipelines of the bench run, where the process that times them does not say otherwise; it
 * also moves the clock. */
export const benchOptions = { batchInterval: INTERVAL_MS, checkpoint: false } as const

/** The folder of a stream. */
export function inputOf({ inputs }: WorkloadArgs, index = 0): BatchFiles {
  const input = inputs[index]
  if (input === undefined) throw new RangeError(`The workload has no input ${index}`)
  return input
}

/** Reports the sum of the checks of the partitions, for each batch. */
export function reportChecks(checks: DStream<Check>): void {
  checks.foreachBatch(async (batch) => report((await batch.collect()).reduce(plus, EMPTY)))
}

/** Reports one row for each batch. */
export function reportRow<T>(stream: DStream<T>, row: (batch: Batch<T>) => Promise<string>): void {
  stream.foreachBatch(async (batch) => report(checkRow(await row(batch))))
}

/** Reports the result of a batch. */
export function report(check: Check): void {
  reported.push(showCheck(check))
}

/** Takes what was reported since the last call, one text a batch. */
export function takeReported(): string[] {
  return reported.splice(0)
}
