import { type Token, tokenOf } from '../batch/key.ts'
import { synchronous } from '../batch/promise.ts'
import { openValue, sealValue } from '../batch/sealed.ts'
import type { UpdateStateOptions } from '../dstream/graph.ts'
import { KeyedOperator } from './keyed-operator.ts'
import type { StatePartition } from './keyed-state.ts'

type Grouped = readonly [unknown, unknown[]]
type Update = (
  values: unknown[],
  state: unknown,
  context: { readonly key: unknown; readonly time: number },
) => unknown

/** updateStateByKey: the closure sees the new values and the state of each key. */
export class UpdateStateOperator extends KeyedOperator {
  readonly #options: UpdateStateOptions

  constructor(id: string, options: UpdateStateOptions) {
    super(id, options)
    this.#options = options
  }

  compute(time: number, parent: readonly (readonly unknown[])[]): unknown[][] {
    return this.state.partitions.map((state, p) => {
      const groups = new Map<Token, Grouped>()
      for (const group of (parent[p] ?? []) as readonly Grouped[]) {
        groups.set(tokenOf(group[0]), group)
      }
      return this.#updatePartition(state, groups, time)
    })
  }

  #updatePartition(
    state: StatePartition,
    groups: Map<Token, Grouped>,
    time: number,
  ): [unknown, unknown][] {
    const emitted: [unknown, unknown][] = []
    if (!this.#options.onlyActiveKeys) {
      for (const [token, { key, value }] of [...state.entries()]) {
        const values = groups.get(token)?.[1] ?? []
        groups.delete(token)
        this.#update(state, { key, values, before: value, time }, emitted)
      }
    }
    for (const [token, [key, values]] of groups) {
      const before = state.get(token)
      this.#update(state, { key: before?.key ?? key, values, before: before?.value, time }, emitted)
    }
    return emitted
  }

  #update(
    state: StatePartition,
    call: { key: unknown; values: unknown[]; before: unknown; time: number },
    emitted: [unknown, unknown][],
  ): void {
    const { key, values, before, time } = call
    const shown = openValue(sealValue(key, 'a key of a state'))
    const after = synchronous((this.#options.f as Update)(values, before, { key: shown, time }))
    if (after === undefined) {
      state.remove(key)
      return
    }
    state.set(key, after, time)
    emitted.push([key, after])
  }
}
