// Operators that keep a state for each key from batch to batch.

import { refuseAsync } from '../batch/closures.ts'
import { countOf, type Partitions } from '../batch/partition-count.ts'
import { type Duration, positiveDurationMs } from '../duration.ts'
import type { DStream, MapWithStateDStream } from './dstream.ts'
import type { StreamNode } from './graph.ts'
import { InitialState } from './initial-state.ts'
import type { Pairs } from './pair-operators.ts'
import { groupedNode, partitionedNode } from './state-parents.ts'
import { WindowOperators } from './window-operators.ts'

/** Settings of `updateStateByKey`. */
export interface UpdateStateByKeyOptions<K, S> extends Partitions {
  /** The state of each key before the first batch; read once, where the operator is declared. Of
   * two pairs with one key the later counts. @default none */
  readonly initialState?: Iterable<readonly [K, S]>
  /** Call the closure, and emit, only for keys with new values. @default false, as in Spark */
  readonly onlyActiveKeys?: boolean
}

/** Settings of `mapWithState`. */
export interface MapWithStateOptions<K, S> extends Partitions {
  /** The state of each key before the first batch; read once, where the operator is declared. Of
   * two pairs with one key the later counts. @default none */
  readonly initialState?: Iterable<readonly [K, S]>
  /** A key without a value for longer than this is removed, after one last call; more than 0 ms.
   * @default never */
  readonly timeout?: Duration
}

/** The state of one key, as `mapWithState` hands it to its closure, for that one call: used later,
 * it throws a RangeError. What is changed in place counts once it is given to `update`. */
export interface State<S> {
  /** True if the key has a state. */
  exists(): boolean
  /** The state; throws a RangeError if there is none. */
  get(): S
  /** Sets the state; throws a RangeError if it was removed or is timing out. */
  update(state: S): void
  /** Removes the state; throws a RangeError if it was removed or is timing out. */
  remove(): void
  /** True in the last call for a key that had no value for longer than the timeout. */
  isTimingOut(): boolean
}

/** The operators with keyed state. Keys are compared by value; a key that cannot be fails the batch
 * with KEY_NOT_COMPARABLE. A state that cannot be stored fails it with VALUE_NOT_STORABLE: use
 * primitives, arrays, plain objects, Map, Set, Date and typed arrays. */
export abstract class StateOperators<T> extends WindowOperators<T> {
  /** Calls `f` with the new values, in order of arrival, and the state of each key, undefined if
   * it has none; what it gives is the new state, and undefined removes the key. `context.time` is
   * the batch time in epoch milliseconds. Emits the state of each key that it was called for.
   *
   * As in Spark, it is called for every key that has a state in every batch, and all of them are
   * emitted; `onlyActiveKeys` keeps to those with new values.
   *
   * @example
   * ```ts
   * const outputs = await runBatches(
   *   { inputs: [[[['a', 1], ['b', 5]], [['a', 2]]]], batches: 2 },
   *   (_ssc, pairs: DStream<[string, number]>) =>
   *     pairs.updateStateByKey(
   *       (values, sum: number | undefined) => values.reduce((a, b) => a + b, sum ?? 0),
   *       { partitions: 1 },
   *     ),
   * )
   * assert.deepEqual(outputs, [[['a', 1], ['b', 5]], [['a', 3], ['b', 5]]])
   * ```
   */
  updateStateByKey<K, V, S>(
    this: Pairs<K, V>,
    f: (values: V[], state: S | undefined, context: { key: K; time: number }) => S | undefined,
    options: UpdateStateByKeyOptions<K, S> = {},
  ): DStream<[K, S]> {
    refuseAsync(f, 'updateStateByKey')
    const partitions = countOf(options, 'updateStateByKey')
    const node = this.graph.add(
      {
        kind: 'updateStateByKey',
        f,
        partitions,
        initialState: new InitialState(options.initialState ?? [], 'updateStateByKey'),
        onlyActiveKeys: options.onlyActiveKeys ?? false,
        parents: [groupedNode(this, partitions, 'updateStateByKey')],
        slideMs: this.node.slideMs,
      },
      'updateStateByKey',
    )
    return this.derive(node)
  }

  /** Calls `f` for each value with the state of its key, and emits what it gives unless undefined.
   * `context.time` is the batch time in epoch milliseconds.
   *
   * With `timeout`, a key without a value for longer than that is removed after a last call, in
   * which `value` is undefined and `state.isTimingOut()` true. Every batch looks for such keys,
   * after its own values.
   *
   * @example
   * ```ts
   * const outputs = await runBatches(
   *   { inputs: [[[['a', 1], ['a', 2]], [['a', 4]]]], batches: 2 },
   *   (_ssc, pairs: DStream<[string, number]>) =>
   *     pairs.mapWithState((key, value, sum: State<number>) => {
   *       sum.update((sum.exists() ? sum.get() : 0) + (value ?? 0))
   *       return `${key}=${sum.get()}`
   *     }),
   * )
   * assert.deepEqual(outputs, [['a=1', 'a=3'], ['a=7']])
   * ```
   */
  mapWithState<K, V, S, U>(
    this: Pairs<K, V>,
    f: (key: K, value: V | undefined, state: State<S>, context: { time: number }) => U | undefined,
    options: MapWithStateOptions<K, S> = {},
  ): MapWithStateDStream<K, S, U> {
    refuseAsync(f, 'mapWithState')
    const partitions = countOf(options, 'mapWithState')
    const { timeout } = options
    const node = this.graph.add(
      {
        kind: 'mapWithState',
        f,
        partitions,
        initialState: new InitialState(options.initialState ?? [], 'mapWithState'),
        timeoutMs: timeout === undefined ? undefined : positiveDurationMs(timeout, 'timeout'),
        parents: [partitionedNode(this, partitions, 'mapWithState')],
        slideMs: this.node.slideMs,
      },
      'mapWithState',
    )
    return this.deriveMapWithState(node)
  }

  /** Makes the stream of a mapWithState node. */
  protected abstract deriveMapWithState<K, S, U>(node: StreamNode): MapWithStateDStream<K, S, U>
}
