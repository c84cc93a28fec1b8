// How the bytes of a file become records. Every format reads from any byte at which a record
// begins, so that a batch may end inside a file and a redo reads the same records.

import { Lines, wholeLinesIn } from '../batch/lines.ts'
import { StreamingError } from '../errors.ts'
import { FileBlock, type FileIdentity } from './file-block.ts'
import type { OpenFile } from './open-file.ts'
import { FixedRecords } from './records-block.ts'

/** What one read of a file gave: a block, unless it held no record, and where the next read
 * begins. */
export interface ReadPiece<T> {
  readonly block: FileBlock<T> | undefined
  readonly next: number
}

/** Makes records of bytes. */
export interface FileFormat<T> {
  /** Reads one block of at most 8 MiB from `from`, where a record begins, to before `to`, where
   * one begins or the file ends. `from` and `to` are equal only for an empty file. */
  read(file: OpenFile, from: number, to: number): Promise<ReadPiece<T>>
}

/** The longest block that a file is read in, except where one record is longer. */
export const FILE_BLOCK_BYTES_MAX = 8 * 1_048_576

const READ_BYTES = 1_048_576
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf]

/** How lines are read. */
export interface LineFormatOptions {
  readonly lineBytesMax: number
  readonly onLongLine: 'stop' | 'drop'
  /** Called for each line that is dropped. */
  readonly dropped: () => void
}

/** Lines of UTF-8 text, ended by `\n` or `\r\n`. A last line without an ending is a line; a byte
 * order mark is not part of the first one. */
export function lineFormat(options: LineFormatOptions): FileFormat<string> {
  // Long enough for the longest line with its ending.
  const readBytes = Math.max(READ_BYTES, options.lineBytesMax + 2)
  return {
    async read(file, from, to) {
      const end = Math.min(to, from + readBytes)
      const bytes = withoutMark(from, await file.read(from, end))
      const base = end - bytes.length
      const whole = end === to ? ended(bytes) : bytes.subarray(0, wholeLinesIn(bytes))
      if (whole.length === 0 && end < to) {
        refuseOrDrop(options, file.file, base)
        return { block: undefined, next: await endOfLine(file, end, to) }
      }
      const lines = new Lines(whole)
      const long = firstLongLine(lines, options.lineBytesMax)
      if (long !== undefined) refuseOrDrop(options, file.file, base + lines.startOf(long))
      const after = long === undefined ? lines.length : long + 1
      const next = Math.min(base + lines.startOf(after), end)
      const place = { file: file.file, from, to: next, base }
      const block = new FileBlock(place, lines, 0, long ?? lines.length)
      return { block: block.length === 0 ? undefined : block, next }
    },
  }
}

/** Records of `recordBytes` each. */
export function fixedFormat(recordBytes: number): FileFormat<Uint8Array> {
  const readBytes = Math.max(1, Math.floor(READ_BYTES / recordBytes)) * recordBytes
  return {
    async read(file, from, to) {
      const { size, path } = file.file
      if (size % recordBytes !== 0) {
        throw invalid(
          file.file,
          `its ${size} bytes must be a multiple of recordBytes (${recordBytes}); write whole ` +
            `records, or leave "${path}" out with filter`,
        )
      }
      const next = Math.min(to, from + readBytes)
      if (next === from) return { block: undefined, next }
      const bytes = await file.read(from, next)
      const records = new FixedRecords(bytes, bytes.length / recordBytes, recordBytes)
      return {
        block: new FileBlock({ file: file.file, from, to: next, base: from }, records),
        next,
      }
    },
  }
}

/** Each file is one record. */
export function wholeFormat(fileBytesMax: number): FileFormat<Uint8Array> {
  return {
    async read(file, from, to) {
      const { size, path } = file.file
      if (size > fileBytesMax) {
        throw invalid(
          file.file,
          `it has ${size} bytes, and a file that is one record may have fileBytesMax ` +
            `(${fileBytesMax}); raise it, or leave "${path}" out with filter`,
        )
      }
      const records = new FixedRecords(await file.read(from, to), 1, size)
      return { block: new FileBlock({ file: file.file, from, to, base: from }, records), next: to }
    },
  }
}

function withoutMark(from: number, bytes: Uint8Array): Uint8Array {
  const marked = from === 0 && BYTE_ORDER_MARK.every((byte, i) => bytes[i] === byte)
  return marked ? bytes.subarray(BYTE_ORDER_MARK.length) : bytes
}

/** Ends the last line where the file does not. */
function ended(bytes: Uint8Array): Uint8Array {
  if (wholeLinesIn(bytes) === bytes.length) return bytes
  const longer = new Uint8Array(bytes.length + 1)
  longer.set(bytes)
  longer[bytes.length] = 0x0a
  return longer
}

function firstLongLine(lines: Lines, lineBytesMax: number): number | undefined {
  if (lines.bytes.length <= lineBytesMax) return undefined
  for (let i = 0; i < lines.length; i++) {
    if (lines.bytesOf(i) > lineBytesMax + 1 && lineBytes(lines, i) > lineBytesMax) return i
  }
  return undefined
}

/** The bytes of a line without its ending. */
function lineBytes(lines: Lines, index: number): number {
  const end = lines.startOf(index + 1)
  return lines.bytesOf(index) - (lines.bytes[end - 2] === 0x0d ? 2 : 1)
}

/** The byte after the end of the line that goes on at `from`. */
async function endOfLine(file: OpenFile, from: number, to: number): Promise<number> {
  for (let at = from; at < to; at += READ_BYTES) {
    const bytes = await file.read(at, Math.min(to, at + READ_BYTES))
    const found = bytes.indexOf(0x0a)
    if (found !== -1) return at + found + 1
  }
  return to
}

function refuseOrDrop(options: LineFormatOptions, file: FileIdentity, at: number): void {
  if (options.onLongLine === 'drop') {
    options.dropped()
    return
  }
  throw invalid(
    file,
    `the line at byte ${at} is longer than lineBytesMax (${options.lineBytesMax} bytes); raise ` +
      `it, or set onLongLine to 'drop'`,
  )
}

function invalid(file: FileIdentity, why: string): StreamingError {
  return new StreamingError('RECORD_INVALID', `Cannot read file "${file.path}": ${why}`)
}
