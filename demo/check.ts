// Checks the engine's output against the producer's record.
//
// First: for every word, how often it was sent (the record) = how often it was counted (its last
// total). Second: every window = total(t) − total(t − 30 s) for every word, so that two outputs
// that the engine computes in different ways hold each other to account, batch by batch; a window
// that is not there is an empty one. On the way every file is held against its manifest.

import type { DemoFolder } from './demo-folder.ts'
import { batchIds, batchPath, type OutputBatch, readBatch } from './output-files.ts'
import { Problems } from './problems.ts'
import { sentTotals } from './sent-record.ts'
import { WindowCheck } from './window-check.ts'

/** What the check found. */
export interface CheckReport {
  readonly recordsSent: number
  readonly wordsSent: number
  readonly wordsCounted: number
  readonly distinctWords: number
  /** Batches that have totals. */
  readonly batches: number
  /** Windows compared, empty ones included. */
  readonly windows: number
  /** Stretches of time in which the demo was stopped for so long that no windows were due. */
  readonly pauses: number
  readonly parts: number
  readonly files: Problems
  readonly totalsDiffer: Problems
  readonly windowsDiffer: Problems
}

/** True if nothing is wrong. */
export function passed(report: CheckReport): boolean {
  return report.files.count + report.totalsDiffer.count + report.windowsDiffer.count === 0
}

/** Checks everything since the folder was made. */
export async function check(folder: DemoFolder): Promise<CheckReport> {
  const sent = await sentTotals(folder.sent)
  const output = await readOutputs(folder)
  const { totals, windows, pauses, problems } = output.windowCheck
  return {
    recordsSent: sent.records,
    wordsSent: sent.words,
    wordsCounted: sum(totals.values()),
    distinctWords: totals.size,
    batches: output.batches,
    windows,
    pauses,
    parts: output.parts,
    files: output.files,
    totalsDiffer: compareTotals(sent.counts, totals),
    windowsDiffer: problems,
  }
}

/** Reads both outputs in order of batch ids, a batch at a time, so that memory does not grow
 * with them. */
async function readOutputs(folder: DemoFolder) {
  const totalsIds = new Set(await batchIds(folder.totals))
  const windowIds = new Set(await batchIds(folder.window))
  const windowCheck = new WindowCheck()
  const files = new Problems()
  let parts = 0
  for (const batchId of [...new Set([...totalsIds, ...windowIds])].sort((a, b) => a - b)) {
    const totals = totalsIds.has(batchId) ? await read(folder.totals, batchId, files) : undefined
    const window = windowIds.has(batchId) ? await read(folder.window, batchId, files) : undefined
    const time = timeOf(totals, window, files)
    if (time !== undefined) windowCheck.take(batchId, time, totals?.counts, window?.counts)
    parts += (totals?.parts ?? 0) + (window?.parts ?? 0)
  }
  return { windowCheck, files, parts, batches: totalsIds.size }
}

async function read(folder: string, batchId: number, problems: Problems) {
  try {
    const batch = await readBatch(folder, batchId)
    problems.add(...batch.problems)
    return batch
  } catch (error) {
    problems.add(`${batchPath(folder, batchId)}: ${(error as Error).message}`)
    return undefined
  }
}

function timeOf(
  totals: OutputBatch | undefined,
  window: OutputBatch | undefined,
  problems: Problems,
): number | undefined {
  const time = totals?.time ?? window?.time
  if (totals !== undefined && window !== undefined && window.time !== time) {
    problems.add(`batch ${totals.batchId}: its totals are of ${time}, its window of ${window.time}`)
  }
  return time
}

function compareTotals(
  sent: ReadonlyMap<string, number>,
  counted: ReadonlyMap<string, number>,
): Problems {
  const problems = new Problems()
  for (const word of new Set([...sent.keys(), ...counted.keys()])) {
    const were = sent.get(word) ?? 0
    const are = counted.get(word) ?? 0
    if (were === are) continue
    const by = are > were ? `${are - were} too many` : `${were - are} missing`
    problems.add(`word "${word}": sent ${were} times, counted ${are} times (${by})`)
  }
  return problems
}

function sum(counts: Iterable<number>): number {
  let total = 0
  for (const count of counts) total += count
  return total
}
