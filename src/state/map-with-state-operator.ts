import { tokenOf } from '../batch/key.ts'
import { PairRecords } from '../batch/pair-records.ts'
import { synchronous } from '../batch/promise.ts'
import type { Partition } from '../batch/records.ts'
import { ownersOf, type Seat, spreadBy } from '../batch/spread.ts'
import type { MapWithStateOptions } from '../dstream/graph.ts'
import { KeyedOperator, type KeyedTask } from './keyed-operator.ts'
import { StateHandle } from './state-handle.ts'
import { shownKey } from './state-keys.ts'
import type { StatePartition } from './state-partition.ts'
import type { OperatorChange } from './stateful-operator.ts'
import { TimeoutWheel } from './timeout-wheel.ts'

interface Context {
  readonly time: number
}

type Mapping = (key: unknown, value: unknown, state: StateHandle, context: Context) => unknown

/** mapWithState: the closure sees each value with the state of its key, and may emit a record. Only
 * keys with values are touched, and those whose time is over; marks are the times of the last
 * value. */
export class MapWithStateOperator extends KeyedOperator {
  readonly #f: Mapping
  readonly #timeoutMs: number | undefined
  /** Of the partitions that this worker owns; none without a timeout. */
  readonly #wheels: readonly (TimeoutWheel | undefined)[]
  #threshold = Number.NEGATIVE_INFINITY

  constructor(id: string, options: MapWithStateOptions, seat: Seat) {
    super(id, options, seat, options.timeoutMs !== undefined)
    this.#f = options.f as unknown as Mapping
    this.#timeoutMs = options.timeoutMs
    const owners = options.timeoutMs === undefined ? [] : ownersOf(options.partitions, seat.workers)
    this.#wheels = spreadBy(owners, seat.self, () => new TimeoutWheel()).parts
  }

  override begin(): void {
    super.begin()
    this.state.each((state, p) => this.#wheels[p]?.prepare(state))
  }

  override restore(piece: OperatorChange): void {
    super.restore(piece)
    for (const wheel of this.#wheels) wheel?.invalidate()
  }

  override apply(changes: OperatorChange): void {
    super.apply(changes)
    for (const wheel of this.#wheels) wheel?.invalidate()
  }

  protected override runPartition({
    state,
    partition,
    pairs,
    time,
  }: KeyedTask): Partition<unknown> {
    const context: Context = Object.freeze({ time })
    const emitted: unknown[] = []
    for (const piece of pairs) {
      if (piece instanceof PairRecords) {
        const { keys, values } = piece
        for (let i = 0; i < keys.length; i++) {
          this.#visit(state, keys[i], values[i], context, emitted)
        }
      } else {
        for (let i = 0; i < piece.length; i++) {
          const [key, value] = piece.at(i) as readonly [unknown, unknown]
          this.#visit(state, key, value, context, emitted)
        }
      }
    }
    const wheel = this.#wheels[partition]
    if (wheel !== undefined) this.#expire(state, wheel, context, emitted)
    return [emitted]
  }

  protected override mergePartition(state: StatePartition, partition: number): void {
    const wheel = this.#wheels[partition]
    wheel?.advance(state, this.#threshold)
    if (state.merge() !== undefined) wheel?.invalidate()
  }

  #visit(
    state: StatePartition,
    key: unknown,
    value: unknown,
    context: Context,
    emitted: unknown[],
  ): void {
    const handle = new StateHandle(state, key, state.keys.find(tokenOf(key)))
    const result = this.#call(handle, shownKey(key), value, context)
    const id = handle.end()
    if (id >= 0 && this.#timeoutMs !== undefined) state.setMark(id, context.time)
    if (result !== undefined) emitted.push(result)
  }

  #expire(state: StatePartition, wheel: TimeoutWheel, context: Context, emitted: unknown[]): void {
    this.#threshold = context.time - (this.#timeoutMs ?? 0)
    for (const id of wheel.due(state, this.#threshold)) {
      const key = state.keys.keyAt(id)
      state.remove(id)
      const handle = new StateHandle(state, key, id, 'timing out')
      const result = this.#call(handle, key, undefined, context)
      handle.abandon()
      if (result !== undefined) emitted.push(result)
    }
  }

  #call(handle: StateHandle, key: unknown, value: unknown, context: Context): unknown {
    try {
      return synchronous(this.#f(key, value, handle, context))
    } catch (thrown) {
      handle.abandon()
      throw thrown
    }
  }
}
