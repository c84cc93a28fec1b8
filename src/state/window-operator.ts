// The batches of the parent that lie in the window, as columns. All workers know when each was and
// in how many partitions; each keeps the records of its own.

import { PairRecords } from '../batch/pair-records.ts'
import { partitionOf } from '../batch/partitioner.ts'
import { openColumns, type RecordColumns, toRecordColumns } from '../batch/record-columns.ts'
import { type Partition, partitionLength } from '../batch/records.ts'
import { ownersOf, type Seat, type Spread } from '../batch/spread.ts'
import { Router } from '../plan/routing.ts'
import { pairsOf } from './keyed-state.ts'
import { PaneQueue } from './pane-queue.ts'
import type { OperatorChange, StatefulRuntime } from './stateful-operator.ts'

/** One batch of the parent. */
interface Pane {
  readonly time: number
  readonly owners: readonly number[]
  /** Undefined where the partition is empty or another worker's. */
  readonly parts: readonly (RecordColumns | undefined)[]
}

/** What all workers know alike of a pane. */
interface PaneShape {
  readonly time: number
  readonly partitions: number
  /** The records are pairs, spread over so many partitions by key. */
  readonly hashPartitions?: number
}

/** A pane while a snapshot is restored: its partitions come one by one. */
interface Restoring {
  readonly shape: PaneShape
  readonly kept: Map<number, RecordColumns>
}

/** A partition of a pane in a snapshot. */
interface PanePiece {
  readonly time: number
  readonly records: RecordColumns
}

const NO_PARTITIONS: Spread<Partition<unknown>> = { owners: [], parts: [] }

/** The union of the last batches: their partitions, oldest first. */
export class WindowOperator implements StatefulRuntime {
  readonly id: string
  readonly #lengthMs: number
  readonly #seat: Seat
  readonly #hashPartitions: number | undefined
  readonly #panes = new PaneQueue<Pane>()
  /** The pane of the current attempt. */
  #added: Pane | undefined
  /** The panes of a snapshot that is being restored, by time, oldest first. */
  readonly #restoring = new Map<number, Restoring>()

  /** `hashPartitions`: the batches are pairs, spread over so many partitions by key. */
  constructor(id: string, lengthMs: number, seat: Seat, hashPartitions?: number) {
    this.id = id
    this.#lengthMs = lengthMs
    this.#seat = seat
    this.#hashPartitions = hashPartitions
  }

  begin(): void {
    this.#endRestore()
    this.#panes.rollback()
    this.#added = undefined
  }

  run(
    time: number,
    parent: Spread<Partition<unknown>> | undefined,
    due: boolean,
  ): Spread<Partition<unknown>> {
    if (parent !== undefined) {
      const what = `a batch of window "${this.id}"`
      const parts = parent.parts.map((part) => part && keep(part, what))
      this.#added = { time, owners: parent.owners, parts }
      this.#panes.push(this.#added)
    }
    this.#panes.takeUpTo(time - this.#lengthMs)
    return due ? this.#union() : NO_PARTITIONS
  }

  changes(): OperatorChange | undefined {
    if (this.#added === undefined) return undefined
    const { owners, parts } = this.#added
    const shared = this.#shapeOf(this.#added)
    return { shared, partitions: owners.length, parts: partsOf(parts) }
  }

  merge(): void {
    this.#panes.merge()
    this.#added = undefined
  }

  /** Panes never change: holding them is all. */
  freeze(): IterableIterator<OperatorChange> {
    this.#endRestore()
    return this.#pieces(this.#panes.all)
  }

  thaw(): void {}

  /** The shapes of all panes come first. */
  restore({ shared, parts }: OperatorChange): void {
    for (const shape of (shared ?? []) as PaneShape[]) {
      this.#restoring.set(shape.time, { shape, kept: new Map() })
    }
    for (const [partition, part] of parts) {
      const { time, records } = part as PanePiece
      this.#restoring.get(time)?.kept.set(partition, records)
    }
  }

  apply({ shared, parts }: OperatorChange): void {
    this.#endRestore()
    const shape = shared as PaneShape
    this.#panes.push(this.#restored(shape, new Map(parts as [number, RecordColumns][])))
    this.#panes.takeUpTo(shape.time - this.#lengthMs)
    this.#panes.merge()
  }

  #endRestore(): void {
    if (this.#restoring.size === 0) return
    for (const { shape, kept } of this.#restoring.values()) {
      this.#panes.push(this.#restored(shape, kept))
    }
    this.#restoring.clear()
    this.#panes.merge()
  }

  *#pieces(panes: readonly Pane[]): IterableIterator<OperatorChange> {
    const shared = panes.map((pane) => this.#shapeOf(pane))
    if (this.#seat.self === 0) yield { shared, partitions: 0, parts: [] }
    for (const { time, owners, parts } of panes) {
      for (const [partition, records] of partsOf(parts)) {
        const piece: PanePiece = { time, records: records as RecordColumns }
        yield { shared: null, partitions: owners.length, parts: [[partition, piece]] }
      }
    }
  }

  #union(): Spread<Partition<unknown>> {
    const { self } = this.#seat
    const owners: number[] = []
    const parts: (Partition<unknown> | undefined)[] = []
    for (const pane of this.#panes.all) {
      pane.owners.forEach((owner, i) => {
        const part = pane.parts[i]
        owners.push(owner)
        parts.push(owner === self ? (part === undefined ? [] : [openColumns(part)]) : undefined)
      })
    }
    return { owners, parts }
  }

  /** A pane of the log; its partitions belong to the workers that own such keys. */
  #restored(shape: PaneShape, kept: ReadonlyMap<number, RecordColumns>): Pane {
    const { workers, self } = this.#seat
    const all = Array.from({ length: shape.partitions }, (_, i) => kept.get(i))
    const hashed = this.#hashPartitions
    const parts = hashed === undefined || hashed === shape.hashPartitions ? all : hash(all, hashed)
    const owners = ownersOf(parts.length, workers)
    return {
      time: shape.time,
      owners,
      parts: parts.map((part, i) => (owners[i] === self ? part : undefined)),
    }
  }

  #shapeOf({ time, owners }: Pane): PaneShape {
    const hashPartitions = this.#hashPartitions
    const shape = { time, partitions: owners.length }
    return hashPartitions === undefined ? shape : { ...shape, hashPartitions }
  }
}

/** Spreads pairs over partitions by key: a pane of the log that was not read by key when it was
 * kept. */
function hash(
  parts: readonly (RecordColumns | undefined)[],
  partitions: number,
): (RecordColumns | undefined)[] {
  const { keys, values } = new Router(partitions)
  for (const part of parts) {
    const pairs = part === undefined ? [] : [openColumns(part)]
    const { keys: partKeys, values: partValues } = pairsOf(pairs)
    partKeys.forEach((key, i) => {
      const target = partitionOf(key, partitions)
      keys[target]?.push(key)
      values[target]?.push(partValues[i])
    })
  }
  return keys.map((column, i) => keep([new PairRecords(column, values[i] ?? [])], 'a window'))
}

function keep(part: Partition<unknown>, what: string): RecordColumns | undefined {
  return partitionLength(part) === 0 ? undefined : toRecordColumns(part, what)
}

/** The partitions that are there, by ordinal. */
function partsOf(parts: Pane['parts']): OperatorChange['parts'] {
  return parts.flatMap((part, i) => (part === undefined ? [] : [[i, part] as const]))
}
