import type { KinesisClient, KinesisClientConfig } from '@aws-sdk/client-kinesis'
import { oneOf, wholeWithin } from '../../allowed-values.ts'
import { ConfigError } from '../../errors.ts'

/** Where a stream that the checkpoint does not know is read from. */
export type StartAt = 'TRIM_HORIZON' | 'LATEST' | { readonly timestamp: Date | number }

/** Which stream to read, and how. */
export interface KinesisOptions {
  /** Name of the stream; or give `streamARN`. */
  readonly stream?: string
  /** ARN of the stream; or give `stream`. */
  readonly streamARN?: string
  /** Where to begin when the checkpoint knows nothing; LATEST is the time of the start. @default
   * 'LATEST' */
  readonly startAt?: StartAt
  /** @default that of the ARN, or the AWS SDK's: AWS_REGION, or the profile's */
  readonly region?: string
  /** @default the service's own for the region */
  readonly endpoint?: string
  /** @default the AWS SDK's chain: environment, profile, role of the machine */
  readonly credentials?: NonNullable<KinesisClientConfig['credentials']>
  /** A client of your own, instead of region, endpoint and credentials; it is left open. */
  readonly client?: KinesisClient
  /** Time between two reads of a shard, in milliseconds. @default 200, the service's limit of 5 a
   * second */
  readonly pollIntervalMs?: number
  /** The longest time between two reads of a shard that gives nothing, in milliseconds: after five
   * empty reads the time doubles up to here, and is `pollIntervalMs` again when a record comes.
   * @default 1,000, or `pollIntervalMs` where that is more */
  readonly idlePollIntervalMs?: number
  /** Records asked for in one read, 1 to 10,000. @default 10,000 */
  readonly recordsPerCallMax?: number
  /** Reads in flight at once, over all shards. @default 16 */
  readonly concurrentCallsMax?: number
  /** What to do when the stream has dropped records that were not read: stop with SOURCE_GAP; go on
   * with the oldest record that is left ('earliest'); or leave out what is left, too, and go on
   * with what arrives from then on ('skip'). The last two tell it as the event `gap-passed`.
   * @default 'fail' */
  readonly onGap?: 'fail' | 'skip' | 'earliest'
}

/** The options with their defaults, checked. */
export interface KinesisSettings {
  readonly options: KinesisOptions
  /** Name of the stream for messages. */
  readonly stream: string
  /** The ARN's, or the one that is given; undefined: the SDK's. */
  readonly region: string | undefined
  readonly startAt: StartAt
  readonly pollIntervalMs: number
  readonly idlePollIntervalMs: number
  readonly recordsPerCallMax: number
  readonly concurrentCallsMax: number
  readonly onGap: 'fail' | 'skip' | 'earliest'
}

const POLL_INTERVAL_MIN_MS = 200
/** As the KCL waits between two reads. */
const IDLE_POLL_INTERVAL_MS = 1_000

/** Checks the options where they are written. */
export function kinesisSettings(options: KinesisOptions): KinesisSettings {
  const place = placeOf(options)
  const { pollIntervalMs = POLL_INTERVAL_MIN_MS, recordsPerCallMax = 10_000 } = options
  wholeWithin(pollIntervalMs, 'pollIntervalMs', POLL_INTERVAL_MIN_MS, 60_000)
  const idlePollIntervalMs =
    options.idlePollIntervalMs ?? Math.max(pollIntervalMs, IDLE_POLL_INTERVAL_MS)
  wholeWithin(idlePollIntervalMs, 'idlePollIntervalMs', pollIntervalMs, 60_000)
  wholeWithin(recordsPerCallMax, 'recordsPerCallMax', 1, 10_000)
  const concurrentCallsMax = options.concurrentCallsMax ?? 16
  wholeWithin(concurrentCallsMax, 'concurrentCallsMax', 1, 1_000)
  const startAt = checkStartAt(options.startAt ?? 'LATEST')
  const onGap = oneOf(options.onGap ?? 'fail', ['fail', 'skip', 'earliest'], 'onGap')
  const limits = { pollIntervalMs, idlePollIntervalMs, recordsPerCallMax, concurrentCallsMax }
  return { options, ...place, startAt, onGap, ...limits }
}

const ARN = /^arn:aws[\w-]*:kinesis:(?<region>[\w-]+):\d*:stream\/(?<name>[\w.-]+)$/

/** The stream, and its region as far as it is given. */
function placeOf(options: KinesisOptions): Pick<KinesisSettings, 'stream' | 'region'> {
  const { stream, streamARN, region } = options
  if (streamARN === undefined) {
    if (stream !== undefined && stream !== '') return { stream, region }
    throw new ConfigError('Cannot read from Kinesis without a stream: give stream or streamARN')
  }
  const named = ARN.exec(streamARN)?.groups
  if (named === undefined) {
    throw new ConfigError(
      `Cannot use "${streamARN}" as streamARN: it must be of the form ` +
        `arn:aws:kinesis:<region>:<account>:stream/<name>; a mere name goes into stream`,
    )
  }
  checkSame(streamARN, named['name'], stream, 'stream')
  checkSame(streamARN, named['region'], region, 'region')
  return { stream: named['name'] as string, region: named['region'] }
}

function checkSame(arn: string, named: unknown, given: string | undefined, what: string): void {
  if (given === undefined || given === named) return
  throw new ConfigError(
    `Cannot use ${what} "${given}" beside streamARN "${arn}": they name two; give one of them`,
  )
}

function checkStartAt(startAt: StartAt): StartAt {
  if (startAt === 'TRIM_HORIZON' || startAt === 'LATEST') return startAt
  const ms = Number(startAt?.timestamp)
  if (Number.isFinite(ms)) return startAt
  throw new ConfigError(
    `Cannot start at ${JSON.stringify(startAt)}: use 'TRIM_HORIZON', 'LATEST' or { timestamp }`,
  )
}
