// The identity of state: the name that the user gave, else the kind of operator and the stateful
// operators on its path. A filter added upstream changes nothing; a second operator of the same
// kind on the same path gets an ordinal, in order of declaration.

import type { StreamGraph, StreamNode } from './graph.ts'
import { reachable } from './graph.ts'

type StatefulNode = Extract<
  StreamNode,
  { kind: 'window' | 'reducedWindow' | 'updateStateByKey' | 'mapWithState' }
>

/** True for operators that keep something from batch to batch. */
export function isStateful(node: StreamNode): node is StatefulNode {
  switch (node.kind) {
    case 'window':
    case 'reducedWindow':
    case 'updateStateByKey':
    case 'mapWithState':
      return true
    case 'source':
    case 'lifted':
    case 'transform':
    case 'stateSnapshots':
      return false
  }
}

/** A stateful operator with its identity and what a checkpoint must agree with. */
export interface StatefulOperator {
  readonly id: string
  readonly node: StatefulNode
  /** Identity and settings in one line, as recorded in the checkpoint. */
  readonly description: string
}

/** The stateful operators that the outputs need, parents first. */
export function statefulOperators(graph: StreamGraph): StatefulOperator[] {
  const paths = new Map<StreamNode, string>()
  const taken = new Map<string, number>()
  const operators: StatefulOperator[] = []
  for (const node of reachable(graph)) {
    const upstream = pathOf(node, paths)
    if (!isStateful(node)) {
      paths.set(node, upstream)
      continue
    }
    const id = node.options.givenId ?? ordinal(`${node.kind}(${upstream})`, taken)
    paths.set(node, id)
    operators.push({ id, node, description: `${id} ${settings(node)}` })
  }
  return operators
}

function pathOf(node: StreamNode, paths: ReadonlyMap<StreamNode, string>): string {
  if (node.kind === 'source') return node.options.givenId ?? `source-${node.sourceId}`
  return [...new Set(node.parents.map((parent) => paths.get(parent) ?? ''))].join('+')
}

function ordinal(id: string, taken: Map<string, number>): string {
  const before = taken.get(id) ?? 0
  taken.set(id, before + 1)
  return before === 0 ? id : `${id}#${before + 1}`
}

function settings(node: StatefulNode): string {
  switch (node.kind) {
    case 'window':
      return `window ${node.lengthMs} ms, slide ${node.slideMs} ms`
    case 'reducedWindow':
      return `window ${node.lengthMs} ms, slide ${node.slideMs} ms, ${node.partitions} partitions`
    case 'updateStateByKey':
    case 'mapWithState':
      return `state, ${node.partitions} partitions`
  }
}
