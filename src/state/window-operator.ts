// The batches of the parent that lie in the window, as columns. All workers know when each was and
// in how many partitions; each keeps the records of its own.

import { openColumns, type RecordColumns, toRecordColumns } from '../batch/record-columns.ts'
import { type Partition, partitionLength } from '../batch/records.ts'
import { ownersOf, type Seat, type Spread } from '../batch/spread.ts'
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
}

const NO_PARTITIONS: Spread<Partition<unknown>> = { owners: [], parts: [] }

/** The union of the last batches: their partitions, oldest first. */
export class WindowOperator implements StatefulRuntime {
  readonly id: string
  readonly #lengthMs: number
  readonly #seat: Seat
  readonly #panes = new PaneQueue<Pane>()
  /** The pane of the current attempt. */
  #added: Pane | undefined

  constructor(id: string, lengthMs: number, seat: Seat) {
    this.id = id
    this.#lengthMs = lengthMs
    this.#seat = seat
  }

  begin(): void {
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
    return { shared: shapeOf(this.#added), parts: partsOf([this.#added]) }
  }

  merge(): void {
    this.#panes.merge()
    this.#added = undefined
  }

  /** The partitions of all panes are numbered through. */
  snapshot(): OperatorChange {
    const panes = this.#panes.all
    return { shared: panes.map(shapeOf), parts: partsOf(panes) }
  }

  restore({ shared, parts }: OperatorChange): void {
    const kept = new Map(parts as [number, RecordColumns][])
    let first = 0
    for (const shape of shared as PaneShape[]) {
      this.#panes.push(this.#restored(shape, kept, first))
      first += shape.partitions
    }
    this.#panes.merge()
  }

  apply({ shared, parts }: OperatorChange): void {
    const shape = shared as PaneShape
    this.#panes.push(this.#restored(shape, new Map(parts as [number, RecordColumns][]), 0))
    this.#panes.takeUpTo(shape.time - this.#lengthMs)
    this.#panes.merge()
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
  #restored(
    { time, partitions }: PaneShape,
    kept: ReadonlyMap<number, RecordColumns>,
    first: number,
  ): Pane {
    const { workers, self } = this.#seat
    const owners = ownersOf(partitions, workers)
    const parts = owners.map((owner, i) => (owner === self ? kept.get(first + i) : undefined))
    return { time, owners, parts }
  }
}

function keep(part: Partition<unknown>, what: string): RecordColumns | undefined {
  return partitionLength(part) === 0 ? undefined : toRecordColumns(part, what)
}

function shapeOf({ time, owners }: Pane): PaneShape {
  return { time, partitions: owners.length }
}

/** The kept records of panes, with their partitions numbered through. */
function partsOf(panes: readonly Pane[]): OperatorChange['parts'] {
  return panes
    .flatMap(({ parts }) => parts)
    .flatMap((part, i) => (part === undefined ? [] : [[i, part] as const]))
}
