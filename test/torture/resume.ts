// What must hold after a medium has refused: the run stopped with a code or went on, the next start
// redoes one batch at most, and nothing is lost or doubled.

import { codeOf } from '../../src/errors.ts'
import type { CheckpointDisk } from './checkpoint-disk.ts'
import type { Life } from './lives.ts'

type How = Omit<Parameters<CheckpointDisk['live']>[0], 'from' | 'to'>

/** Starts again and checks what came of all. `how`: what the next start meets.
 * @default a medium that works */
export async function resume(
  checkpoint: CheckpointDisk,
  first: Life,
  how: How = {},
): Promise<string> {
  checkStop(first)
  const second = await checkpoint.live({ ...how, from: first.last, to: first.last + 2 })
  if (second.error !== undefined) throw second.error
  const third = await checkpoint.live({ from: second.last, to: second.last + 1 })
  if (third.error !== undefined) throw third.error
  const recovered = second.recovered ?? 0
  if (recovered < first.last - 1 || second.redone.length > 1) {
    throw new Error(
      `Batch ${first.last} had completed; the next start may redo one batch, got ` +
        `batch ${recovered} and ${second.redone.length} to redo`,
    )
  }
  await checkpoint.check()
  return first.error === undefined ? 'went on' : `stopped with ${codeOf(first.error)}`
}

const CLEAN = new Set(['CHECKPOINT_UNWRITABLE', 'SINK_FAILED', 'CONFIG_INVALID'])

/** A stop says what happened in a code of the library. */
function checkStop({ error }: Life): void {
  if (error === undefined || CLEAN.has(codeOf(error) ?? '')) return
  throw new Error('The run must stop with a code of the library', { cause: error })
}
