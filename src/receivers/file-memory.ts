// Which files were read: what makes each of them be read exactly once, in memory that is bounded by
// time.
//
// Files that were last modified at or before the horizon are ignored. Of the newer ones, those that
// were taken are remembered by their path. The horizon moves on with time, and what falls behind it
// is forgotten. It never passes a file that was found and not taken whole.

import type { FileIdentity, FilePiece } from './file-block.ts'
import type { Position } from './receiver.ts'

/** A file of which a batch takes a piece. */
export type TakenPiece = FileIdentity & FilePiece

/** Remembers which files were taken whole. */
export class FileMemory {
  #horizonMs: number
  readonly #taken: Map<string, number>

  constructor(horizonMs: number, taken: Iterable<readonly [string, number]> = []) {
    this.#horizonMs = horizonMs
    this.#taken = new Map(taken)
  }

  /** Files that were last modified at or before this are ignored, epoch milliseconds. */
  get horizonMs(): number {
    return this.#horizonMs
  }

  /** How many files are remembered. */
  get size(): number {
    return this.#taken.size
  }

  /** When a remembered file was last modified; undefined for any other. */
  mtimeOf(path: string): number | undefined {
    return this.#taken.get(path)
  }

  take({ path, mtimeMs }: FileIdentity): void {
    if (mtimeMs > this.#horizonMs) this.#taken.set(path, mtimeMs)
  }

  /** Moves the horizon on, and forgets what falls behind it. */
  advance(horizonMs: number): void {
    if (horizonMs <= this.#horizonMs) return
    this.#horizonMs = horizonMs
    for (const [path, mtimeMs] of this.#taken) {
      if (mtimeMs <= horizonMs) this.#taken.delete(path)
    }
  }

  entries(): (readonly [string, number])[] {
    return [...this.#taken]
  }
}

/** Where a reader of files stands. `pieces` are what the newest batch took; the last of them may
 * end inside its file. */
export interface FilesPosition {
  /** Batches with files so far. */
  readonly ordinal: number
  readonly memory: FileMemory
  readonly pieces: readonly TakenPiece[]
}

interface PositionText {
  readonly n: number
  readonly horizonMs: number
  readonly taken: readonly (readonly [path: string, mtimeMs: number])[]
  readonly pieces: readonly (readonly [
    path: string,
    size: number,
    mtimeMs: number,
    from: number,
    to: number,
  ])[]
}

/** Gives a position as the log keeps it. */
export function encodePosition({ ordinal, memory, pieces }: FilesPosition): Position {
  const text: PositionText = {
    n: ordinal,
    horizonMs: memory.horizonMs,
    taken: memory.entries(),
    pieces: pieces.map(({ path, size, mtimeMs, from, to }) => [path, size, mtimeMs, from, to]),
  }
  return { kind: 'sequence', sequence: JSON.stringify(text), sub: -1 }
}

/** Gives a position by its number alone: enough to say what a range follows, and short. */
export function ordinalPosition(ordinal: number): Position {
  return { kind: 'sequence', sequence: JSON.stringify({ n: ordinal }), sub: -1 }
}

/** Reads what `encodePosition` gave. */
export function decodePosition(position: Position): FilesPosition {
  const sequence = position.kind === 'sequence' ? position.sequence : '{"n":0}'
  const { n, horizonMs = 0, taken = [], pieces = [] } = JSON.parse(sequence) as PositionText
  return {
    ordinal: n,
    memory: new FileMemory(horizonMs, taken),
    pieces: pieces.map(([path, size, mtimeMs, from, to]) => ({ path, size, mtimeMs, from, to })),
  }
}
