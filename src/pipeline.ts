import { ConfigError } from './errors.ts'
import { type PipelineOptions, settingsOf } from './scheduler/options.ts'
import type { StreamingContext } from './streaming-context.ts'

/** A described pipeline. `start()` runs it; nothing happens before. */
export interface Pipeline<A> {
  /** The checkpoint's owner: another pipeline is refused there. */
  readonly name: string
  /** How it runs, unless `start` overrides it. */
  readonly options: PipelineOptions
  /** Declares streams and outputs; `start` calls it once. */
  readonly build: (ssc: StreamingContext, args: A) => void
}

/** Describes a pipeline: its name, how it runs, and the function that builds its graph. No I/O.
 *
 * `name` is part of the checkpoint: another pipeline is refused there. `build` gets the context and
 * the `args` of `start()`. Throws ConfigError for options that cannot work.
 *
 * @example
 * ```ts
 * const counts: number[] = []
 * const described = pipeline('counts', { batchInterval: '10ms', checkpoint: false }, (ssc) => {
 *   ssc.queue([[1, 2], [3]]).count().foreachBatch(async (batch) => {
 *     counts.push(await batch.first())
 *   })
 * })
 * await (await start(described, { until: 'caught-up' })).done
 * assert.deepEqual(counts.slice(0, 2), [2, 1])
 * ```
 */
export function pipeline<A = undefined>(
  name: string,
  options: PipelineOptions,
  build: (ssc: StreamingContext, args: A) => void,
): Pipeline<A> {
  if (typeof name !== 'string' || name === '') {
    throw new ConfigError(
      `Cannot describe a pipeline named ${JSON.stringify(name)}: give it a name`,
    )
  }
  settingsOf(name, options)
  return Object.freeze({ name, options, build })
}
