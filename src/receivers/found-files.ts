// The files that a reader has found and no batch has taken whole, in the order in which they are
// read.

import type { FileBlock, FileIdentity } from './file-block.ts'
import type { TakenPiece } from './file-memory.ts'

/** A file that was found. Bytes before `taken` are in batches, those before `read` are read. */
export class FoundFile {
  readonly file: FileIdentity
  read: number
  /** True once nothing is left to read. */
  whole = false
  /** Where the piece that the next batch takes begins. */
  #from: number
  #taken: number
  /** Where the newest block ends. */
  #pushed: number

  constructor(file: FileIdentity, from = 0) {
    this.file = file
    this.read = from
    this.#from = from
    this.#taken = from
    this.#pushed = from
  }

  /** True once batches have every record. Bytes after the last record go with it. */
  get done(): boolean {
    return this.whole && this.#taken >= this.#pushed
  }

  push(block: FileBlock<unknown>): void {
    this.#pushed = block.place.to
  }

  take(block: FileBlock<unknown>): void {
    this.#taken = block.place.to
  }

  /** What was taken since the last call; undefined for nothing. */
  piece(): TakenPiece | undefined {
    const to = this.done ? this.file.size : this.#taken
    if (to === this.#from && !this.done) return undefined
    const piece = { ...this.file, from: this.#from, to }
    this.#from = to
    return piece
  }
}

/** The files found, oldest first within each scan. */
export class FoundFiles {
  #files: FoundFile[] = []
  readonly #byIdentity = new Map<FileIdentity, FoundFile>()
  readonly #paths = new Set<string>()

  get length(): number {
    return this.#files.length
  }

  has(path: string): boolean {
    return this.#paths.has(path)
  }

  /** The first file that is not read whole. */
  get next(): FoundFile | undefined {
    return this.#files.find(({ whole }) => !whole)
  }

  /** When the oldest of the files was last modified; undefined without files. */
  get oldestMs(): number | undefined {
    const { length } = this.#files
    return length === 0
      ? undefined
      : this.#files.reduce((ms, { file }) => Math.min(ms, file.mtimeMs), Number.POSITIVE_INFINITY)
  }

  add(found: FoundFile): void {
    this.#files.push(found)
    this.#byIdentity.set(found.file, found)
    this.#paths.add(found.file.path)
  }

  /** Gives the pieces that `blocks` stand for, and forgets the files that they complete. */
  take(blocks: readonly FileBlock<unknown>[]): TakenPiece[] {
    for (const block of blocks) this.#byIdentity.get(block.place.file)?.take(block)
    const pieces: TakenPiece[] = []
    let done = 0
    for (const found of this.#files) {
      const isDone = found.done
      const piece = found.piece()
      if (piece !== undefined) pieces.push(piece)
      if (!isDone) break
      done += 1
      this.#byIdentity.delete(found.file)
      this.#paths.delete(found.file.path)
    }
    this.#files = this.#files.slice(done)
    return pieces
  }
}

/** Keeps the oldest `max` files of those that are added. */
export class OldestFiles {
  readonly #max: number
  readonly #files: FileIdentity[] = []
  #left = 0

  constructor(max: number) {
    this.#max = max
  }

  /** How many were left out. */
  get left(): number {
    return this.#left
  }

  add(file: FileIdentity): void {
    this.#files.push(file)
    if (this.#files.length >= 2 * this.#max + 1_000) this.inOrder()
  }

  /** The files that are kept, oldest first, and those of one time by path. */
  inOrder(): readonly FileIdentity[] {
    this.#files.sort(byAge)
    this.#left += Math.max(0, this.#files.length - this.#max)
    this.#files.length = Math.min(this.#files.length, this.#max)
    return this.#files
  }
}

function byAge(a: FileIdentity, b: FileIdentity): number {
  return a.mtimeMs - b.mtimeMs || (a.path < b.path ? -1 : Number(a.path > b.path))
}
