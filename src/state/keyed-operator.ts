// What updateStateByKey and mapWithState share: keyed state with an initial content.

import { KeyedState, type StateColumns } from './keyed-state.ts'
import type { StatefulRuntime } from './stateful-operator.ts'

/** Settings of an operator with keyed state. */
export interface KeyedOptions {
  readonly partitions: number
  readonly initialState: Iterable<readonly [unknown, unknown]>
}

/** An operator whose only memory is keyed state. The initial state is part of the first batch's
 * overlay, so it is in the log with that batch, and a restart does not ask for it again. */
export abstract class KeyedOperator implements StatefulRuntime {
  readonly id: string
  protected readonly state: KeyedState
  readonly #initial: Iterable<readonly [unknown, unknown]>
  #initialised = false
  #ran = false

  constructor(id: string, options: KeyedOptions) {
    this.id = id
    this.state = new KeyedState(options.partitions, `state "${id}"`)
    this.#initial = options.initialState
  }

  abstract compute(time: number, parent: readonly (readonly unknown[])[]): unknown[][]

  begin(): void {
    this.state.discard()
    this.#ran = false
  }

  run(time: number, parent: readonly (readonly unknown[])[]): unknown[][] {
    if (!this.#initialised) {
      for (const [key, value] of this.#initial) {
        this.state.partitionOf(key).set(key, value, time)
      }
    }
    this.#ran = true
    return this.compute(time, parent)
  }

  /** The state of every key, with what the current batch changed. */
  current(): unknown[][] {
    return this.state.partitions.map((partition) =>
      Array.from(partition.entries(), ([, { key, value }]) => [key, value]),
    )
  }

  /** Not undefined in the first batch: a restart must know that the initial state was there. */
  changes(): unknown {
    return this.state.changes() ?? (this.#ran && !this.#initialised ? [] : undefined)
  }

  merge(): void {
    this.state.merge()
    this.#initialised ||= this.#ran
  }

  /** Null before the first batch. */
  snapshot(): unknown {
    return this.#initialised ? this.state.snapshot() : null
  }

  restore(snapshot: unknown): void {
    if (snapshot !== null) this.apply(snapshot)
  }

  apply(changes: unknown): void {
    this.state.apply(changes as (StateColumns | null)[])
    this.#initialised = true
  }

  active(): boolean {
    return this.state.partitions.some((partition) => partition.size > 0)
  }
}
