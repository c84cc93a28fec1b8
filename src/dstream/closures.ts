import { ConfigError } from '../errors.ts'

/** Refuses a closure that is not a function, or is declared async, where the operator is
 * declared. */
export function refuseAsync(f: unknown, operator: string): void {
  if (typeof f !== 'function') {
    throw new ConfigError(`Cannot use ${String(f)} in ${operator}: it must be a function`)
  }
  if (Object.prototype.toString.call(f) !== '[object AsyncFunction]') return
  throw new ConfigError(
    `Cannot use an async function in ${operator}: closures are synchronous; use mapAsync for I/O`,
  )
}
