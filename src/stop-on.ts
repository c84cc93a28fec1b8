// Signals of the operating system that end a run.

import { type Clock, sleep } from './clock.ts'

/** What a signal does. */
export interface StopOnParts {
  readonly signals: readonly NodeJS.Signals[]
  /** From the first signal to `atOnce`, in milliseconds. */
  readonly withinMs: number
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
