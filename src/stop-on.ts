// Signals of the operating system that end a run.

import { constants } from 'node:os'
import { shown } from './allowed-values.ts'
import { type Clock, sleep } from './clock.ts'
import { type Duration, durationMs } from './duration.ts'
import { ConfigError } from './errors.ts'

/** The signals, and the time, that end a run. */
export interface StopSettings {
  readonly signals: readonly NodeJS.Signals[]
  /** From the first signal to a stop at once, in milliseconds. */
  readonly withinMs: number
}

/** Checks `stopOn` and `stopWithin` of `start()`. Throws ConfigError. */
export function stopSettings(options: {
  readonly stopOn?: readonly NodeJS.Signals[]
  readonly stopWithin?: Duration
}): StopSettings {
  const { stopOn: signals = [], stopWithin = '25s' } = options
  if (!Array.isArray(signals)) throw refusal(signals, 'it')
  for (const signal of signals as readonly unknown[]) {
    if (signal === 'SIGKILL' || signal === 'SIGSTOP') {
      throw new ConfigError(
        `Cannot use '${signal}' as stopOn: no process can catch it; use ['SIGTERM', 'SIGINT']`,
      )
    }
    if (!Object.hasOwn(constants.signals, String(signal))) throw refusal(signal, 'each')
  }
  return { signals: [...new Set(signals)], withinMs: durationMs(stopWithin, 'stopWithin') }
}

function refusal(value: unknown, what: 'it' | 'each'): ConfigError {
  const rule =
    what === 'it' ? 'it must be a list of signals' : 'each must be a signal of the system'
  return new ConfigError(
    `Cannot use ${shown(value)} as stopOn: ${rule}, such as ['SIGTERM', 'SIGINT']`,
  )
}

/** What a signal does. */
export interface StopOnParts extends StopSettings {
  readonly clock: Clock
  /** The first signal: what was received is processed. */
  readonly gracefully: () => void
  /** Time is up. */
  readonly atOnce: () => void
}

/** Listens until the function that it gives is called. The second signal is the system's own: by
 * default it ends the process. */
export function stopOn(parts: StopOnParts): () => void {
  const { signals, withinMs, clock, gracefully, atOnce } = parts
  const over = new AbortController()
  const unlisten = (): void => {
    for (const signal of signals) process.off(signal, take)
  }
  function take(): void {
    unlisten()
    gracefully()
    sleep(clock, withinMs, over.signal).then(atOnce, () => undefined)
  }
  for (const signal of signals) process.on(signal, take)
  return () => {
    unlisten()
    over.abort()
  }
}
