// A checkpoint with many keys, as a pipeline leaves it, and what a restart makes of it.

import { rm } from 'node:fs/promises'
import { start } from 'millrace'
import { ManualClock, quietLogger } from 'millrace/testing'
import { LocalStore } from '../../src/checkpoint/local-store.ts'
import { BatchLog } from '../../src/checkpoint/log.ts'
import { systemClock } from '../../src/clock.ts'
import { StreamGraph } from '../../src/dstream/graph.ts'
import { statefulOperators } from '../../src/dstream/operator-ids.ts'
import { committedOf } from '../../src/scheduler/execution.ts'
import { BatchGraph } from '../../src/state/batch-graph.ts'
import { StreamingContext } from '../../src/streaming-context.ts'
import manyKeys, { type ManyKeysArgs } from '../pipelines/many-keys.ts'
import { benchOptions } from '../pipelines/results.ts'

const MODULE = new URL('../pipelines/many-keys.ts', import.meta.url)
const CACHE_BYTES_MAX = 2 ** 20
/** More than any snapshot has: it is written at once. */
const UNBOUNDED = 2 ** 40

/** Runs the batches that bring each key once, until a snapshot of them is written. */
export async function writeCheckpoint(dir: string, args: ManyKeysArgs): Promise<void> {
  await rm(dir, { recursive: true, force: true })
  const clock = new ManualClock()
  const overrides = {
    checkpoint: dir,
    snapshotEvery: args.loadBatches,
    snapshotBytesPerSecond: UNBOUNDED,
  }
  const run = await start(MODULE, { workers: 0, args, overrides, clock, logger: quietLogger })
  const written = new Promise<void>((resolve, reject) => {
    run.on('snapshot-written', () => resolve())
    run.done.catch(reject)
  })
  clock.advance(args.loadBatches * benchOptions.batchInterval)
  await written
  await run.stop({ graceful: false })
}

/** Takes the checkpoint over and restores its state. */
export async function recover(dir: string, args: ManyKeysArgs): Promise<BatchGraph> {
  const graph = new StreamGraph(benchOptions.batchInterval)
  manyKeys.build(new StreamingContext(graph), args)
  graph.start()
  const { log, recovered } = await BatchLog.open({
    store: new LocalStore(dir),
    pipeline: manyKeys.name,
    batchIntervalMs: benchOptions.batchInterval,
    planHash: 'bench',
    sources: graph.sources.map(({ source: { name, replayable } }) => ({ name, replayable })),
    outputs: [],
    stateful: statefulOperators(graph).map(({ description }) => description),
    zeroTime: () => 0,
    takeover: 'force',
    clock: systemClock,
    logger: quietLogger,
  })
  const state = new BatchGraph(graph, recovered.zeroTime, CACHE_BYTES_MAX)
  const { snapshot, changes } = committedOf(recovered)
  for (const file of snapshot) state.restore(file)
  for (const entry of changes) state.apply(entry)
  await log.close()
  return state
}
