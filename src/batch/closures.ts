import { ConfigError } from '../errors.ts'

/** Refuses what is not a function, where the operator is declared. */
export function requireFunction(f: unknown, operator: string): void {
  if (typeof f === 'function') return
  throw new ConfigError(`Cannot use ${String(f)} in ${operator}: it must be a function`)
}

/** Refuses a closure that is not a function, or is declared async, where the operator is
 * declared. */
export function refuseAsync(f: unknown, operator: string): void {
  requireFunction(f, operator)
  if (Object.prototype.toString.call(f) !== '[object AsyncFunction]') return
  throw new ConfigError(
    `Cannot use an async function in ${operator}: closures are synchronous; use mapAsync for I/O`,
  )
}
