// Time enters the engine here and nowhere else, so that a test can own it.

/** Cancels a timer that has not fired. */
export type Cancel = () => void

/** The engine's only source of time. */
export interface Clock {
  /** The wall clock in epoch milliseconds. It may jump: the scheduler reads it once, at start. */
  wallMs(): number
  /** Milliseconds on a clock that never goes back. Only differences have a meaning. */
  monotonicMs(): number
  /** Calls `fire` once, `delayMs` from now or later. The timer keeps the process alive. */
  after(delayMs: number, fire: () => void): Cancel
}

/** The machine's own clock. */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, fire) {
    let timer: NodeJS.Timeout
    const wait = (leftMs: number): void => {
      const partMs = Math.min(leftMs, TIMER_MS_MAX)
      const next = leftMs > partMs ? () => wait(leftMs - partMs) : fire
      timer = setTimeout(next, partMs)
    }
    wait(Math.max(0, delayMs))
    return () => clearTimeout(timer)
  },
}

/** 24.8 days: a timer of Node that is set for longer fires after 1 ms. */
const TIMER_MS_MAX = 2 ** 31 - 1

/** Gives the time as the wall clock says it now, but not before `earliestMs`, carried on by the
 * monotonic clock: epoch milliseconds that never go back. */
export function steadyTime(clock: Clock, earliestMs = 0): () => number {
  const wallMs = Math.max(clock.wallMs(), earliestMs)
  const monotonicMs = clock.monotonicMs()
  return () => wallMs + (clock.monotonicMs() - monotonicMs)
}

/** Waits on `clock`; rejects with the signal's reason if it aborts first. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(reasonOf(signal))
      return
    }
    const cancel = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', abort)
      resolve()
    })
    function abort(): void {
      cancel()
      reject(reasonOf(signal))
    }
    signal?.addEventListener('abort', abort, { once: true })
  })
}

/** Gives what `pending` resolves to; rejects with the signal's reason if it aborts first. What is
 * pending goes on then, and nobody hears of its end: it must be what may be left alone. */
export async function unlessAborted<T>(pending: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = (): void => reject(reasonOf(signal))
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([aborted, pending])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

function reasonOf(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason
  return reason instanceof Error ? reason : new Error('The wait was aborted', { cause: reason })
}
