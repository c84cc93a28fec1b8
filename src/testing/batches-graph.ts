// How any thread makes the graph of `runBatches` on workers.

import type { DStream } from '../dstream/dstream.ts'
import { StreamGraph } from '../dstream/graph.ts'
import { ConfigError } from '../errors.ts'
import { sinks } from '../pipeline-graph.ts'
import { StreamingContext } from '../streaming-context.ts'
import { CollectingSink } from './collecting-sink.ts'
import { scriptedSource } from './scripted-source.ts'

export { sinks }

// biome-ignore lint/suspicious/noExplicitAny: the streams of a test have the types it says
type AnyStream = DStream<any>

/** The pipeline of a module; its export has the shape (ssc, args, ...streams) => DStream. */
export interface BuildModule {
  /** Where the module is. */
  readonly module: URL
  /** Name of the export. @default 'default' */
  readonly export?: string
}

/** Which module a thread builds from, and with what. */
export interface BatchesInput {
  readonly module: string
  readonly export: string
  readonly args: unknown
  readonly batchIntervalMs: number
  readonly inputs: number
}

/** Imports the function of a build module. */
export async function importBuild(
  module: string,
  name: string,
): Promise<(...values: unknown[]) => AnyStream> {
  const exports = (await import(module)) as Record<string, unknown>
  const made = exports[name]
  if (typeof made === 'function') return made as (...values: unknown[]) => AnyStream
  throw new ConfigError(`Cannot run "${module}": its export "${name}" is no function`)
}

/** Builds the graph of a build module. The records come from the driver. */
export default async function buildBatchesGraph(input: BatchesInput): Promise<StreamGraph> {
  const build = await importBuild(input.module, input.export)
  const graph = new StreamGraph(input.batchIntervalMs)
  const ssc = new StreamingContext(graph)
  const nowhere = { batchId: 0 }
  const streams = Array.from({ length: input.inputs }, (_, i) =>
    ssc.receive(scriptedSource(`input-${i}`, [], 0, nowhere)),
  )
  build(ssc, input.args, ...streams).writeTo(new CollectingSink())
  graph.start()
  return graph
}
