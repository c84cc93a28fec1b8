// How long streams keep their batches, and how often state is written: what `remember` and
// `checkpoint` of a graph come to.

import { reachable, type StreamGraph, type StreamNode } from './graph.ts'

/** How long each stream keeps its batches, in milliseconds, by the id of its node: as long as
 * `remember` says, and a parent of a window longer by the window. Empty without `remember`. */
export function rememberDurations(graph: StreamGraph): ReadonlyMap<number, number> {
  const durations = new Map<number, number>()
  const { rememberMs } = graph
  if (rememberMs === undefined) return durations
  const raise = (node: StreamNode, ms: number): void => {
    durations.set(node.id, Math.max(durations.get(node.id) ?? 0, ms))
  }
  for (const { node } of graph.outputs) raise(node, rememberMs)
  for (const node of reachable(graph).reverse()) {
    const ofParents = (durations.get(node.id) ?? rememberMs) + windowLengthMs(node)
    for (const parent of node.parents) raise(parent, ofParents)
  }
  return durations
}

function windowLengthMs(node: StreamNode): number {
  return node.kind === 'window' || node.kind === 'reducedWindow' ? node.lengthMs : 0
}

/** The smallest checkpoint interval of the graph's streams, in batches; undefined if none is
 * set. */
export function checkpointEvery(graph: StreamGraph): number | undefined {
  const intervals = reachable(graph).flatMap(({ options }) => options.checkpointMs ?? [])
  if (intervals.length === 0) return undefined
  return Math.max(1, Math.floor(Math.min(...intervals) / graph.batchIntervalMs))
}
