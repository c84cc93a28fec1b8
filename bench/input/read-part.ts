// A file of lines in parts of about the same number of bytes, each of whole lines.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

const NEWLINE = 0x0a
const LINE_BYTES_MAX = 4_096

/** Reads part `part` of `parts`. */
export function readPart(path: string, part: number, parts: number): Buffer {
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    const start = lineStart(file, size, part / parts)
    const end = lineStart(file, size, (part + 1) / parts)
    const bytes = Buffer.allocUnsafe(end - start)
    let read = 0
    while (read < bytes.length)
      read += readSync(file, bytes, read, bytes.length - read, start + read)
    return bytes
  } finally {
    closeSync(file)
  }
}

/** Where the first line begins at or after a share of the file. */
function lineStart(file: number, size: number, share: number): number {
  const aim = Math.floor(size * share)
  if (aim === 0 || aim >= size) return aim
  const around = Buffer.alloc(Math.min(LINE_BYTES_MAX, size - aim + 1))
  readSync(file, around, 0, around.length, aim - 1)
  const newline = around.indexOf(NEWLINE)
  if (newline === -1) throw new Error(`A line of the input is longer than ${LINE_BYTES_MAX} bytes`)
  return aim + newline
}
