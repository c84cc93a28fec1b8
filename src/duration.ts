import { ConfigError } from './errors.ts'

/** A length of time: a number is milliseconds, a string has its unit. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** Gives a duration in whole milliseconds. `what` names the setting in the error.
 *
 * @example
 * ```ts
 * assert.equal(durationMs('30s', 'window'), 30_000)
 * assert.equal(durationMs(250, 'batchInterval'), 250)
 * ```
 */
export function durationMs(duration: Duration, what: string): number {
  const ms = nearestWhole(typeof duration === 'number' ? duration : parse(duration))
  if (!Number.isSafeInteger(ms) || ms < 0) {
    throw new ConfigError(
      `Cannot use ${show(duration)} as ${what}: a duration is a whole number of milliseconds ` +
        `or a string such as '500ms', '30s', '5m', '1h', '1d'`,
    )
  }
  return ms
}

/** As `durationMs`, and refuses zero. */
export function positiveDurationMs(duration: Duration, what: string): number {
  const ms = durationMs(duration, what)
  if (ms > 0) return ms
  throw new ConfigError(`Cannot use ${show(duration)} as ${what}: it must be greater than 0 ms`)
}

/** Gives the length in milliseconds and refuses one that is not a multiple of `unitMs`. */
export function multipleMs(duration: Duration, what: string, unitMs: number, unit: string): number {
  const ms = positiveDurationMs(duration, what)
  if (ms % unitMs === 0) return ms
  const below = Math.floor(ms / unitMs) * unitMs
  const above = below + unitMs
  const nearest = below > 0 ? `${below} ms or ${above} ms` : `${above} ms`
  throw new ConfigError(
    `Cannot use ${show(duration)} as ${what}: it must be a multiple of the ${unit} ` +
      `(${unitMs} ms), got ${ms} ms; use ${nearest}`,
  )
}

function parse(text: string): number {
  const match = /^(-?\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(String(text))
  if (match === null) return Number.NaN
  return Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS]
}

/** 16.1 × 1000 is 16100.000000000002: what is off a whole number by no more than such rounding
 * is that number. */
function nearestWhole(ms: number): number {
  const whole = Math.round(ms)
  const rounding = Math.max(1e-6, Math.abs(ms) * 4 * Number.EPSILON)
  return Math.abs(ms - whole) <= rounding ? whole : ms
}

function show(duration: Duration): string {
  return typeof duration === 'string' ? `'${duration}'` : String(duration)
}
