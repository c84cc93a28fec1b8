// A pipeline of bench/pipelines/ on a clock that is moved by hand.

import { type StartModuleOptions, start } from 'millrace'
import { ManualClock, quietLogger } from 'millrace/testing'
import { benchOptions } from '../pipelines/results.ts'

/** Which pipeline runs, and how. */
export interface PipelineTask {
  /** The name of its module in bench/pipelines/, without the ending. */
  readonly pipeline: string
  readonly args: unknown
  /** 0: inline, in the main thread. */
  readonly workers: number
  /** The folder of a LocalStore; without one, there is no checkpoint. */
  readonly store?: string | undefined
  /** Batches that the store has already. @default 0 */
  readonly from?: number
  /** Other options of the pipeline. */
  readonly overrides?: Readonly<Record<string, number>>
  /** Other options of start(), which a version may not know. */
  readonly options?: Readonly<Record<string, number>>
}

/** A pipeline that runs batches when it is told. */
export interface RunningPipeline {
  /** Makes so many batches due, so that they run back to back; gives the time from then to the end
   * of the last. */
  run(batches: number): Promise<number>
  stop(): Promise<void>
}

/** Starts a pipeline. Rejects with what the engine rejects with. */
export async function runPipeline(task: PipelineTask): Promise<RunningPipeline> {
  const clock = new ManualClock((task.from ?? 0) * benchOptions.batchInterval)
  const options: StartModuleOptions<unknown> = {
    ...task.options,
    // As without a clock of one's own.
    ioThread: true,
    workers: task.workers,
    args: task.args,
    overrides: { ...task.overrides, checkpoint: task.store ?? false },
    clock,
    logger: quietLogger,
  }
  const module = new URL(`../pipelines/${task.pipeline}.ts`, import.meta.url)
  const run = await start(module, options)
  let left = 0
  let completed: () => void = () => undefined
  let failed: (error: unknown) => void = () => undefined
  run.on('batch-completed', () => {
    left -= 1
    if (left === 0) completed()
  })
  run.done.catch((error: unknown) => failed(error))
  return {
    async run(batches) {
      left = batches
      const done = new Promise<void>((resolve, reject) => {
        completed = resolve
        failed = reject
      })
      const startedAt = performance.now()
      clock.advance(batches * benchOptions.batchInterval)
      await done
      const ms = performance.now() - startedAt
      // The scheduler sets its next timer.
      await new Promise((resolve) => setImmediate(resolve))
      return ms
    },
    stop: () => run.stop(),
  }
}
