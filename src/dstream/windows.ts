// Windows: a stream of unions of the last batches, and reductions over them.

import { narrow, reduceByKey } from '../batch/recipes.ts'
import { type Duration, multipleMs } from '../duration.ts'
import type { ReducedWindowOptions, StreamGraph, StreamNode } from './graph.ts'

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
  operator = 'window',
): StreamNode {
  return graph.add({ kind: 'window', parents: [parent], ...times }, operator)
}

/** Reduces each key over the window; with an inverse, by adding what enters and subtracting what
 * leaves. */
export function reducedWindowNode(
  graph: StreamGraph,
  parent: StreamNode,
  options: WindowTimes & ReducedWindowOptions,
  operator: string,
): StreamNode {
  const naming = graph.naming(operator)
  const perPane = graph.add(
    {
      kind: 'lifted',
      recipe: reduceByKey(options.f, options.partitions, naming),
      strict: false,
      parents: [parent],
      slideMs: parent.slideMs,
    },
    operator,
  )
  return graph.add({ kind: 'reducedWindow', parents: [perPane], ...options }, operator)
}

const ONLY_KEY = null

/** Reduces the whole window: the reduction by key, under one key. */
export function reducedWholeWindowNode(
  graph: StreamGraph,
  parent: StreamNode,
  options: WindowTimes & Pick<ReducedWindowOptions, 'f' | 'inverse'>,
  operator: string,
): StreamNode {
  const slideMs = parent.slideMs
  const keyed = narrow('map', (value: unknown) => [ONLY_KEY, value], graph.naming(operator))
  const pairs = graph.add(
    { kind: 'lifted', recipe: keyed, strict: false, parents: [parent], slideMs },
    operator,
  )
  const windowed = reducedWindowNode(
    graph,
    pairs,
    { ...options, filter: undefined, partitions: 1 },
    operator,
  )
  const unkey = (pair: readonly [unknown, unknown]) => pair[1]
  const unkeyed = narrow('map', unkey, graph.naming(operator))
  return graph.add(
    {
      kind: 'lifted',
      recipe: unkeyed,
      strict: false,
      parents: [windowed],
      slideMs: options.slideMs,
    },
    operator,
  )
}
