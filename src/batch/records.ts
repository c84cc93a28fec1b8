/** Records that can be read by index: an array, or a block of a source. */
export interface Records<T> {
  readonly length: number
  at(index: number): T | undefined
}

/** One partition of a batch: consecutive pieces, read in order. */
export type Partition<T> = readonly Records<T>[]

/** The number of records of a partition. */
export function partitionLength(partition: Partition<unknown>): number {
  let length = 0
  for (const piece of partition) length += piece.length
  return length
}
