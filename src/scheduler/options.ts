import { oneOf, shown } from '../allowed-values.ts'
import type { CheckpointStore } from '../checkpoint/store.ts'
import { type Duration, durationMs, positiveDurationMs } from '../duration.ts'
import { ConfigError } from '../errors.ts'
import { type PidOptions, PidRateEstimator } from './rate-estimator.ts'

/** How `backpressure` adapts the rate of each source. Rates are records a second. */
export interface BackpressureOptions {
  /** Weight of the difference between the rate and the speed of the last batch. @default 1 */
  readonly proportional?: number
  /** Weight of what has piled up while batches were delayed. @default 0.2 */
  readonly integral?: number
  /** Weight of the change of the difference. @default 0 */
  readonly derivative?: number
  /** The rate is not lowered below this. @default 100 */
  readonly rateMin?: number
  /** The rate before two batches are completed. @default `rateMax` */
  readonly initialRate?: number
}

/** How a pipeline runs. */
export interface PipelineOptions {
  /** The time between two batches. */
  readonly batchInterval: Duration
  /** A folder, `s3://bucket/prefix`, a store (`S3Store` of `millrace/checkpoint`), or false, which
   * must be written, to run without. */
  readonly checkpoint: string | false | CheckpointStore
  /** What a failed batch does: 'continue' drops it, and needs `checkpoint: false`. @default
   * 'stop' */
  readonly onBatchError?: 'stop' | 'continue'
  /** Batch times that passed while no run was there, and that the next start runs; those before are
   * skipped, which is logged. A run that falls behind skips none. @default 1,000 */
  readonly catchUpBatchesMax?: number
  /** Bytes that one batch takes from each source; the rest waits for the next. @default 64 MiB */
  readonly batchBytesMax?: number
  /** Bytes that may wait in each receiver before it stops reading. @default 128 MiB */
  readonly bufferBytesMax?: number
  /** Lowers and raises what each source gives, so that batches keep up: Spark's PID controller.
   * True: with the defaults. @default false, as in Spark */
  readonly backpressure?: boolean | BackpressureOptions
  /** Records a second that each source may give, whatever `backpressure` says. @default no limit */
  readonly rateMax?: number
  /** How often a batch whose closures throw is tried in all. @default 4, as Spark's
   * task.maxFailures */
  readonly batchAttemptsMax?: number
  /** Commits between two snapshots of state. @default 100 */
  readonly snapshotEvery?: number
  /** Bytes of snapshots that are written a second, while batches go on. @default 16 MiB — higher is
   * done sooner, and takes more time from batches. */
  readonly snapshotBytesPerSecond?: number
  /** Bytes of the batches of cached streams that are kept for `slice`. @default 64 MiB */
  readonly cacheBytesMax?: number
  /** Bytes of the records that one batch may bring from the workers to the driver, for
   * `foreachBatch`, `print` and sinks whose tasks do not write. The sum over all workers is what
   * counts, but each is refused by itself before it sends more, so that for a moment the driver may
   * hold the bound once for each worker. @default 1 GiB, as Spark's driver.maxResultSize */
  readonly resultBytesMax?: number
  /** How long a worker may run one batch before it is reported with its call stack. @default
   * '1m' */
  readonly stuckAfter?: Duration
  /** What is done about a worker that runs for longer: it is only reported, or its thread is ended,
   * which counts as a failed attempt. @default 'report' */
  readonly onStuckWorker?: 'report' | 'end'
  /** How far apart writes of the log begin: plans and commits of all batches in between share one,
   * and their results are written after it. For stores where each write costs money
   * (docs/checkpoints.md). Without effect where tasks write to a sink.
   * @default 0 in a folder: each batch is written at once; '1s' on S3 */
  readonly commitInterval?: Duration
}

/** The options with their defaults, checked. */
export interface Settings {
  readonly batchIntervalMs: number
  readonly onBatchError: 'stop' | 'continue'
  readonly catchUpBatchesMax: number
  readonly batchBytesMax: number
  readonly bufferBytesMax: number
  readonly batchAttemptsMax: number
  readonly snapshotEvery: number
  readonly snapshotBytesPerSecond: number
  readonly cacheBytesMax: number
  readonly resultBytesMax: number
  /** Undefined: as the store needs it. */
  readonly commitIntervalMs: number | undefined
  readonly stuckAfterMs: number
  readonly onStuckWorker: 'report' | 'end'
  readonly rate: RateSettings
}

/** The rate of each source, records a second. */
export interface RateSettings {
  readonly rateMax: number | undefined
  readonly initialRate: number | undefined
  /** Undefined: no backpressure. */
  readonly pid: PidOptions | undefined
}

const MIB = 1_048_576

const ON_BATCH_ERROR = ['stop', 'continue'] as const
const ON_STUCK_WORKER = ['report', 'end'] as const

/** Checks the options of a pipeline where they are written. */
export function settingsOf(pipeline: string, options: PipelineOptions): Settings {
  checkCheckpoint(pipeline, options.checkpoint)
  const onBatchError = oneOf(options.onBatchError ?? 'stop', ON_BATCH_ERROR, 'onBatchError')
  if (onBatchError === 'continue' && options.checkpoint !== false) {
    throw new ConfigError(
      `Cannot use onBatchError 'continue' in pipeline "${pipeline}" with a checkpoint: a dropped ` +
        `batch would be lost; use 'stop', or checkpoint: false`,
    )
  }
  const batchIntervalMs = positiveDurationMs(options.batchInterval, 'batchInterval')
  return {
    batchIntervalMs,
    onBatchError,
    catchUpBatchesMax: countAtLeastOne(options.catchUpBatchesMax ?? 1_000, 'catchUpBatchesMax'),
    batchBytesMax: countAtLeastOne(options.batchBytesMax ?? 64 * MIB, 'batchBytesMax'),
    bufferBytesMax: countAtLeastOne(options.bufferBytesMax ?? 128 * MIB, 'bufferBytesMax'),
    batchAttemptsMax: countAtLeastOne(options.batchAttemptsMax ?? 4, 'batchAttemptsMax'),
    snapshotEvery: countAtLeastOne(options.snapshotEvery ?? 100, 'snapshotEvery'),
    snapshotBytesPerSecond: countAtLeastOne(
      options.snapshotBytesPerSecond ?? 16 * MIB,
      'snapshotBytesPerSecond',
    ),
    cacheBytesMax: countAtLeastOne(options.cacheBytesMax ?? 64 * MIB, 'cacheBytesMax'),
    resultBytesMax: countAtLeastOne(options.resultBytesMax ?? 1_024 * MIB, 'resultBytesMax'),
    commitIntervalMs: commitIntervalOf(options),
    stuckAfterMs: positiveDurationMs(options.stuckAfter ?? '1m', 'stuckAfter'),
    onStuckWorker: oneOf(options.onStuckWorker ?? 'report', ON_STUCK_WORKER, 'onStuckWorker'),
    rate: rateSettings(options, batchIntervalMs),
  }
}

/** From JavaScript, or from JSON, anything may come. */
function checkCheckpoint(pipeline: string, checkpoint: unknown): void {
  if (checkpoint === undefined) {
    throw new ConfigError(
      `Cannot describe pipeline "${pipeline}" without a checkpoint: give a folder, ` +
        `or write checkpoint: false to run without`,
    )
  }
  if (checkpoint === false || isStore(checkpoint)) return
  if (typeof checkpoint === 'string' && checkpoint !== '' && !isForeignUrl(checkpoint)) return
  throw new ConfigError(
    `Cannot use ${shown(checkpoint)} as checkpoint of pipeline "${pipeline}": it must be the ` +
      `path of a folder, 's3://bucket/prefix' or a store such as S3Store; or write ` +
      `checkpoint: false to run without`,
  )
}

function isStore(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('createIfAbsent' in value)) return false
  return typeof value.createIfAbsent === 'function'
}

/** `C:\` is a disk, not a scheme. */
function isForeignUrl(text: string): boolean {
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(text) && !text.startsWith('s3://')
}

function commitIntervalOf({ commitInterval }: PipelineOptions): number | undefined {
  return commitInterval === undefined ? undefined : durationMs(commitInterval, 'commitInterval')
}

function rateSettings(options: PipelineOptions, batchIntervalMs: number): RateSettings {
  const { backpressure = false } = options
  const rateMax = positiveRate(options.rateMax, 'rateMax')
  if (backpressure === false) return { rateMax, initialRate: undefined, pid: undefined }
  const given = backpressure === true ? {} : backpressure
  const { proportional = 1, integral = 0.2, derivative = 0, rateMin = 100 } = given
  const pid = { batchIntervalMs, proportional, integral, derivative, rateMin }
  new PidRateEstimator(pid)
  return { rateMax, initialRate: positiveRate(given.initialRate, 'initialRate'), pid }
}

function positiveRate(value: number | undefined, what: string): number | undefined {
  if (value === undefined || (Number.isFinite(value) && value > 0)) return value
  throw new ConfigError(
    `Cannot use ${value} as ${what}: it must be a number of records a second, greater than 0`,
  )
}

function countAtLeastOne(value: number, what: string): number {
  if (Number.isSafeInteger(value) && value >= 1) return value
  throw new ConfigError(`Cannot use ${value} as ${what}: it must be a whole number, at least 1`)
}
