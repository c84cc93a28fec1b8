// Generated loops by chain: the operators of a pipeline are the same objects in each batch, so a
// chain of them is compiled once. The cache is bounded by the pipeline's own operators: it holds
// them weakly.

import type { NarrowOp } from '../batch/node.ts'
import { type EndOp, generateLoop, type Loop } from './loop.ts'
import type { InputKind } from './loop-input.ts'

interface Entry {
  readonly next: WeakMap<object, Entry>
  readonly loops: Partial<Record<InputKind, Loop>>
}

/** Compiles each chain once. */
export class StageCache {
  readonly #root: Entry = newEntry()
  #allowed = true

  /** The loop of a chain; undefined for chains not worth compiling and where code generation is
   * disallowed. */
  loopOf(ops: readonly NarrowOp[], end: EndOp | undefined, input: InputKind): Loop | undefined {
    const fixed = ops.every((op) => op.fixed) && (end?.fixed ?? true)
    if (!this.#allowed || !fixed) return undefined
    const entry = this.#entryOf(end === undefined ? ops : [...ops, end])
    try {
      entry.loops[input] ??= generateLoop(ops, end, input)
    } catch (error) {
      if (!(error instanceof EvalError)) throw error
      this.#allowed = false
    }
    return entry.loops[input]
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
  return { next: new WeakMap(), loops: {} }
}
