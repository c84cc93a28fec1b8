// Keyed state of a stateful operator: a partition for each range of key groups, of which a worker
// holds those that it owns.

import { assert } from '../assert.ts'
import { tokenOf } from '../batch/key.ts'
import { PairRecords } from '../batch/pair-records.ts'
import { partitionOfToken } from '../batch/partitioner.ts'
import { pairColumns } from '../batch/record-columns.ts'
import type { Partition } from '../batch/records.ts'
import { ownersOf, type Seat, type Spread, spreadBy } from '../batch/spread.ts'
import { type StateColumns, type StateEntries, StatePartition } from './state-partition.ts'
import type { OperatorChange } from './stateful-operator.ts'

/** How a state is laid out. */
export interface KeyedStateOptions {
  readonly partitions: number
  /** What errors call it. */
  readonly what: string
  /** Keep a number beside the state of each key. */
  readonly marked: boolean
}

/** The keys and states of an operator, by partition. */
export class KeyedState {
  readonly #owners: readonly number[]
  readonly #self: number
  readonly #partitions: readonly (StatePartition | undefined)[]

  constructor({ partitions, what, marked }: KeyedStateOptions, seat: Seat) {
    this.#owners = ownersOf(partitions, seat.workers)
    this.#self = seat.self
    const make = () => new StatePartition(what, marked)
    this.#partitions = spreadBy(this.#owners, seat.self, make).parts
  }

  /** The partition of a key; undefined where another worker owns it. */
  partitionOf(key: unknown): StatePartition | undefined {
    return this.#partitions[partitionOfToken(tokenOf(key), this.#partitions.length)]
  }

  /** Runs over the partitions that this worker owns. */
  each(run: (state: StatePartition, partition: number) => void): void {
    this.#partitions.forEach((state, p) => {
      if (state !== undefined) run(state, p)
    })
  }

  /** Makes a partition of each that this worker owns, from it and the parent's pairs. */
  run(
    parent: Spread<Partition<unknown>> | undefined,
    make: (state: StatePartition, pairs: Partition<unknown>, p: number) => Partition<unknown>,
  ): Spread<Partition<unknown>> {
    return spreadBy(this.#owners, this.#self, (p) =>
      make(this.#partitions[p] as StatePartition, ownPart(parent, p), p),
    )
  }

  /** Every key with its state, with what the current batch changed. */
  current(): Spread<Partition<unknown>> {
    return this.run(undefined, (state) => [recordsOf(state)])
  }

  rollback(): void {
    this.each((state) => state.rollback())
  }

  changes(): OperatorChange['parts'] {
    const parts: [number, unknown][] = []
    this.each((state, p) => {
      const changes = state.changes()
      if (changes !== undefined) parts.push([p, changes])
    })
    return parts
  }

  /** Holds what is committed, and gives it partition by partition, in pieces. */
  freeze(): IterableIterator<readonly [partition: number, StateEntries]> {
    const frozen: [number, IterableIterator<StateEntries>][] = []
    this.each((state, p) => frozen.push([p, state.freeze()]))
    return piecesOf(frozen)
  }

  thaw(): void {
    this.each((state) => state.thaw())
  }

  restore(parts: OperatorChange['parts']): void {
    for (const [p, entries] of parts) this.#partitions[p]?.load(entries as StateEntries)
  }

  apply(parts: OperatorChange['parts']): void {
    for (const [p, columns] of parts) {
      const state = this.#partitions[p]
      state?.write(columns as StateColumns)
      state?.merge()
    }
  }
}

function* piecesOf<T>(
  frozen: readonly (readonly [number, Iterable<T>])[],
): IterableIterator<readonly [partition: number, T]> {
  for (const [p, pieces] of frozen) for (const piece of pieces) yield [p, piece]
}

/** A partition of the parent that this worker owns; empty where the parent has no batch. */
export function ownPart(
  parent: Spread<Partition<unknown>> | undefined,
  partition: number,
): Partition<unknown> {
  if (parent === undefined) return []
  const part = parent.parts[partition]
  assert(part !== undefined, 'pairs come to the worker that owns their key')
  return part
}

/** The pairs of a partition by column. */
export function pairsOf(partition: Partition<unknown>): PairRecords {
  const pairs = pairColumns(partition)
  assert(pairs !== undefined, 'operators on pairs are declared on streams of pairs')
  return pairs
}

function recordsOf(state: StatePartition): PairRecords {
  const ids = state.keys.liveIds()
  const keys: unknown[] = new Array(ids.length)
  const values: unknown[] = new Array(ids.length)
  for (let i = 0; i < ids.length; i++) {
    keys[i] = state.keys.keyAt(ids[i] as number)
    values[i] = state.valueAt(ids[i] as number)
  }
  return new PairRecords(keys, values)
}
