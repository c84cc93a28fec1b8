// What a graph is made of, as text: a line for each stream and output. Two graphs of the same code
// have the same lines.

import { crc32 } from 'node:zlib'
import { type BatchNode, leaf } from '../batch/node.ts'
import type { StreamGraph, StreamNode } from './graph.ts'

/** Names, kinds, times and parents: what a checkpoint's plans record. */
export function graphShape(graph: StreamGraph): string[] {
  const nodes = graph.nodes.map(({ id, kind, name, slideMs, parents }) => {
    const from = parents.map((parent) => parent.id).join('+')
    return `${id} ${name} (${kind}) of [${from}], every ${slideMs} ms`
  })
  return [...nodes, ...graph.outputs.map(({ kind, node }) => `${kind} of ${node.id}`)]
}

/** As `graphShape`, with a checksum of the text of each stream's closures: what the threads of one
 * run must agree on. */
export function graphCode(graph: StreamGraph): string[] {
  const shape = graphShape(graph)
  return shape.map((line, i) => {
    const node = graph.nodes[i]
    const texts = node === undefined ? [] : closureTexts(node)
    return texts.length === 0 ? line : `${line}, closures ${crc32(texts.join('\n')).toString(16)}`
  })
}

function closureTexts(node: StreamNode): string[] {
  if (node.kind !== 'lifted') return functionTexts(node)
  // A recipe only makes nodes: those of this one tell the closures.
  return nodeTexts(node.recipe(node.parents.map(() => leaf([]))))
}

function nodeTexts({ op, parents }: BatchNode): string[] {
  return [...parents.flatMap(nodeTexts), ...functionTexts(op)]
}

function functionTexts(holder: object): string[] {
  return Object.values(holder).flatMap((value: unknown) =>
    typeof value === 'function' ? [Function.prototype.toString.call(value)] : [],
  )
}
