// Every crash point: the process dies before and after each call that changes the disk, the bucket
// or the database, in the checkpoint and in the sinks; starts again, dies once more at a call of
// the restart, and starts again. What is there at the end is compared with what was written.

import { present } from '../../src/assert.ts'
import { type PostgresServer, startPostgres } from '../integration/postgres-server.ts'
import { CheckpointDisk, type CheckpointKind } from './checkpoint-disk.ts'
import { pickFrom } from './picks.ts'
import { PostgresOutputs } from './postgres-outputs.ts'
import type { Fate, Step } from './stepped-world.ts'
import type { Suite, Torture } from './torture.ts'
import { SQL } from './watched-postgres.ts'
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

/** Where the checkpoint lies, and the outputs: in files, or with a checkpoint on disk in tables. */
type Medium = CheckpointKind | 'postgres'

/** In CI one point of so many, where the outputs are tables; an odd number, so that deaths before
 * and after a call are among them. */
const SHARE_IN_CI = 19

export const crashPoints: Torture = {
  name: 'crash-points',
  what: 'dies before and after each call that changes something, and once more in the restart',
  stores: ['local', 's3', 'postgres'],
  counts: { ci: Number.POSITIVE_INFINITY, once: Number.POSITIVE_INFINITY },
  async open(store, where): Promise<Suite> {
    const medium = store as Medium
    const server = medium === 'postgres' ? await startPostgres() : undefined
    const placeOf = (name: WrittenName) => place(name, medium, server)
    const all: Point[] = []
    for (const name of Object.keys(WRITTEN) as WrittenName[]) {
      all.push(...(await pointsOf(name, await placeOf(name), medium)))
    }
    const every = medium === 'postgres' && where === 'ci' ? SHARE_IN_CI : 1
    const points = all.filter((_, i) => i % every === 0)
    return {
      cases: points.length,
      run: async (seed) => {
        const point = points[seed - 1] as Point
        return dieAt(point, seed, await placeOf(point.name))
      },
      close: async () => server?.close(),
    }
  },
}

/** A checkpoint with its outputs. */
interface Placed {
  readonly disk: CheckpointDisk
  readonly tables?: PostgresOutputs
}

let schemas = 0

async function place(
  name: WrittenName,
  medium: Medium,
  server: PostgresServer | undefined,
): Promise<Placed> {
  if (medium !== 'postgres') return { disk: new CheckpointDisk(name, input, { kind: medium }) }
  schemas += 1
  const outputs = outputsOf(name)
  const tables = await PostgresOutputs.open(present(server, 'a server'), `c${schemas}`, outputs)
  return { disk: new CheckpointDisk(name, input, { outputs: tables }), tables }
}

function outputsOf(name: WrittenName): readonly string[] {
  return [...WRITTEN[name].sides, ...WRITTEN[name].outputs]
}

/** Before and after each call of a life without a death: each statement where outputs are tables,
 * since the calls to the disk are the same as with files. */
async function pointsOf(name: WrittenName, { disk }: Placed, medium: Medium): Promise<Point[]> {
  try {
    const { calls, error } = await disk.live(whole)
    if (error !== undefined) throw error
    return calls.flatMap((call, i): Point[] => {
      if (medium === 'postgres' && !call.startsWith(SQL)) return []
      const at = { name, n: i + 1 }
      return [
        { ...at, when: 'before' },
        { ...at, when: 'after' },
      ]
    })
  } finally {
    await disk.remove()
  }
}

async function dieAt(
  { name, n, when }: Point,
  seed: number,
  { disk, tables }: Placed,
): Promise<string> {
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
    await disk.check()
    await tables?.checkRest(outputsOf(name))
    return first.died && second.died ? 'died twice' : 'died once'
  } catch (cause) {
    throw new Error(`pipeline "${name}"${dying}`, { cause })
  } finally {
    await disk.remove()
  }
}

/** About as many as a restart takes that redoes one batch. */
const RESTART_STEPS = 40
