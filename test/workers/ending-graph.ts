// The graph of a run whose receiver ends its thread when it is opened.

import { StreamGraph } from '../../src/dstream/graph.ts'
import { sinks } from '../../src/pipeline-graph.ts'
import { StreamingContext } from '../../src/streaming-context.ts'

export { sinks }

export default function build(): Promise<StreamGraph> {
  const graph = new StreamGraph(1_000)
  const source = { name: 'ending', replayable: false, open: () => process.exit(4) }
  new StreamingContext(graph).receive(source).foreachBatch(() => undefined)
  graph.start()
  return Promise.resolve(graph)
}
