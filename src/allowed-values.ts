// What the value of an option may be: each check names the value, the option and the rule.

import { inspect } from 'node:util'
import { ConfigError } from './errors.ts'

/** Gives `value` if it is one of `allowed`; throws ConfigError otherwise. `what` names the
 * option. */
export function oneOf<T extends string>(value: unknown, allowed: readonly T[], what: string): T {
  const found = allowed.find((one) => one === value)
  if (found !== undefined) return found
  const words = allowed.map((one) => `'${one}'`)
  const others = words.slice(0, -1).join(', ')
  throw new ConfigError(
    `Cannot use ${shown(value)} as ${what}: it must be ${others} or ${words.at(-1)}`,
  )
}

/** Gives `value` if it is a whole number from `min` to `max`; throws ConfigError otherwise. */
export function wholeWithin(value: unknown, what: string, min: number, max: number): number {
  const isWhole = typeof value === 'number' && Number.isSafeInteger(value)
  if (isWhole && value >= min && value <= max) return value
  throw new ConfigError(
    `Cannot use ${shown(value)} as ${what}: it must be a whole number from ${min} to ${max}`,
  )
}

const SHOWN_MAX = 200

/** A value as messages show it: in one line, and no book. */
export function shown(value: unknown): string {
  return inspect(value, { depth: 0, breakLength: Number.POSITIVE_INFINITY }).slice(0, SHOWN_MAX)
}
