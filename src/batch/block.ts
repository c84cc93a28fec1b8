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
}
