// How any thread makes the graph of a pipeline: it imports the module and builds. No closure is
// ever sent.

import { StreamGraph } from './dstream/graph.ts'
import { importPipeline } from './import-pipeline.ts'
import { console } from './sinks/console.ts'
import { savedFiles } from './sinks/saved-files.ts'
import { StreamingContext } from './streaming-context.ts'
import type { OwnSinks } from './workers/output-sinks.ts'

/** The sinks of `print` and `saveAs…Files`, in whichever thread. */
export const sinks: OwnSinks = { print: (count) => console({ count }), save: savedFiles }

/** Which pipeline a thread builds, and with what. */
export interface PipelineInput {
  readonly url: string
  readonly export: string
  readonly args: unknown
  readonly batchIntervalMs: number
}

/** Builds the graph of a pipeline's module. */
export default async function buildPipelineGraph(input: PipelineInput): Promise<StreamGraph> {
  const { build } = await importPipeline<unknown>(new URL(input.url), input.export)
  const graph = new StreamGraph(input.batchIntervalMs)
  build(new StreamingContext(graph), input.args)
  graph.start()
  return graph
}
