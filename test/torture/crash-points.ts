// Every crash point: the process dies before and after each call that changes the disk or the
// bucket, in the checkpoint and in the sinks; starts again, dies once more at a call of the
// restart, and starts again. What is on the disk at the end is compared with what was written.

import { CheckpointDisk, type CheckpointKind } from './checkpoint-disk.ts'
import { pickFrom } from './picks.ts'
import type { Fate, Step } from './stepped-world.ts'
import type { Suite, Torture } from './torture.ts'
import { writtenInput } from './written-input.ts'
import { WRITTEN, type WrittenName } from './written-pipelines.ts'

const BATCHES = 3
const RECORDS = 7
const SNAPSHOT_EVERY = 1
const input = writtenInput(BATCHES, RECORDS)
const whole = { to: BATCHES, snapshotEvery: SNAPSHOT_EVERY }

interface Point {
  readonly name: WrittenName
  /** Counts from 1. */
  readonly n: number
  readonly when: 'before' | 'after'
}

export const crashPoints: Torture = {
  name: 'crash-points',
  what: 'dies before and after each call that changes something, and once more in the restart',
  stores: ['local', 's3'],
  counts: { ci: Number.POSITIVE_INFINITY, once: Number.POSITIVE_INFINITY },
  async open(store): Promise<Suite> {
    const kind = store as CheckpointKind
    const points: Point[] = []
    for (const name of Object.keys(WRITTEN) as WrittenName[]) {
      const calls = await callsOf(name, kind)
      for (const [i] of calls.entries()) {
        points.push({ name, n: i + 1, when: 'before' }, { name, n: i + 1, when: 'after' })
      }
    }
    return {
      cases: points.length,
      run: (seed) => dieAt(points[seed - 1] as Point, seed, kind),
      close: () => Promise.resolve(),
    }
  },
}

/** The calls of a life without a death. */
async function callsOf(name: WrittenName, kind: CheckpointKind): Promise<readonly string[]> {
  const disk = new CheckpointDisk(name, input, kind)
  try {
    const { calls, error } = await disk.live(whole)
    if (error !== undefined) throw error
    return calls
  } finally {
    disk.remove()
  }
}

async function dieAt(
  { name, n, when }: Point,
  seed: number,
  kind: CheckpointKind,
): Promise<string> {
  const disk = new CheckpointDisk(name, input, kind)
  const pick = pickFrom(seed)
  let dying = ''
  const dies =
    (at: number, how: 'before' | 'after') =>
    (step: Step): Fate => {
      if (step.n !== at) return { kind: 'goes on' }
      dying += `, dead ${how} ${step.call} (${step.n})`
      return { kind: 'stops', when: how }
    }
  try {
    const first = await disk.live(whole, dies(n, when))
    if (first.error !== undefined) throw first.error
    const again = dies(1 + pick(RESTART_STEPS), pick(2) === 0 ? 'before' : 'after')
    const second = await disk.live({ ...whole, from: first.last }, again)
    if (second.error !== undefined) throw second.error
    const from = Math.max(first.last, second.last)
    const third = await disk.live({ snapshotEvery: SNAPSHOT_EVERY, to: from + 2, from })
    if (third.error !== undefined) throw third.error
    disk.check()
    return first.died && second.died ? 'died twice' : 'died once'
  } catch (cause) {
    throw new Error(`pipeline "${name}"${dying}`, { cause })
  } finally {
    disk.remove()
  }
}

/** About as many as a restart takes that redoes one batch. */
const RESTART_STEPS = 40
