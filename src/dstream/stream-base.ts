// What every family of operators builds on: a stream's place in the graph, and how another is
// derived.

import type { Batch } from '../batch/batch.ts'
import { refuseAsync } from '../batch/closures.ts'
import type { Recipe } from '../batch/node.ts'
import type { Naming } from '../batch/recipes.ts'
import { ConfigError } from '../errors.ts'
import type { DStream } from './dstream.ts'
import type { StreamGraph, StreamNode } from './graph.ts'

/** Anything that stands for a stream of the graph. */
export interface StreamLike {
  /** The stream in the graph. */
  readonly node: StreamNode
}

/** A stream's node in its graph. `T` is the type of the records. */
export abstract class StreamBase<T> {
  /** The stream in the graph; for the engine. */
  readonly node: StreamNode
  /** The graph that the stream belongs to; for the engine. */
  readonly graph: StreamGraph
  /** Only carries the type of the records. */
  declare readonly records?: T

  constructor(graph: StreamGraph, node: StreamNode) {
    this.graph = graph
    this.node = node
  }

  /** Makes the stream of a node. */
  protected abstract derive<U>(node: StreamNode): DStream<U>

  protected naming(operator: string): Naming {
    return this.graph.naming(operator)
  }

  /** A stream whose batch is the recipe of its parents' batches at the same time. */
  protected lift<U>(
    operator: string,
    recipe: Recipe,
    others: readonly StreamLike[] = [],
  ): DStream<U> {
    const parents = [this.node, ...others.map((other) => other.node)]
    return this.derive(liftNode(this.graph, operator, recipe, parents))
  }
}

/** Adds a node whose batch is the recipe of its parents' batches at the same time. `stateful` is
 * the node that the operator keeps its state in, if it has one: it takes the stream's name. */
export function liftNode(
  graph: StreamGraph,
  operator: string,
  recipe: Recipe,
  parents: readonly StreamNode[],
  stateful?: StreamNode,
): StreamNode {
  const slideMs = commonSlideMs(parents, operator)
  const strict = parents.length > 1
  return graph.add({ kind: 'lifted', recipe, strict, stateful, parents, slideMs }, operator)
}

/** Adds a node whose batch is made by a closure of its parents' batches. */
export function transformNode(
  graph: StreamGraph,
  operator: string,
  parents: readonly StreamNode[],
  f: (batches: Batch<never>[], time: number) => Batch<unknown>,
): StreamNode {
  refuseAsync(f, operator)
  const slideMs = commonSlideMs(parents, operator)
  return graph.add({ kind: 'transform', f, parents, slideMs }, operator)
}

function commonSlideMs(parents: readonly StreamNode[], operator: string): number {
  const [first, ...rest] = parents
  if (first === undefined) {
    throw new ConfigError(`Cannot use ${operator} without a stream: give at least one`)
  }
  const other = rest.find((parent) => parent.slideMs !== first.slideMs)
  if (other === undefined) return first.slideMs
  throw new ConfigError(
    `Cannot combine "${first.name}" and "${other.name}" in ${operator}: their slides must be ` +
      `the same, got ${first.slideMs} ms and ${other.slideMs} ms; window both with one slide`,
  )
}
