// The graph of a run with state: how often each key has come.

import { StreamGraph } from '../../src/dstream/graph.ts'
import { sinks } from '../../src/pipeline-graph.ts'
import { StreamingContext } from '../../src/streaming-context.ts'

export { sinks }

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']

/** All keys come in each of two batches. */
export function keyedGraph(): StreamGraph {
  const graph = new StreamGraph(1_000)
  const pairs = KEYS.map((key): [string, number] => [key, 1])
  new StreamingContext(graph)
    .queue([pairs, pairs])
    .updateStateByKey((ones: number[], sum: number | undefined) => (sum ?? 0) + ones.length)
    .foreachBatch(() => undefined)
  graph.start()
  return graph
}

export default function build(): Promise<StreamGraph> {
  return Promise.resolve(keyedGraph())
}
