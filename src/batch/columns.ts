// Values as columns of bytes: what crosses threads, what a window keeps, what goes into the log.
//
// Numbers are 64-bit floats, texts are one run of characters with their lengths, and all else is
// MessagePack. What comes back is what went in, bit for bit (codec.ts).

import { decode, encode } from './codec.ts'

/** Values of one column. Structured-cloneable, storable, and without references to what it was
 * made of. */
export type Column =
  | { readonly kind: 'numbers'; readonly data: Float64Array }
  | {
      /** One character a byte (Latin-1) or two (UTF-16, little-endian). */
      readonly kind: 'latin1' | 'utf16'
      readonly lengths: Uint32Array
      readonly data: Uint8Array
    }
  | { readonly kind: 'packed'; readonly length: number; readonly data: Uint8Array }

/** Puts values into a column. Throws VALUE_NOT_STORABLE; `what` names them in the message. */
export function toColumn(values: readonly unknown[], what: string): Column {
  const first = values[0]
  if (values.length === 0 || typeof first === 'number')
    return numbers(values) ?? packed(values, what)
  if (typeof first === 'string') return texts(values) ?? packed(values, what)
  return packed(values, what)
}

/** The values of a column; objects are fresh at each call. */
export function fromColumn(column: Column): unknown[] {
  switch (column.kind) {
    case 'numbers':
      return listOf(column.data)
    case 'latin1':
    case 'utf16':
      return cutTexts(column.kind, column.lengths, column.data)
    case 'packed':
      return decode(column.data) as unknown[]
  }
}

/** The number of values. */
export function columnLength(column: Column): number {
  switch (column.kind) {
    case 'numbers':
      return column.data.length
    case 'latin1':
    case 'utf16':
      return column.lengths.length
    case 'packed':
      return column.length
  }
}

/** The memory of a column, to be handed to another thread with it. */
export function columnBuffers(column: Column): ArrayBuffer[] {
  const buffers = [column.data.buffer as ArrayBuffer]
  if (column.kind === 'latin1' || column.kind === 'utf16') {
    buffers.push(column.lengths.buffer as ArrayBuffer)
  }
  return buffers
}

/** As Array.from, which takes ten times as long. */
function listOf(data: Float64Array): number[] {
  const values: number[] = new Array(data.length)
  for (let i = 0; i < data.length; i++) values[i] = data[i] as number
  return values
}

function numbers(values: readonly unknown[]): Column | undefined {
  const data = new Float64Array(values.length)
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (typeof value !== 'number') return undefined
    data[i] = value
  }
  return { kind: 'numbers', data }
}

/** Appending and writing once takes a third of the time of `join`, whatever the lengths. */
function texts(values: readonly unknown[]): Column | undefined {
  const lengths = new Uint32Array(values.length)
  let all = ''
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (typeof value !== 'string') return undefined
    lengths[i] = value.length
    all += value
  }
  const wide = !isLatin1(all)
  const data = new Uint8Array(wide ? all.length * 2 : all.length)
  Buffer.from(data.buffer).write(all, wide ? 'utf16le' : 'latin1')
  return { kind: wide ? 'utf16' : 'latin1', lengths, data }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the range of Latin-1 begins at 0
const BEYOND_LATIN1 = /[^\u0000-\u00ff]/

function isLatin1(text: string): boolean {
  return !BEYOND_LATIN1.test(text)
}

/** Characters that are decoded at once: a text that is kept keeps no more than these. */
const RUN_CHARACTERS = 2 ** 16

function cutTexts(kind: 'latin1' | 'utf16', lengths: Uint32Array, data: Uint8Array): string[] {
  const buffer = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  const encoding = kind === 'utf16' ? 'utf16le' : 'latin1'
  const width = kind === 'utf16' ? 2 : 1
  const values: string[] = new Array(lengths.length)
  let next = 0
  let from = 0
  while (next < lengths.length) {
    const [upTo, characters] = runFrom(next, lengths)
    const run = buffer.toString(encoding, from, from + characters * width)
    for (let start = 0; next < upTo; next++) {
      const end = start + (lengths[next] as number)
      values[next] = run.slice(start, end)
      start = end
    }
    from += characters * width
  }
  return values
}

/** Where the run of texts that begins at `first` ends, and how long it is. */
function runFrom(first: number, lengths: Uint32Array): [upTo: number, characters: number] {
  let characters = 0
  let upTo = first
  while (upTo < lengths.length && characters < RUN_CHARACTERS) characters += lengths[upTo++] ?? 0
  return [upTo, characters]
}

function packed(values: readonly unknown[], what: string): Column {
  // A copy of its own: MessagePack's buffers are shared, and cannot be handed to another thread.
  const data = new Uint8Array(encode(values, what))
  return { kind: 'packed', length: values.length, data }
}
