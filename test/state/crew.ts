// The workers of a run, each with its own copy of one stateful operator: fed like the engine feeds
// them, and compared with one worker.

import { decode, encode } from '../../src/batch/codec.ts'
import { PairRecords } from '../../src/batch/pair-records.ts'
import { partitionOf } from '../../src/batch/partitioner.ts'
import { recordsOf } from '../../src/batch/record-columns.ts'
import type { Partition } from '../../src/batch/records.ts'
import { ownersOf, type Spread } from '../../src/batch/spread.ts'
import type { WindowSeat } from '../../src/state/reduced-window-operator.ts'
import type { OperatorChange, StatefulRuntime } from '../../src/state/stateful-operator.ts'

export type Pair = readonly [unknown, unknown]

/** The pairs of one batch, by partition. */
export type Pairs = readonly (readonly Pair[])[]

/** Puts pairs into the partitions of their keys, in order. */
export function byKey(pairs: readonly Pair[], partitions: number): Pair[][] {
  const parts: Pair[][] = Array.from({ length: partitions }, () => [])
  for (const pair of pairs) parts[partitionOf(pair[0], partitions)]?.push(pair)
  return parts
}

/** As `byKey`, with one pair for each key. */
export function reduced(
  pairs: readonly Pair[],
  partitions: number,
  f: (a: never, b: never) => unknown,
): Pair[][] {
  return byKey(pairs, partitions).map((part) => {
    const values = new Map<unknown, unknown>()
    for (const [key, value] of part) {
      const before = values.get(key)
      values.set(key, values.has(key) ? f(before as never, value as never) : value)
    }
    return [...values]
  })
}

/** Pairs as a shuffle hands them on: columns, in one piece or more. */
function pieces(pairs: readonly Pair[], time: number): Partition<unknown> {
  const columns = (some: readonly Pair[]) =>
    new PairRecords(
      some.map(([key]) => key),
      some.map(([, value]) => value),
    )
  const half = Math.floor(pairs.length / 2)
  if (time % 3 === 0) return [pairs]
  if (time % 3 === 1) return [columns(pairs)]
  return [columns(pairs.slice(0, half)), columns(pairs.slice(half))]
}

type Make = (seat: WindowSeat) => StatefulRuntime

/** Some workers. */
export class Crew {
  readonly workers: readonly StatefulRuntime[]
  readonly #layout: 'keys' | 'turns'

  /** `turns`: the parent's partitions belong to the workers in turn, as those of a source. */
  constructor(make: Make, workers: number, layout: 'keys' | 'turns' = 'keys') {
    this.#layout = layout
    const seats = Array.from({ length: workers }, (_, self) => ({ workers, self, zeroTime: 0 }))
    this.workers = seats.map(make)
  }

  /** Begins an attempt at a batch; gives the partitions of the result. */
  attempt(time: number, pairs: Pairs | undefined, due = true): unknown[][] {
    for (const worker of this.workers) worker.begin()
    const spreads = this.workers.map((worker, self) =>
      worker.run(time, pairs && this.#spread(pairs, self, time), due),
    )
    return together(spreads)
  }

  merge(): void {
    for (const worker of this.workers) worker.merge()
  }

  /** An attempt that is merged at once. */
  batch(time: number, pairs: Pairs | undefined, due = true): unknown[][] {
    const result = this.attempt(time, pairs, due)
    this.merge()
    return result
  }

  /** What the attempt changed, as it comes out of the log; undefined if nothing. */
  changes(): OperatorChange | undefined {
    const changes = this.workers.flatMap((worker) => worker.changes() ?? [])
    return changes.length === 0 ? undefined : logged(changes)
  }

  /** Holds what is committed; what one worker holds comes after what the one before does. */
  freeze(): Iterator<OperatorChange, void> {
    const frozen = this.workers.map((worker) => worker.freeze())
    return piecesOf(frozen, () => {
      for (const worker of this.workers) worker.thaw()
    })
  }

  snapshot(): OperatorChange[] {
    const pieces = this.freeze()
    const all: OperatorChange[] = []
    for (let next = pieces.next(); next.done !== true; next = pieces.next()) all.push(next.value)
    return all
  }

  restore(snapshot: readonly OperatorChange[]): void {
    for (const piece of snapshot) for (const worker of this.workers) worker.restore(logged([piece]))
  }

  apply(changes: OperatorChange): void {
    for (const worker of this.workers) worker.apply(logged([changes]))
  }

  #spread(pairs: Pairs, self: number, time: number): Spread<Partition<unknown>> {
    const { length } = this.workers
    const owners =
      this.#layout === 'keys'
        ? ownersOf(pairs.length, length)
        : pairs.map((_, i) => (i + time) % length)
    const parts = pairs.map((part, i) => (owners[i] === self ? pieces(part, time) : undefined))
    return { owners, parts }
  }
}

function* piecesOf(
  frozen: readonly Iterator<OperatorChange, void>[],
  thaw: () => void,
): Generator<OperatorChange, void> {
  for (const pieces of frozen) {
    for (let piece = pieces.next(); piece.done !== true; piece = pieces.next()) {
      yield logged([piece.value])
    }
  }
  thaw()
}

/** Changes of several workers as one entry, through bytes. */
function logged(changes: readonly OperatorChange[]): OperatorChange {
  const { shared, partitions } = changes[0] as OperatorChange
  const parts = changes.flatMap((change) => change.parts)
  if (new Set(parts.map(([partition]) => partition)).size < parts.length) {
    throw new Error('Two workers give what one partition holds')
  }
  return decode(encode({ shared, partitions, parts }, 'changes')) as OperatorChange
}

/** The partitions of all workers; each is at its owner's and nowhere else. */
function together(spreads: readonly Spread<Partition<unknown>>[]): unknown[][] {
  const owners = spreads[0]?.owners ?? []
  for (const spread of spreads) {
    if (spread.owners.join() !== owners.join()) throw new Error('The workers differ in the owners')
  }
  return owners.map((owner, i) => {
    spreads.forEach(({ parts }, self) => {
      if ((parts[i] !== undefined) !== (self === owner)) {
        throw new Error(`Partition ${i} of worker ${owner} is also at worker ${self}, or missing`)
      }
    })
    return [...recordsOf(spreads[owner]?.parts[i] ?? [])]
  })
}
