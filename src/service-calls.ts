// What the clients of services share where a call has failed.

import { type Clock, unlessAborted } from './clock.ts'
import { codeOf } from './errors.ts'

const FIRST_LIMIT_MS = 100
const LIMIT_MAX_MS = 5_000

/** How long to wait after the `failed`-th failure in a row, counted from 1, in milliseconds: a
 * random time up to a limit that doubles from 100 ms to 5 s. Full jitter, as in "Exponential
 * backoff and jitter" of the AWS Architecture Blog (2015). `random` gives numbers from 0 to 1. */
export function fullJitterMs(failed: number, random: () => number = Math.random): number {
  return random() * Math.min(LIMIT_MAX_MS, FIRST_LIMIT_MS * 2 ** (failed - 1))
}

/** What a call that took too long fails with. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
}

/** Gives what a call resolves to; rejects with `NoAnswer` when that has not come after `ms`
 * milliseconds, and with the reason of `stop` when it aborts before. A client may ignore the signal
 * that the call gets: the wait ends all the same. */
export async function answerWithin<T>(
  clock: Clock,
  ms: number,
  call: (signal: AbortSignal) => Promise<T>,
  stop?: AbortSignal,
): Promise<T> {
  const aborted = new AbortController()
  const cancel = clock.after(ms, () => {
    aborted.abort(new NoAnswer(`no answer within ${Math.round(ms)} ms`))
  })
  const stopped = (): void => aborted.abort(stop?.reason)
  stop?.addEventListener('abort', stopped, { once: true })
  try {
    return await unlessAborted(call(aborted.signal), aborted.signal)
  } finally {
    cancel()
    stop?.removeEventListener('abort', stopped)
  }
}

/** The HTTP status of what a client of the AWS SDK threw, or undefined if there was no answer. */
export function httpStatusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return undefined
  const { $metadata: metadata } = error
  if (typeof metadata !== 'object' || metadata === null) return undefined
  const status = 'httpStatusCode' in metadata ? metadata.httpStatusCode : undefined
  return typeof status === 'number' ? status : undefined
}

/** What the system says of connections that cannot be made, or broke. */
const NETWORK = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'EAI_AGAIN',
  'ENOTFOUND',
])

/** True where the connection to a service could not be made, or broke. */
export function isConnectionLost(error: unknown): boolean {
  return NETWORK.has(codeOf(error) ?? '')
}
