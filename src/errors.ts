// Every error that millrace throws on purpose. `code` says which rule was met, the message says
// what to do, and `docs/errors.md` explains each code.

/** Each code that a millrace error can carry. `docs/errors.md` has one section for each. */
export type ErrorCode =
  | 'CONFIG_INVALID'
  | 'CONTEXT_CLOSED'
  | 'SOURCE_UNREACHABLE'
  | 'SOURCE_REPLAY_DIFFERS'
  | 'SOURCE_GAP'
  | 'SOURCE_NOT_REPLAYABLE'
  | 'RECORD_INVALID'
  | 'RECEIVER_STOPPED'
  | 'TASK_FAILED'
  | 'KEY_NOT_COMPARABLE'
  | 'VALUE_NOT_STORABLE'
  | 'START_STOPPED'
  | 'BATCH_MISSING'
  | 'BATCH_EMPTY'
  | 'BATCH_GIVEN_UP'
  | 'ACTION_NOT_ALLOWED'
  | 'STOP_NOT_ALLOWED'
  | 'BROADCAST_NOT_LOADED'
  | 'BROADCAST_FAILED'
  | 'ACCUMULATOR_OUTSIDE_TASK'
  | 'CHECKPOINT_IN_USE'
  | 'CHECKPOINT_FOREIGN'
  | 'CHECKPOINT_INCOMPATIBLE'
  | 'CHECKPOINT_CORRUPT'
  | 'CHECKPOINT_UNWRITABLE'
  | 'CHECKPOINT_UNSAFE'
  | 'FENCED'
  | 'SINK_FAILED'
  | 'RESULTS_TOO_LARGE'
  | 'BUFFER_FULL'
  | 'WORKER_DIED'
  | 'WORKER_DIFFERS'
  | 'RESULTS_DIFFER'

/** What the engine throws while it runs. `retryable` says whether the same call may succeed
 * later.
 *
 * @example
 * ```ts
 * const error = new StreamingError('SINK_FAILED', 'Cannot write', { retryable: true })
 * assert.equal(error.code, 'SINK_FAILED')
 * ```
 */
export class StreamingError extends Error {
  /** The name of the class. */
  override readonly name: string = 'StreamingError'
  /** Which rule was met; docs/errors.md has a section for each. */
  readonly code: ErrorCode
  /** True if the same call may succeed later, without a change. */
  readonly retryable: boolean

  constructor(code: ErrorCode, message: string, options?: ErrorOptions & { retryable?: boolean }) {
    super(message, options)
    this.code = code
    this.retryable = options?.retryable ?? false
  }
}

/** A mistake in how millrace was called: thrown where the call is made, before anything runs.
 *
 * @example
 * ```ts
 * const interval = { batchInterval: 0, checkpoint: false } as const
 * assert.throws(() => pipeline('p', interval, () => {}), ConfigError)
 * ```
 */
export class ConfigError extends StreamingError {
  /** The name of the class. */
  override readonly name = 'ConfigError'

  constructor(message: string, options?: ErrorOptions & { code?: ErrorCode }) {
    super(options?.code ?? 'CONFIG_INVALID', message, options)
  }
}

/** Where in a batch a closure failed. `record` counts from 0 within the source partition. */
export interface TaskPlace {
  /** Batch time, epoch milliseconds. */
  readonly time: number
  /** Name of the operator, for example `map-3`. */
  readonly operator: string
  /** Partition of what the operator reads, from 0; undefined where the closure gets whole batches,
   * as that of `transform` does. */
  readonly partition: number | undefined
  /** Index of the record in that partition, from 0; undefined where it is not known. */
  readonly record: number | undefined
  /** The record's own position in its source, for example a Kinesis sequence number. */
  readonly position: string | undefined
}

/** A closure of the pipeline threw, or gave a key that cannot be compared (then the code is
 * KEY_NOT_COMPARABLE, else TASK_FAILED). Names the batch, the operator, the partition and the
 * record.
 *
 * @example
 * ```ts
 * const fail = (): number => {
 *   throw new Error('no')
 * }
 * const run = runBatches({ inputs: [[[1]]], batches: 1 }, (_ssc, ones) => ones.map(fail))
 * const error = await run.catch((thrown: unknown) => thrown)
 * assert.ok(error instanceof TaskError)
 * assert.equal(error.place.record, 0)
 * ```
 */
export class TaskError extends StreamingError {
  /** The name of the class. */
  override readonly name = 'TaskError'
  /** Where the closure failed. */
  readonly place: TaskPlace

  constructor(place: TaskPlace, cause: unknown) {
    const ofKey = codeOf(cause) === 'KEY_NOT_COMPARABLE'
    const code = ofKey ? 'KEY_NOT_COMPARABLE' : 'TASK_FAILED'
    super(code, describeTaskFailure(place, cause), { cause })
    this.place = place
  }
}

function describeTaskFailure(place: TaskPlace, cause: unknown): string {
  const partition = place.partition === undefined ? '' : `, partition ${place.partition}`
  const record = place.record === undefined ? '' : `, record ${place.record}`
  const position = place.position === undefined ? '' : ` (${place.position})`
  return (
    `Cannot run operator "${place.operator}" on batch ${place.time} ms` +
    `${partition}${record}${position}: ${messageOf(cause)}; ` +
    `mend the closure, or filter the record out before it`
  )
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}

/** The `code` of a Node or millrace error, or undefined. */
export function codeOf(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return undefined
  return typeof thrown.code === 'string' ? thrown.code : undefined
}
