// Windows: a stream of unions of the last batches, and reductions over them.

import type { Recipe } from '../batch/node.ts'
import { type Naming, narrow, reduceByKey } from '../batch/recipes.ts'
import { type Duration, multipleMs } from '../duration.ts'
import type { ReducedWindowOptions, StreamGraph, StreamNode } from './graph.ts'
import { liftNode } from './stream-base.ts'

/** Length and slide of a window, in milliseconds; both are multiples of the parent's slide. */
export interface WindowTimes {
  readonly lengthMs: number
  readonly slideMs: number
}

/** Checks a window against the slide of its parent; the slide's default is the parent's. */
export function windowTimes(
  parent: StreamNode,
  operator: string,
  length: Duration,
  slide: Duration | undefined,
): WindowTimes {
  const unit = `slide of its parent "${parent.name}"`
  const slideMs =
    slide === undefined
      ? parent.slideMs
      : multipleMs(slide, `the slide of ${operator}`, parent.slideMs, unit)
  const lengthMs = multipleMs(length, `the window of ${operator}`, parent.slideMs, unit)
  return { lengthMs, slideMs }
}

/** All records of the last `lengthMs`, every `slideMs`. */
export function windowNode(
  graph: StreamGraph,
  parent: StreamNode,
  times: WindowTimes,
  operator: string,
): StreamNode {
  return graph.add({ kind: 'window', parents: [parent], ...times }, operator)
}

/** Reduces each batch, keeps the results for the length of the window, and reduces them again. */
export function reducedPanesNode(
  graph: StreamGraph,
  parent: StreamNode,
  times: WindowTimes,
  operator: string,
  reduce: { readonly pane: (naming: Naming) => Recipe; readonly whole: (naming: Naming) => Recipe },
): StreamNode {
  const pane = liftNode(graph, operator, reduce.pane(graph.naming(operator)), [parent])
  const panes = windowNode(graph, pane, times, operator)
  return liftNode(graph, operator, reduce.whole(graph.naming(operator)), [panes], panes)
}

/** Reduces each key over the window; with an inverse, by adding what enters and subtracting what
 * leaves. */
export function reducedWindowNode(
  graph: StreamGraph,
  parent: StreamNode,
  options: WindowTimes & ReducedWindowOptions,
  operator: string,
): StreamNode {
  const perBatch = reduceByKey(options.f, options.partitions, graph.naming(operator))
  const pane = liftNode(graph, operator, perBatch, [parent])
  return graph.add({ kind: 'reducedWindow', parents: [pane], ...options }, operator)
}

const ONLY_KEY = null

/** Reduces the whole window: the reduction by key, under one key. */
export function reducedWholeWindowNode(
  graph: StreamGraph,
  parent: StreamNode,
  options: WindowTimes & Pick<ReducedWindowOptions, 'f' | 'inverse'>,
  operator: string,
): StreamNode {
  const keyed = narrow('map', (value: unknown) => [ONLY_KEY, value], graph.naming(operator))
  const pairs = liftNode(graph, operator, keyed, [parent])
  const reduction = { ...options, filter: undefined, partitions: 1 }
  const windowed = reducedWindowNode(graph, pairs, reduction, operator)
  const unkey = (pair: readonly [unknown, unknown]) => pair[1]
  const unkeyed = narrow('map', unkey, graph.naming(operator))
  return liftNode(graph, operator, unkeyed, [windowed], windowed)
}
