// Generated loops by chain: the operators of a pipeline are the same objects in each batch, so a
// chain of them is compiled once. The cache is bounded by the pipeline's own operators: it holds
// them weakly.

import type { CombineOp, NarrowOp } from '../batch/node.ts'
import { generateLoop, type Loop } from './loop.ts'

interface Entry {
  readonly next: WeakMap<object, Entry>
  array: Loop | undefined
  block: Loop | undefined
}

/** Compiles each chain once. */
export class StageCache {
  readonly #root: Entry = newEntry()
  #allowed = true

  /** The loop of a chain; undefined for chains not worth compiling and where code generation is
   * disallowed. */
  loopOf(
    ops: readonly NarrowOp[],
    combine: CombineOp | undefined,
    input: 'array' | 'block',
  ): Loop | undefined {
    const fixed = ops.every((op) => op.fixed) && (combine?.fixed ?? true)
    if (!this.#allowed || !fixed) return undefined
    const entry = this.#entryOf(combine === undefined ? ops : [...ops, combine])
    try {
      entry[input] ??= generateLoop(ops, combine, input)
    } catch (error) {
      if (!(error instanceof EvalError)) throw error
      this.#allowed = false
    }
    return entry[input]
  }

  #entryOf(chain: readonly object[]): Entry {
    let entry = this.#root
    for (const op of chain) {
      let next = entry.next.get(op)
      if (next === undefined) {
        next = newEntry()
        entry.next.set(op, next)
      }
      entry = next
    }
    return entry
  }
}

function newEntry(): Entry {
  return { next: new WeakMap(), array: undefined, block: undefined }
}
