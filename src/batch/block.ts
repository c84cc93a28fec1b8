// A block is a run of consecutive records of one source partition, kept as the receiver got it.

/** Consecutive records of one source partition, in order. Immutable once it is handed over.
 *
 * A block keeps bytes where its source has bytes and makes a record only when asked, so that a
 * record that no closure reads costs nothing. */
export interface Block<T> {
  /** How many records. */
  readonly length: number
  /** Bytes that the block holds in memory, as counted against the buffers' bounds. */
  readonly bytes: number
  /** Makes the record at `index`, 0 ≤ index < length. Each call gives a fresh one where records
   * can be changed. */
  at(index: number): T
  /** CRC-32 of the records before this block, continued over this block's. */
  crc(before: number): number
  /** The record's own position in its source, for error messages. */
  positionAt(index: number): string
  /** The records from `start` to before `end` as a block of their own. */
  slice(start: number, end: number): Block<T>
  /** The records, in order, as pieces of texts; undefined where they are not. */
  textPieces?(): Iterable<TextPieces> | undefined
  /** The block on its way to another thread, in memory that nobody else uses. Its source's
   * `fromParcel` makes the block of it there. Without it the records themselves are sent, and must
   * be storable. */
  toParcel?(): BlockParcel
}

/** Records that are pieces of one text: a loop cuts them itself, without a call for each. */
export interface TextPieces {
  /** How many records. */
  readonly length: number
  /** The text of all records, and perhaps more. */
  readonly text: string
  /** Record `i` is the text from `starts[i]` to before `ends[i]`. */
  readonly starts: ArrayLike<number>
  /** See `starts`. */
  readonly ends: ArrayLike<number>
}

/** What is sent for a block: structured-cloneable, with the memory that goes along. */
export interface BlockParcel {
  /** What `fromParcel` gets. */
  readonly content: unknown
  /** The memory in `content` that the sender gives away. */
  readonly buffers: readonly ArrayBuffer[]
}

/** Bytes that lie in memory of their own: themselves where that is so, else a copy. */
export function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const alone = bytes.byteLength === bytes.buffer.byteLength && bytes.buffer instanceof ArrayBuffer
  return alone ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes)
}
