// What updateStateByKey and mapWithState share: keyed state with an initial content.

import type { Partition } from '../batch/records.ts'
import type { Seat, Spread } from '../batch/spread.ts'
import { KeyedState } from './keyed-state.ts'
import type { StatePartition } from './state-partition.ts'
import type { OperatorChange, StatefulRuntime } from './stateful-operator.ts'

/** Settings of an operator with keyed state. */
export interface KeyedOptions {
  readonly partitions: number
  readonly initialState: Iterable<readonly [unknown, unknown]>
}

/** What all workers know alike of a keyed operator. */
interface Shared {
  /** The initial state is in the state, or was: a restart does not ask for it again. */
  readonly initialised: boolean
}

/** One partition of a keyed operator in one batch. */
export interface KeyedTask {
  readonly state: StatePartition
  readonly partition: number
  readonly pairs: Partition<unknown>
  /** Batch time, epoch milliseconds. */
  readonly time: number
}

/** An operator whose only memory is keyed state. The initial state is part of the first batch's
 * changes, so it is in the log with that batch. */
export abstract class KeyedOperator implements StatefulRuntime {
  readonly id: string
  protected readonly state: KeyedState
  readonly #partitions: number
  readonly #self: number
  /** Empty once it is in the state. */
  #initial: Iterable<readonly [unknown, unknown]>
  #initialised = false
  #ran = false

  constructor(id: string, options: KeyedOptions, seat: Seat, marked: boolean) {
    this.id = id
    this.#partitions = options.partitions
    this.#self = seat.self
    this.state = new KeyedState(
      { partitions: options.partitions, what: `state "${id}"`, marked },
      seat,
    )
    this.#initial = options.initialState
  }

  protected abstract runPartition(task: KeyedTask): Partition<unknown>

  begin(): void {
    this.state.rollback()
    this.#ran = false
  }

  run(time: number, parent: Spread<Partition<unknown>> | undefined): Spread<Partition<unknown>> {
    if (!this.#initialised) this.#initialise(time)
    this.#ran = true
    return this.state.run(parent, (state, pairs, partition) =>
      this.runPartition({ state, partition, pairs, time }),
    )
  }

  /** The state of every key, with what the current batch changed. */
  current(): Spread<Partition<unknown>> {
    return this.state.current()
  }

  changes(): OperatorChange | undefined {
    const parts = this.state.changes()
    const initialises = this.#ran && !this.#initialised
    if (parts.length === 0 && !initialises) return undefined
    const shared: Shared | null = initialises ? { initialised: true } : null
    return { shared, partitions: this.#partitions, parts }
  }

  merge(): void {
    this.state.each((state, p) => this.mergePartition(state, p))
    if (this.#ran) this.#setInitialised()
  }

  freeze(): IterableIterator<OperatorChange> {
    return this.#pieces({ initialised: this.#initialised }, this.state.freeze())
  }

  thaw(): void {
    this.state.thaw()
  }

  restore({ shared, parts }: OperatorChange): void {
    this.state.restore(parts)
    if ((shared as Shared | null)?.initialised === true) this.#setInitialised()
  }

  /** Some batch ran, so the initial state is in the state. */
  apply({ parts }: OperatorChange): void {
    this.state.apply(parts)
    this.#setInitialised()
  }

  protected mergePartition(state: StatePartition, _partition: number): void {
    state.merge()
  }

  *#pieces(
    shared: Shared,
    frozen: Iterable<readonly [partition: number, unknown]>,
  ): IterableIterator<OperatorChange> {
    const partitions = this.#partitions
    if (this.#self === 0) yield { shared, partitions, parts: [] }
    for (const part of frozen) yield { shared: null, partitions, parts: [part] }
  }

  /** Each attempt at the first batch reads the initial state anew. */
  #initialise(time: number): void {
    let none = true
    for (const [key, value] of this.#initial) {
      const state = this.state.partitionOf(key)
      state?.put(key, state.seal(value), time)
      none = false
    }
    if (none) this.#setInitialised()
  }

  #setInitialised(): void {
    this.#initialised = true
    this.#initial = []
  }
}
