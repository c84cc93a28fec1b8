// A file of lines in parts of about the same number of bytes, each of whole lines.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

const NEWLINE = 0x0a
const LINE_BYTES_MAX = 4_096

/** Bytes that the contestants read at once. */
export const BLOCK_BYTES_MAX = 8 * 2 ** 20

/** Reads part `part` of `parts` in blocks of at most `bytesMax`, each in memory of its own. */
export function readBlocks(path: string, part: number, parts: number, bytesMax: number): Buffer[] {
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    const end = lineStart(file, size, Math.floor((size * (part + 1)) / parts))
    const blocks: Buffer[] = []
    let start = lineStart(file, size, Math.floor((size * part) / parts))
    while (start < end) {
      const aim = start + bytesMax - LINE_BYTES_MAX
      const blockEnd = aim >= end ? end : lineStart(file, size, aim)
      blocks.push(readBytes(file, start, blockEnd))
      start = blockEnd
    }
    return blocks
  } finally {
    closeSync(file)
  }
}

/** Reads part `part` of `parts` as text, in the blocks that an engine's source gives. */
export function readTexts(path: string, part: number, parts: number): string[] {
  return readBlocks(path, part, parts, BLOCK_BYTES_MAX).map((block) => block.toString('utf8'))
}

function readBytes(file: number, start: number, end: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(end - start)
  let read = 0
  while (read < bytes.length) {
    read += readSync(file, bytes, read, bytes.length - read, start + read)
  }
  return bytes
}

/** Where the first line begins at `aim` or after it. */
function lineStart(file: number, size: number, aim: number): number {
  if (aim === 0 || aim >= size) return aim
  const around = Buffer.alloc(Math.min(LINE_BYTES_MAX, size - aim + 1))
  readSync(file, around, 0, around.length, aim - 1)
  const newline = around.indexOf(NEWLINE)
  if (newline === -1) throw new Error(`A line of the input is longer than ${LINE_BYTES_MAX} bytes`)
  return aim + newline
}
