import type { Logger } from '../events.ts'

/** A logger that says nothing.
 *
 * @example
 * ```ts
 * quietLogger.error({}, 'not shown')
 * ```
 */
export const quietLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}
