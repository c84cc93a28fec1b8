// What went wrong, and whether it may go right when it is done again.

import { codeOf, messageOf, StreamingError } from '../../errors.ts'
import { isConnectionLost } from '../../service-calls.ts'
import type { SinkBatch } from '../sink.ts'

/** What PostgreSQL says of an error, beside its message. */
interface Report {
  readonly detail?: string
  readonly where?: string
  readonly column?: string
  readonly constraint?: string
}

const PASSING = new Set([
  // Shut down, crashed, starting; idle for too long within a transaction.
  '57P01',
  '57P02',
  '57P03',
  '25P03',
  // Too many connections; not serializable; deadlock.
  '53300',
  '40001',
  '40P01',
])

/** True for what may go right when it is done again: the connection was lost, or the server asks
 * for it. */
export function isPassing(error: unknown): boolean {
  const code = codeOf(error)
  if (code !== undefined) {
    return isConnectionLost(error) || PASSING.has(code) || code.startsWith('08')
  }
  return /^(Connection terminated|Client has encountered a connection error|timeout expired)/.test(
    messageOf(error),
  )
}

/** The error of a batch that cannot be written. `at`: where it failed, as far as that is known. */
export function writeFailed(
  batch: SinkBatch,
  table: string,
  cause: unknown,
  at?: { readonly partition: number; readonly record?: number | undefined },
): StreamingError {
  const report: Report = typeof cause === 'object' && cause !== null ? cause : {}
  const record = at?.record === undefined ? '' : `record ${at.record} of `
  const place = at === undefined ? '' : `${record}partition ${at.partition} of `
  return new StreamingError(
    'SINK_FAILED',
    `Cannot write ${place}batch ${batch.batchId} to PostgreSQL table "${table}": ` +
      `${messageOf(cause)}${about(report)}`,
    { cause, retryable: isPassing(cause) },
  )
}

/** The record at which a COPY failed, from 0; undefined where PostgreSQL does not tell. */
export function copiedRecord(cause: unknown): number | undefined {
  const { where }: Report = typeof cause === 'object' && cause !== null ? cause : {}
  const line = /, line (\d+)/.exec(where ?? '')?.[1]
  return line === undefined ? undefined : Number(line) - 1
}

/** The error of a record whose columns cannot be written. */
export class BadRecord extends Error {
  readonly record: number
  readonly column: string

  constructor(
    message: string,
    options: { readonly cause: unknown; readonly record: number; readonly column: string },
  ) {
    super(message, options)
    this.record = options.record
    this.column = options.column
  }

  /** As a COPY names it. */
  get where(): string {
    return `, line ${this.record + 1}`
  }
}

function about({ detail, where, constraint, column }: Report): string {
  const inColumn = /, column ([^:]+)/.exec(where ?? '')?.[1]
  const parts = [
    column === undefined && inColumn !== undefined ? `column "${inColumn}"` : undefined,
    column === undefined ? undefined : `column "${column}"`,
    constraint === undefined ? undefined : `constraint "${constraint}"`,
    detail,
  ].filter((part) => part !== undefined)
  return parts.length === 0 ? '' : ` (${parts.join('; ')})`
}
