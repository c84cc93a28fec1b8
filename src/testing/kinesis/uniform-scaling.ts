// UpdateShardCount: the splits and merges that turn the open shards of a stream into so many of the
// same size. The service does the same: intermediate shards live for a moment only.

import { evenStarts } from './hash-key.ts'

/** One step: a shard is split so that a new one starts at `startHash`, or the shard that starts
 * there is merged with the one before it. */
export interface ScalingStep {
  readonly kind: 'split' | 'merge'
  readonly startHash: bigint
}

/** Gives the steps from shards that start at `starts`, in their order, to `target` even ones. */
export function uniformSteps(starts: readonly bigint[], target: number): ScalingStep[] {
  const wanted = evenStarts(target).map((start) => snap(start, starts, BigInt(target)))
  const splits = wanted.filter((start) => !starts.includes(start))
  const merges = starts.filter((start) => !wanted.includes(start))
  return [
    ...splits.map((startHash) => ({ kind: 'split' as const, startHash })),
    ...merges.map((startHash) => ({ kind: 'merge' as const, startHash })),
  ]
}

// The ranges of 3 and of 6 shards differ by rounding: a difference so small is none.
function snap(start: bigint, starts: readonly bigint[], target: bigint): bigint {
  const tolerance = target * 4n
  return starts.find((one) => absolute(one - start) <= tolerance) ?? start
}

function absolute(value: bigint): bigint {
  return value < 0n ? -value : value
}
