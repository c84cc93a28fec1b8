import { tokenOf } from '../batch/key.ts'
import { PairRecords } from '../batch/pair-records.ts'
import { synchronous } from '../batch/promise.ts'
import type { Partition } from '../batch/records.ts'
import { sameStored } from '../batch/sealed.ts'
import type { Seat } from '../batch/spread.ts'
import type { UpdateStateOptions } from '../dstream/graph.ts'
import { KeyedOperator, type KeyedTask } from './keyed-operator.ts'
import { pairsOf } from './keyed-state.ts'
import { shownKey } from './state-keys.ts'
import type { StatePartition } from './state-partition.ts'

type Update = (
  values: unknown[],
  state: unknown,
  context: { readonly key: unknown; readonly time: number },
) => unknown

/** The keys and states that a partition emits. */
interface Emitted {
  readonly keys: unknown[]
  readonly values: unknown[]
}

/** updateStateByKey: the closure sees the new values and the state of each key. */
export class UpdateStateOperator extends KeyedOperator {
  readonly #f: Update
  readonly #onlyActiveKeys: boolean

  constructor(id: string, options: UpdateStateOptions, seat: Seat) {
    super(id, options, seat, false)
    this.#f = options.f as unknown as Update
    this.#onlyActiveKeys = options.onlyActiveKeys
  }

  protected override runPartition({ state, pairs, time }: KeyedTask): Partition<unknown> {
    const emitted: Emitted = { keys: [], values: [] }
    const groups = pairsOf(pairs)
    const ids = groups.keys.map((key) => state.keys.find(tokenOf(key)))
    if (!this.#onlyActiveKeys) this.#visitAll(state, ids, groups.values, time, emitted)
    groups.keys.forEach((key, i) => {
      const id = ids[i] as number
      const values = groups.values[i] as unknown[]
      if (id < 0) this.#updateNew(state, key, values, time, emitted)
      else if (this.#onlyActiveKeys) this.#update(state, id, values, time, emitted)
    })
    return [new PairRecords(emitted.keys, emitted.values)]
  }

  /** Visits every key that has a state, in order. */
  #visitAll(
    state: StatePartition,
    ids: readonly number[],
    values: readonly unknown[],
    time: number,
    emitted: Emitted,
  ): void {
    const groupOf = new Int32Array(state.keys.end).fill(-1)
    ids.forEach((id, i) => {
      if (id >= 0) groupOf[id] = i
    })
    for (let id = 0; id < groupOf.length; id++) {
      if (!state.keys.isLive(id)) continue
      const group = groupOf[id] as number
      this.#update(state, id, group < 0 ? [] : (values[group] as unknown[]), time, emitted)
    }
  }

  #update(
    state: StatePartition,
    id: number,
    values: unknown[],
    time: number,
    emitted: Emitted,
  ): void {
    const key = state.keys.keyAt(id)
    const after = synchronous(this.#f(values, state.valueAt(id), { key, time }))
    if (after === undefined) {
      state.remove(id)
      return
    }
    const stored = state.seal(after)
    if (!sameStored(state.values.get(id), stored)) state.set(id, stored)
    emit(emitted, state.keys.keyAt(id), after)
  }

  #updateNew(
    state: StatePartition,
    key: unknown,
    values: unknown[],
    time: number,
    emitted: Emitted,
  ): void {
    const after = synchronous(this.#f(values, undefined, { key: shownKey(key), time }))
    if (after === undefined) return
    const id = state.add(key, state.seal(after))
    emit(emitted, state.keys.keyAt(id), after)
  }
}

function emit(emitted: Emitted, key: unknown, value: unknown): void {
  emitted.keys.push(key)
  emitted.values.push(value)
}
