import { oneOf } from '../allowed-values.ts'

/** Where `persist` is asked to keep batches. All levels keep them in memory. */
export type PersistLevel = (typeof LEVELS)[number]

const LEVELS = ['memory', 'memory-and-disk', 'disk'] as const

/** Gives a level that there is; throws ConfigError for others. `stream` names the stream. */
export function checkedLevel(level: unknown, stream: string): PersistLevel {
  return oneOf(level, LEVELS, `the level at which "${stream}" is persisted`)
}
