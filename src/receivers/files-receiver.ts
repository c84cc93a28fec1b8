// Reads the files that appear in a folder, each once.
//
// A batch brings in what it takes: before the cut the folder is listed, and files are read, oldest
// first, until the batch is full. So a batch holds what was there at its time, and no more bytes
// wait than a batch takes.
//
// Files wait in three places: found (their names), in the buffer (their records), and in the memory
// of what was taken. The position that the log gets with a batch names the pieces that the batch
// takes and the memory after it; a file that was found and not taken whole is in neither, is newer
// than the memory's horizon, and so is found again after a restart.

import { stat } from 'node:fs/promises'
import { messageOf, StreamingError } from '../errors.ts'
import { BlockBuffer, ByteBound } from './block-buffer.ts'
import type { FileBlock, FileIdentity } from './file-block.ts'
import type { FileFormat } from './file-format.ts'
import {
  decodePosition,
  encodePosition,
  FileMemory,
  ordinalPosition,
  type TakenPiece,
} from './file-memory.ts'
import { type FolderPattern, filesIn, folderPattern, type ScannedFile } from './folder-scan.ts'
import { FoundFile, FoundFiles, OldestFiles } from './found-files.ts'
import { OpenFile } from './open-file.ts'
import type {
  CutLimits,
  PartitionPositions,
  RangeData,
  Receiver,
  ReceiverContext,
  SourceRange,
} from './receiver.ts'

/** The options of a source of files with their defaults, checked. */
export interface FilesSettings<T> {
  readonly folder: string
  readonly filter: (path: string) => boolean
  readonly newFilesOnly: boolean
  readonly rememberMs: number
  readonly existingAgeMaxMs: number
  readonly rememberedFilesMax: number
  /** Makes the format; `dropped` is called for each record that it drops. */
  readonly format: (dropped: () => void) => FileFormat<T>
}

const FILES_PER_SCAN_MAX = 10_000

/** Receives the files of one folder, or of all folders that a pattern names, for one run. */
export class FilesReceiver<T> implements Receiver {
  readonly #settings: FilesSettings<T>
  readonly #context: ReceiverContext
  readonly #pattern: FolderPattern
  readonly #format: FileFormat<T>
  readonly #bound: ByteBound
  readonly #buffer: BlockBuffer<FileBlock<T>>
  readonly #found = new FoundFiles()
  #memory = new FileMemory(0)
  #ordinal = 0
  /** When the newest scan that found everything began, epoch milliseconds. */
  #scannedAt: number | undefined
  /** How far the horizon may move, as far as the scans know. */
  #scannedUpTo = Number.NEGATIVE_INFINITY
  #open: OpenFile | undefined
  #filling: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(settings: FilesSettings<T>, context: ReceiverContext) {
    this.#settings = settings
    this.#context = context
    this.#pattern = folderPattern(settings.folder)
    this.#format = settings.format(() => context.count('lines-dropped'))
    this.#bound = new ByteBound(context.bufferBytesMax)
    this.#buffer = new BlockBuffer(this.#bound)
  }

  async start(from: PartitionPositions): Promise<PartitionPositions> {
    await this.#mustBeThere()
    const partition = this.#pattern.text
    const known = from.find((one) => one.partition === partition)
    if (known !== undefined) {
      await this.#resume(known)
      return from
    }
    const caughtUpAt = this.#context.clock.wallMs()
    await this.#begin(caughtUpAt)
    const position = encodePosition({ ordinal: 0, memory: this.#memory, pieces: [] })
    return [...from, { partition, position, caughtUpAt, parents: [] }]
  }

  run(): void {
    // Reading begins with the first batch.
  }

  prepare(limits: CutLimits): Promise<void> {
    this.#filling = this.#fill(limits).catch(async (error: unknown) => {
      this.#stopped = true
      this.#context.fail(error)
      await this.#closeFile()
    })
    return this.#filling
  }

  cut(limits: CutLimits): readonly RangeData[] {
    const blocks = this.#buffer.take(limits, (block, start, end) => block.slice(start, end))
    const pieces = this.#found.take(blocks)
    if (pieces.length === 0) return []
    for (const piece of pieces) if (piece.to === piece.size) this.#memory.take(piece)
    this.#moveHorizon()
    this.#ordinal += 1
    const range: SourceRange = {
      partition: this.#pattern.text,
      after: ordinalPosition(this.#ordinal - 1),
      upTo: encodePosition({ ordinal: this.#ordinal, memory: this.#memory, pieces }),
      records: blocks.reduce((n, block) => n + block.length, 0),
      crc: blocks.reduce((before, block) => block.crc(before), 0),
      caughtUpAt: this.#scannedAt ?? 0,
      parents: [],
    }
    return [{ range, blocks }]
  }

  async replay(ranges: readonly SourceRange[]): Promise<readonly RangeData[]> {
    const read: RangeData[] = []
    for (const range of ranges) {
      const { base } = folderPattern(range.partition)
      const blocks: FileBlock<T>[] = []
      for (const piece of decodePosition(range.upTo).pieces) {
        blocks.push(...(await this.#readAgain(base, piece)))
      }
      read.push({ range, blocks })
    }
    return read
  }

  caughtUp(): boolean {
    return this.#scannedAt !== undefined && this.#found.next === undefined
  }

  bufferedBytes(): number {
    return this.#bound.bytes
  }

  lagMs(): number | undefined {
    if (this.#scannedAt === undefined) return undefined
    const oldestMs = this.#found.oldestMs
    return oldestMs === undefined ? 0 : Math.max(0, this.#context.clock.wallMs() - oldestMs)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#filling
    await this.#closeFile()
  }

  async #mustBeThere(): Promise<void> {
    const { base } = this.#pattern
    let why = 'it is no folder'
    try {
      if ((await stat(base)).isDirectory()) return
    } catch (error) {
      why = messageOf(error)
    }
    throw new StreamingError(
      'SOURCE_UNREACHABLE',
      `Cannot read files of folder "${base}": ${why}; make the folder, or check its path, which ` +
        `is relative to the working directory, and its permissions`,
    )
  }

  async #resume({ position }: PartitionPositions[number]): Promise<void> {
    const { ordinal, memory, pieces } = decodePosition(position)
    this.#ordinal = ordinal
    this.#memory = memory
    const last = pieces.at(-1)
    if (last === undefined || last.to === last.size) return
    const { path, size, mtimeMs, to } = last
    const found = new FoundFile({ path, size, mtimeMs }, to)
    this.#found.add(found)
    this.#open = await OpenFile.open(this.#pattern.base, found.file)
  }

  /** A folder that the checkpoint does not know: what is there already is old, or is read too. */
  async #begin(now: number): Promise<void> {
    const { newFilesOnly, rememberMs, existingAgeMaxMs, filter } = this.#settings
    this.#memory = new FileMemory(now - (newFilesOnly ? rememberMs : existingAgeMaxMs))
    if (!newFilesOnly) return
    for await (const file of filesIn(this.#pattern, filter)) {
      if (file.mtimeMs <= now) this.#memory.take(file)
    }
  }

  async #fill({
    bytesMax,
    recordsMax,
    arrivedBy = Number.POSITIVE_INFINITY,
  }: CutLimits): Promise<void> {
    let scanned = false
    while (!this.#stopped && this.#bound.bytes < bytesMax && this.#buffer.records < recordsMax) {
      if (this.#found.next === undefined) {
        if (scanned || this.#hasScanned(arrivedBy)) return
        scanned = await this.#scan()
      }
      const { next } = this.#found
      if (next === undefined || next.file.mtimeMs > arrivedBy) return
      await this.#read(next)
    }
  }

  #hasScanned(time: number): boolean {
    return this.#scannedAt !== undefined && this.#scannedAt >= time
  }

  /** Finds what is new; true if no more can be found for this batch. */
  async #scan(): Promise<boolean> {
    const at = this.#context.clock.wallMs()
    const { rememberMs, rememberedFilesMax, filter } = this.#settings
    const room = Math.max(1, rememberedFilesMax - this.#memory.size - this.#found.length)
    const oldest = new OldestFiles(Math.min(FILES_PER_SCAN_MAX, room))
    try {
      for await (const file of filesIn(this.#pattern, filter)) {
        if (this.#isNew(file, at)) oldest.add(file)
      }
    } catch (error) {
      return this.#scanFailed(error)
    }
    const files = oldest.inOrder()
    for (const { path, size, mtimeMs } of files)
      this.#found.add(new FoundFile({ path, size, mtimeMs }))
    const complete = oldest.left === 0
    const newestMs = files.at(-1)?.mtimeMs ?? at
    this.#scannedUpTo = complete ? at - rememberMs : Math.min(at - rememberMs, newestMs - 1)
    if (complete) this.#scannedAt = at
    else this.#context.count('files-held-back', oldest.left)
    this.#moveHorizon()
    return complete || room < FILES_PER_SCAN_MAX
  }

  #isNew(file: ScannedFile, now: number): boolean {
    if (file.mtimeMs > now || this.#found.has(file.path)) return false
    const takenMs = this.#memory.mtimeOf(file.path)
    if (takenMs !== undefined) {
      if (takenMs !== file.mtimeMs) this.#tellChanged(file)
      return false
    }
    if (file.mtimeMs > this.#memory.horizonMs) return true
    if (file.ctimeMs > (this.#scannedAt ?? now) && file.ctimeMs <= now) this.#tellOld(file)
    return false
  }

  #tellChanged(file: ScannedFile): void {
    this.#memory.take(file)
    this.#context.count('changed-files')
    this.#context.logger.warn(
      { folder: this.#pattern.text, file: file.path },
      'A file changed after it was read, and is not read again; give new records a new file',
    )
  }

  #tellOld(file: ScannedFile): void {
    this.#context.count('old-files')
    this.#context.logger.warn(
      { folder: this.#pattern.text, file: file.path, modified: new Date(file.mtimeMs) },
      'A file that appeared is ignored: it was last modified before the remembered time',
    )
  }

  /** The folder may come back: nothing is forgotten, and the next batch tries again. */
  #scanFailed(error: unknown): boolean {
    if (!(error instanceof Error) || !('syscall' in error)) throw error
    this.#context.count('folder-scans-failed')
    this.#context.logger.warn(
      { err: error, folder: this.#pattern.text },
      'A folder could not be listed; it is tried again with the next batch',
    )
    return true
  }

  #moveHorizon(): void {
    const oldestMs = this.#found.oldestMs
    const free = oldestMs === undefined ? Number.POSITIVE_INFINITY : oldestMs - 1
    this.#memory.advance(Math.min(this.#scannedUpTo, free))
  }

  async #read(found: FoundFile): Promise<void> {
    this.#open ??= await OpenFile.open(this.#pattern.base, found.file)
    const { block, next } = await this.#format.read(this.#open, found.read, found.file.size)
    if (next === found.file.size) {
      await this.#open.mustBeUnchanged()
      await this.#closeFile()
      found.whole = true
    }
    found.read = next
    if (block === undefined) return
    found.push(block)
    this.#buffer.push(block)
  }

  async #readAgain(base: string, piece: TakenPiece): Promise<FileBlock<T>[]> {
    const { path, size, mtimeMs } = piece
    const file: FileIdentity = { path, size, mtimeMs }
    const open = await OpenFile.open(base, file)
    try {
      const blocks: FileBlock<T>[] = []
      let at = piece.from
      do {
        const { block, next } = await this.#format.read(open, at, piece.to)
        if (block !== undefined) blocks.push(block)
        at = next
      } while (at < piece.to)
      return blocks
    } finally {
      await open.close()
    }
  }

  async #closeFile(): Promise<void> {
    const open = this.#open
    this.#open = undefined
    await open?.close()
  }
}
