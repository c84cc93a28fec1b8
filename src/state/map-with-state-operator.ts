import { tokenOf } from '../batch/key.ts'
import { synchronous } from '../batch/promise.ts'
import { openValue, sealValue } from '../batch/sealed.ts'
import type { MapWithStateOptions } from '../dstream/graph.ts'
import { KeyedOperator } from './keyed-operator.ts'
import type { StatePartition } from './keyed-state.ts'
import { StateHandle } from './state-handle.ts'

type Mapping = (
  key: unknown,
  value: unknown,
  state: StateHandle,
  context: { readonly time: number },
) => unknown

/** mapWithState: the closure sees each value with the state of its key, and may emit a record. */
export class MapWithStateOperator extends KeyedOperator {
  readonly #f: Mapping
  readonly #timeoutMs: number | undefined

  constructor(id: string, options: MapWithStateOptions) {
    super(id, options)
    this.#f = options.f as unknown as Mapping
    this.#timeoutMs = options.timeoutMs
  }

  compute(time: number, parent: readonly (readonly unknown[])[]): unknown[][] {
    return this.state.partitions.map((state, p) => {
      const emitted: unknown[] = []
      for (const pair of (parent[p] ?? []) as readonly (readonly [unknown, unknown])[]) {
        this.#visit(state, pair, time, emitted)
      }
      if (this.#timeoutMs !== undefined) {
        this.#expire(state, time - this.#timeoutMs, time, emitted)
      }
      return emitted
    })
  }

  #visit(
    state: StatePartition,
    [key, value]: readonly [unknown, unknown],
    time: number,
    emitted: unknown[],
  ): void {
    const before = state.get(tokenOf(key))
    const handle = new StateHandle(before === undefined ? undefined : { value: before.value })
    const shown = openValue(sealValue(key, 'a key of a state'))
    const result = synchronous(this.#f(shown, value, handle, { time }))
    if (handle.removed) state.remove(key)
    else if (handle.updated) state.set(key, handle.get(), time, true)
    else if (handle.exists() && this.#timeoutMs !== undefined) {
      state.set(key, handle.get(), time, true)
    }
    if (result !== undefined) emitted.push(result)
  }

  #expire(state: StatePartition, threshold: number, time: number, emitted: unknown[]): void {
    for (const { key, value } of state.touchedBefore(threshold)) {
      state.remove(key)
      const handle = new StateHandle({ value }, true)
      const result = synchronous(this.#f(key, undefined, handle, { time }))
      if (result !== undefined) emitted.push(result)
    }
  }
}
