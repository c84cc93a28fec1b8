import type { Block } from '../batch/block.ts'
import { PairRecords } from '../batch/pair-records.ts'
import type { Records } from '../batch/records.ts'

/** How the records of a piece are read: from an array, from two columns, out of one text, or one by
 * one. */
export type InputKind = 'array' | 'pairs' | 'texts' | 'block'

/** A loop's input; a `pairs` loop needs PairRecords, a `texts` loop TextPieces. */
export type LoopInput = Pick<Records<unknown>, 'length'>

/** A piece as a loop reads it: in one go, or text after text. */
export interface LoopInputs {
  readonly kind: InputKind
  readonly inputs: Iterable<LoopInput>
}

/** How a loop reads a piece. */
export function loopInputs(piece: Records<unknown>): LoopInputs {
  if (Array.isArray(piece)) return { kind: 'array', inputs: [piece] }
  if (piece instanceof PairRecords) return { kind: 'pairs', inputs: [piece] }
  const texts = (piece as Partial<Block<unknown>>).textPieces?.()
  return texts === undefined ? { kind: 'block', inputs: [piece] } : { kind: 'texts', inputs: texts }
}

/** The position of a record in its source; undefined for one that an operator made. */
export function positionOf(piece: Records<unknown>, index: number): string | undefined {
  const block = piece as { positionAt?: (index: number) => string }
  return block.positionAt?.(index)
}
