import { ConfigError } from '../errors.ts'
import { KEY_GROUPS, SHUFFLE_PARTITIONS } from './partitioner.ts'

/** How many partitions a shuffle gives. */
export interface Partitions {
  /** A whole number from 1 to 256. @default 8, independent of the number of workers */
  readonly partitions?: number
}

/** The number of partitions that the options ask for. */
export function countOf(options: Partitions | undefined, operator: string): number {
  const partitions = options?.partitions ?? SHUFFLE_PARTITIONS
  checkPartitions(partitions, operator)
  return partitions
}

/** Refuses a number of partitions that is not a whole number from 1 to 256. */
export function checkPartitions(partitions: number, operator: string): void {
  if (Number.isInteger(partitions) && partitions >= 1 && partitions <= KEY_GROUPS) return
  throw new ConfigError(
    `Cannot use ${partitions} partitions for ${operator}: it must be a whole number from 1 to ` +
      `${KEY_GROUPS}, the number of key groups`,
  )
}
