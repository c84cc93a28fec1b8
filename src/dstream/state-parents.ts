// What stateful operators read: the pairs of a stream, brought to the partition that owns their
// key.

import { groupByKey, repartitionPairs } from '../batch/recipes.ts'
import type { StreamGraph, StreamNode } from './graph.ts'
import { liftNode, type StreamLike } from './stream-base.ts'

type Stream = StreamLike & { readonly graph: StreamGraph }

/** The values of each key of a batch, as [key, values]. */
export function groupedNode(stream: Stream, partitions: number, operator: string): StreamNode {
  const recipe = groupByKey(partitions, stream.graph.naming(operator))
  return liftNode(stream.graph, operator, recipe, [stream.node])
}

/** The pairs of a batch in order of arrival, each in the partition of its key. */
export function partitionedNode(stream: Stream, partitions: number, operator: string): StreamNode {
  const recipe = repartitionPairs(partitions, stream.graph.naming(operator))
  return liftNode(stream.graph, operator, recipe, [stream.node])
}
