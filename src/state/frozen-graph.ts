// All that one worker's operators held at one moment, given slice by slice while batches go on.

import { type Change, nextEntry } from './graph-changes.ts'
import { type OperatorChange, PIECE_BYTES, type StatefulRuntime } from './stateful-operator.ts'

/** Some of what is frozen. */
export interface FrozenSlice {
  /** An entry, as those of the log; it owns its memory. */
  readonly entry: Uint8Array
  /** True if that was all. */
  readonly last: boolean
}

/** What is frozen in one worker. */
export class FrozenGraph {
  readonly #operators: readonly StatefulRuntime[]
  readonly #changes: Generator<Change, void>
  #ended = false

  /** Freezes the operators; called between two batches. */
  constructor(operators: readonly StatefulRuntime[]) {
    this.#operators = operators
    this.#changes = this.#each(operators.map((operator) => [operator.id, operator.freeze()]))
  }

  /** The next slice: some milliseconds of work. The last one lets go of what was frozen. */
  next(): FrozenSlice {
    const entry = nextEntry(this.#changes, PIECE_BYTES)
    const last = this.#ended
    if (last) this.release()
    return { entry, last }
  }

  /** Lets go of what is frozen. */
  release(): void {
    this.#ended = true
    for (const operator of this.#operators) operator.thaw()
  }

  *#each(
    frozen: readonly (readonly [id: string, Iterator<OperatorChange, void>])[],
  ): Generator<Change, void> {
    for (const [id, pieces] of frozen) {
      for (let piece = pieces.next(); piece.done !== true; piece = pieces.next()) {
        yield [id, piece.value]
      }
    }
    this.#ended = true
  }
}
