// How late the event loop of a main thread is beside what other threads do.

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Worker } from 'node:worker_threads'
import { takeReported } from '../pipelines/results.ts'
import { ASLEEP, AWAKE } from './busy-loop-state.ts'
import { type Driver, serve } from './child.ts'
import { type PipelineTask, runPipeline } from './running-pipeline.ts'

/** A pipeline that always has batches due, or two threads that spin, or nothing. */
export type EventLoopTask =
  | ({ readonly kind: 'pipeline' } & PipelineTask)
  | { readonly kind: 'busy-loops'; readonly threads: number }

/** Milliseconds for each batch of a leg: here it is a measure of time. */
const MS_A_BATCH = 100
const DUE_AT_ONCE = 4
const NANOSECONDS_A_MS = 1e6

/** Keeps the threads busy for so long. */
type Load = (ms: number) => Promise<void>

async function open(task: EventLoopTask): Promise<Driver> {
  const load = task.kind === 'pipeline' ? await pipelineLoad(task) : busyLoops(task.threads)
  const delay = monitorEventLoopDelay({ resolution: 1 })
  return {
    async leg(batches) {
      const ms = batches * MS_A_BATCH
      delay.reset()
      delay.enable()
      await load(ms)
      // A loop that was held all the time has not measured anything yet.
      await new Promise((resolve) => setTimeout(resolve, 1))
      delay.disable()
      const at = (percent: number) => delay.percentile(percent) / NANOSECONDS_A_MS
      const figures = { p50: at(50), p99: at(99), worst: delay.max / NANOSECONDS_A_MS }
      return { ms, checks: [], figures }
    },
    finish: () => Promise.resolve({}),
  }
}

async function pipelineLoad(task: PipelineTask): Promise<Load> {
  const pipeline = await runPipeline(task)
  return async (ms) => {
    const startedAt = performance.now()
    while (performance.now() - startedAt < ms) await pipeline.run(DUE_AT_ONCE)
    takeReported()
  }
}

function busyLoops(threads: number): Load {
  const shared = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)
  const state = new Int32Array(shared)
  for (let i = 0; i < threads; i++) {
    new Worker(new URL('busy-loop.ts', import.meta.url), { workerData: shared })
  }
  return async (ms) => {
    Atomics.store(state, 0, AWAKE)
    Atomics.notify(state, 0)
    await new Promise((resolve) => setTimeout(resolve, ms))
    Atomics.store(state, 0, ASLEEP)
  }
}

await serve(open)
