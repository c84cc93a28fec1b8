// What a commit costs by the number of keys in the state, where each batch changes as many keys;
// and how long the slices of a snapshot hold up the thread that has the state.

import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type RunningPipeline, runPipeline } from '../contestants/running-pipeline.ts'
import {
  type Answer,
  type BenchOptions,
  interleave,
  median,
  type Question,
  quantile,
  type Row,
  verdict,
} from '../harness.ts'
import type { ManyKeysArgs } from '../pipelines/many-keys.ts'
import { recover, writeCheckpoint } from './checkpoint.ts'

/** Keys of the state for each key that a batch changes. */
const KEYS_A_CHANGE = [10, 100, 1_000, 5_000]
const LOAD_BATCHES = 20
const LEG = 10
/** No snapshot falls into what is timed. */
const NEVER = 1_000_000
const TIME_RATIO_MAX = 2
const BYTES_RATIO_MAX = 1.3

interface Side {
  readonly keys: number
  readonly store: string
  readonly pipeline: RunningPipeline
  readonly slices: Row
}

async function answer(options: BenchOptions): Promise<Answer> {
  const dir = await mkdtemp(join(tmpdir(), 'millrace-commit-cost-'))
  try {
    return await measure(options, dir)
  } finally {
    await rm(dir, { recursive: true })
  }
}

async function measure(options: BenchOptions, dir: string): Promise<Answer> {
  const sides: Side[] = []
  for (const factor of KEYS_A_CHANGE) sides.push(await sideOf(options, factor, dir))
  const legs = sides.map((side) => legOf(side))
  const times = await interleave(
    options,
    1,
    legs.map(({ run }) => run),
  )
  for (const { pipeline } of sides) await pipeline.stop()
  const ms = times.map((all) => median(all) / LEG)
  const bytes = legs.map((leg) => median(leg.bytes) / LEG)
  const last = sides.length - 1
  const ratioOf = (figures: readonly number[]) => (figures[last] ?? 0) / (figures[0] ?? 0)
  const most = `${sides[last]?.keys} : ${sides[0]?.keys} keys`
  return {
    rows: sides.map(({ keys, slices }, i) => ({
      keys,
      'p50 ms a batch': (ms[i] ?? 0).toFixed(2),
      'KiB of the log a batch': ((bytes[i] ?? 0) / 1024).toFixed(1),
      ...slices,
    })),
    notes: [
      verdict(`time of a batch, ${most}`, ratioOf(ms), { atMost: TIME_RATIO_MAX }),
      verdict(`bytes of a batch, ${most}`, ratioOf(bytes), { atMost: BYTES_RATIO_MAX }),
    ],
  }
}

async function sideOf({ records, seed }: BenchOptions, factor: number, dir: string): Promise<Side> {
  const keys = records * factor
  const args: ManyKeysArgs = { keys, loadBatches: LOAD_BATCHES, records, seed }
  const store = join(dir, String(keys))
  await writeCheckpoint(store, args)
  const slices = await slicesOf(store, args)
  const overrides = { snapshotEvery: NEVER }
  const from = LOAD_BATCHES
  const task = { pipeline: 'many-keys', args, workers: 0, store, from, overrides }
  return { keys, store, pipeline: await runPipeline(task), slices }
}

/** Freezes a state and takes all of its slices, timed one by one. */
async function slicesOf(store: string, args: ManyKeysArgs): Promise<Row> {
  const graph = await recover(store, args)
  collectGarbage()
  const startedAt = performance.now()
  const frozen = graph.freeze()
  const freezeMs = performance.now() - startedAt
  const times: number[] = []
  let bytes = 0
  for (let ended = false; !ended; ) {
    const before = performance.now()
    const { entry, last } = frozen.next()
    times.push(performance.now() - before)
    bytes += entry.length
    ended = last
  }
  return {
    'MiB of a snapshot': (bytes / 2 ** 20).toFixed(1),
    'ms to freeze': freezeMs.toFixed(2),
    slices: times.length,
    'p50 ms a slice': median(times).toFixed(2),
    p99: quantile(times, 0.99).toFixed(2),
    worst: Math.max(...times).toFixed(2),
  }
}

/** What the restart left behind is not part of a slice. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
}

function legOf({ store, pipeline }: Side): { run: () => Promise<void>; bytes: number[] } {
  const bytes: number[] = []
  const run = async (): Promise<void> => {
    const before = await bytesIn(store)
    await pipeline.run(LEG)
    bytes.push((await bytesIn(store)) - before)
  }
  return { run, bytes }
}

async function bytesIn(dir: string): Promise<number> {
  const slots = join(dir, 'slots')
  const sizes = (await readdir(slots)).map(async (name) => (await stat(join(slots, name))).size)
  return (await Promise.all(sizes)).reduce((a, b) => a + b, 0)
}

export const commitCost: Question = {
  asks:
    'What a batch that changes as many keys costs with 10 k to 5 M keys in the state (a folder,\n' +
    'inline), and how long the slices of a snapshot take; ten batches a leg, in turn.',
  defaults: { seed: 1, rounds: 15, records: 1_000 },
  answer,
}
