// Operators over the last batches of a stream. Lengths and slides are durations, whole multiples of
// the stream's own slide; a window that began before the stream did holds what there is.

import { refuseAsync } from '../batch/closures.ts'
import { countOf, type Partitions } from '../batch/partition-count.ts'
import type { Naming } from '../batch/recipes.ts'
import * as recipes from '../batch/recipes.ts'
import type { Widen } from '../batch/widen.ts'
import type { Duration } from '../duration.ts'
import type { DStream } from './dstream.ts'
import { JoinOperators } from './join-operators.ts'
import type { Pairs, Reduce } from './pair-operators.ts'
import { liftNode } from './stream-base.ts'
import {
  reducedPanesNode,
  reducedWholeWindowNode,
  reducedWindowNode,
  windowNode,
  windowTimes,
} from './windows.ts'

/** Settings of `reduceByKeyAndWindow` with an inverse. */
export interface InverseWindowOptions<K, V> extends Partitions {
  /** Keys for which it gives false are not emitted, and are forgotten once nothing in the window is
   * theirs. @default none: a count that fell to 0 stays */
  readonly filter?: (pair: [K, V]) => boolean
}

const add = (a: number, b: number): number => a + b
const take = (a: number, b: number): number => a - b

/** The operators over windows. A length or slide that is no multiple of the stream's slide is
 * refused where it is declared, and the message gives the nearest ones that work. */
export abstract class WindowOperators<T> extends JoinOperators<T> {
  /** The records of the last `length`, every `slide` (default: the slide of this stream).
   *
   * @example
   * ```ts
   * const outputs = await runBatches(
   *   { inputs: [[['a'], ['b'], ['c'], ['d']]], batches: 4 },
   *   (_ssc, words: DStream<string>) => words.window('3s', '2s'),
   * )
   * assert.deepEqual(outputs, [undefined, ['a', 'b'], undefined, ['b', 'c', 'd']])
   * ```
   */
  window(length: Duration, slide?: Duration): DStream<T> {
    const times = windowTimes(this.node, 'window', length, slide)
    return this.derive(windowNode(this.graph, this.node, times, 'window'))
  }

  /** The number of records in the last `length`; 0 from the first batch on.
   *
   * @example
   * ```ts
   * const outputs = await runBatches(
   *   { inputs: [[[], ['a', 'b'], ['c']]], batches: 4 },
   *   (_ssc, words: DStream<string>) => words.countByWindow('2s'),
   * )
   * assert.deepEqual(outputs, [[0], [2], [3], [1]])
   * ```
   */
  countByWindow(length: Duration, slide?: Duration): DStream<number> {
    const name = 'countByWindow'
    const times = windowTimes(this.node, name, length, slide)
    const counts = liftNode(this.graph, name, recipes.count(this.naming(name)), [this.node])
    const sum = { ...times, f: add, inverse: take }
    return this.derive(reducedWholeWindowNode(this.graph, counts, sum, name))
  }

  /** Each value with its number of occurrences in the last `length`; drops those that fell to 0.
   *
   * @example
   * ```ts
   * const outputs = await runBatches(
   *   { inputs: [[['a'], ['a', 'b']]], batches: 3 },
   *   (_ssc, words: DStream<string>) =>
   *     words.countByValueAndWindow('2s', '1s', { partitions: 1 }),
   * )
   * assert.deepEqual(outputs, [[['a', 1]], [['a', 2], ['b', 1]], [['a', 1], ['b', 1]]])
   * ```
   */
  countByValueAndWindow(
    length: Duration,
    slide?: Duration,
    options?: Partitions,
  ): DStream<[T, number]> {
    const name = 'countByValueAndWindow'
    const times = windowTimes(this.node, name, length, slide)
    const one = recipes.narrow('map', (value: T) => [value, 1], this.naming(name))
    const ones = liftNode(this.graph, name, one, [this.node])
    const filter = ([, count]: [T, number]) => count !== 0
    const partitions = countOf(options, name)
    const sum = { ...times, f: add, inverse: take, filter, partitions }
    return this.derive(reducedWindowNode(this.graph, ones, sum, name))
  }

  /** Merges all records of the last `length` with `f`, which must be associative; an empty window
   * is empty. With `inverse`, each slide adds what enters and subtracts what leaves:
   * `inverse(f(a, b), b)` must equal `a`, and a window that had a record once stays one record.
   *
   * @example
   * ```ts
   * const outputs = await runBatches(
   *   { inputs: [[[1], [2], [4]]], batches: 3 },
   *   (_ssc, numbers: DStream<number>) => numbers.reduceByWindow((a, b) => a + b, '2s'),
   * )
   * assert.deepEqual(outputs, [[1], [3], [6]])
   * ```
   */
  reduceByWindow(f: Reduce<T>, length: Duration, slide?: Duration): DStream<T>
  reduceByWindow(f: Reduce<T>, inverse: Reduce<T>, length: Duration, slide?: Duration): DStream<T>
  reduceByWindow(
    f: Reduce<T>,
    second: Reduce<T> | Duration,
    third?: Duration,
    fourth?: Duration,
  ): DStream<T> {
    const name = 'reduceByWindow'
    refuseAsync(f, name)
    const inverse = typeof second === 'function' ? second : undefined
    if (inverse !== undefined) refuseAsync(inverse, name)
    const [length, slide] = typeof second === 'function' ? [third, fourth] : [second, third]
    const times = windowTimes(this.node, name, length as Duration, slide)
    const perBatch = liftNode(this.graph, name, recipes.reduce(f, this.naming(name)), [this.node])
    const reduction = { ...times, f, inverse }
    return this.derive(reducedWholeWindowNode(this.graph, perBatch, reduction, name))
  }

  /** Gathers the values of each key over the last `length`, in order of arrival.
   *
   * @example
   * ```ts
   * const outputs = await runBatches(
   *   { inputs: [[[['a', 1]], [['a', 2]], []]], batches: 3 },
   *   (_ssc, pairs: DStream<[string, number]>) => pairs.groupByKeyAndWindow('2s'),
   * )
   * assert.deepEqual(outputs, [[['a', [1]]], [['a', [1, 2]]], [['a', [2]]]])
   * ```
   */
  groupByKeyAndWindow<K, V>(
    this: Pairs<K, V>,
    length: Duration,
    slide?: Duration,
    options?: Partitions,
  ): DStream<[K, V[]]> {
    const name = 'groupByKeyAndWindow'
    const times = windowTimes(this.node, name, length, slide)
    const partitions = countOf(options, name)
    const group = (naming: Naming) => recipes.groupByKey(partitions, naming)
    const by = { mergeValue: concat, mergeCombiners: concat }
    const join = (naming: Naming) => recipes.combineByKey(by, partitions, naming)
    const reduce = { pane: group, whole: join }
    return this.derive(reducedPanesNode(this.graph, this.node, times, name, reduce))
  }

  /** Merges the values of each key over the last `length`, every `slide` (default: this stream's).
   *
   * With `inverse` (f without an argument that entered), each slide adds what enters and
   * subtracts what leaves, whatever the length; `inverse(f(a, b), b)` must equal `a`. A key whose
   * values have all left stays, with what `inverse` made of it, unless `filter` drops it.
   *
   * @example
   * ```ts
   * const outputs = await runBatches(
   *   { inputs: [[[['a', 1]], [['a', 2]], [['a', 4]]]], batches: 3 },
   *   (_ssc, pairs: DStream<[string, number]>) =>
   *     pairs.reduceByKeyAndWindow((a, b) => a + b, (a, b) => a - b, '2s', '1s', {
   *       filter: ([, sum]) => sum !== 0,
   *     }),
   * )
   * assert.deepEqual(outputs, [[['a', 1]], [['a', 3]], [['a', 6]]])
   * ```
   */
  reduceByKeyAndWindow<K, V>(
    this: Pairs<K, V>,
    f: Reduce<Widen<V>>,
    length: Duration,
    slide?: Duration,
    options?: Partitions,
  ): DStream<[K, Widen<V>]>
  reduceByKeyAndWindow<K, V>(
    this: Pairs<K, V>,
    f: Reduce<Widen<V>>,
    inverse: Reduce<Widen<V>>,
    length: Duration,
    slide?: Duration,
    options?: InverseWindowOptions<K, Widen<V>>,
  ): DStream<[K, Widen<V>]>
  reduceByKeyAndWindow<K, V>(
    this: Pairs<K, V>,
    f: Reduce<Widen<V>>,
    second: Reduce<Widen<V>> | Duration,
    third?: Duration,
    fourth?: Duration | Partitions,
    fifth?: InverseWindowOptions<K, Widen<V>>,
  ): DStream<[K, Widen<V>]> {
    const name = 'reduceByKeyAndWindow'
    refuseAsync(f, name)
    if (typeof second !== 'function') {
      const times = windowTimes(this.node, name, second, third)
      const partitions = countOf(fourth as Partitions | undefined, name)
      const reduction = { ...times, f, inverse: undefined, filter: undefined, partitions }
      return this.derive(reducedWindowNode(this.graph, this.node, reduction, name))
    }
    refuseAsync(second, name)
    const times = windowTimes(this.node, name, third as Duration, fourth as Duration | undefined)
    const { filter } = fifth ?? {}
    if (filter !== undefined) refuseAsync(filter, name)
    const partitions = countOf(fifth, name)
    const reduction = { ...times, f, inverse: second, filter, partitions }
    return this.derive(reducedWindowNode(this.graph, this.node, reduction, name))
  }
}

function concat(into: unknown[], from: readonly unknown[]): unknown[] {
  for (const value of from) into.push(value)
  return into
}
