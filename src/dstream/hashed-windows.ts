// Windows whose pairs are only read by key. Their panes are brought to the partitions of their keys
// when they come, once, and not again in each batch that reads the window.

import { type BatchNode, leaf } from '../batch/node.ts'
import { reachable, type StreamGraph, type StreamNode } from './graph.ts'

/** The windows that are read by cogroup and joins alone, all with the same number of partitions,
 * which is given. */
export function hashedWindows(graph: StreamGraph): ReadonlyMap<StreamNode, number> {
  const nodes = reachable(graph)
  const hashed = new Map<StreamNode, number>()
  for (const node of nodes) {
    if (node.kind !== 'window' || node.options.persisted) continue
    const readers = nodes.filter(({ parents }) => parents.includes(node))
    const outputs = graph.outputs.filter((output) => output.node === node)
    const asked = new Set([
      ...readers.flatMap((reader) => partitionsAsked(reader, node)),
      ...outputs.map(() => undefined),
    ])
    const [partitions] = asked
    if (asked.size === 1 && partitions !== undefined) hashed.set(node, partitions)
  }
  return hashed
}

/** In how many partitions by key a stream reads its parent, each time that it does; undefined: it
 * reads the records as they are. */
function partitionsAsked(reader: StreamNode, parent: StreamNode): (number | undefined)[] {
  if (reader.kind !== 'lifted') return [undefined]
  const leaves = reader.parents.map(() => leaf([]))
  const made = reader.recipe(leaves)
  return leaves.flatMap((read, i) =>
    reader.parents[i] === parent ? readersOf(read, made).map(partitionsOf) : [],
  )
}

function readersOf(read: BatchNode, node: BatchNode): BatchNode[] {
  if (node === read) return [node]
  const above = node.parents.filter((parent) => parent !== read)
  const own = above.length < node.parents.length ? [node] : []
  return [...own, ...above.flatMap((parent) => readersOf(read, parent))]
}

function partitionsOf({ op }: BatchNode): number | undefined {
  return op.kind === 'cogroup' ? op.partitions : undefined
}
