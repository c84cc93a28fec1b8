import type { Records } from '../batch/records.ts'
import { openPane, type Pane, Panes } from './panes.ts'
import type { StatefulRuntime } from './stateful-operator.ts'

/** The union of the last batches: their partitions, oldest first. */
export class WindowOperator implements StatefulRuntime {
  readonly id: string
  readonly #panes = new Panes()
  readonly #lengthMs: number

  constructor(id: string, lengthMs: number) {
    this.id = id
    this.#lengthMs = lengthMs
  }

  begin(): void {
    this.#panes.discard()
  }

  run(time: number, parent: readonly Records<unknown>[], due: boolean): unknown[][] {
    this.#panes.add(time, parent, `a batch of window "${this.id}"`)
    const after = time - this.#lengthMs
    this.#panes.forget(after)
    return due ? (this.#panes.between(after, time).flatMap(openPane) as unknown[][]) : []
  }

  changes(): unknown {
    const { pending, forgetUpTo } = this.#panes
    return pending === undefined ? undefined : { pane: pending, forgetUpTo }
  }

  merge(): void {
    this.#panes.merge()
  }

  snapshot(): unknown {
    return this.#panes.snapshot()
  }

  restore(snapshot: unknown): void {
    this.#panes.restore(snapshot as Pane[])
  }

  apply(changes: unknown): void {
    const { pane, forgetUpTo } = changes as { pane: Pane; forgetUpTo: number }
    this.#panes.apply(pane, forgetUpTo)
  }

  active(): boolean {
    return this.#panes.hasRecords
  }
}
