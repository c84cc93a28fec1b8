// The service's limits, as AWS documents them (Quotas and limits; API reference of each operation).

import { ConfigError } from '../../errors.ts'

const MIB = 1024 * 1024

/** The limits of the simulated service. `Infinity` takes one away. A rate is enforced by a bucket
 * that holds what one second allows and fills up evenly. */
export interface KinesisLimits {
  /** Bytes (data and partition keys) that a shard takes a second. A record that is larger than
   * that is taken when the bucket is full, and the shard then takes nothing until it is paid off.
   * @default 1 MiB */
  readonly shardBytesInPerSecond: number
  /** Records that a shard takes a second.
   * @default 1,000 */
  readonly shardRecordsInPerSecond: number
  /** `GetRecords` calls that a shard answers a second.
   * @default 5 */
  readonly shardReadsPerSecond: number
  /** Bytes (data and partition keys) that a shard gives a second. A read that gives more is
   * allowed, and the next are refused for as long as its bytes take: 10 MiB for 5 s.
   * @default 2 MiB */
  readonly shardBytesOutPerSecond: number
  /** `GetShardIterator` calls for a shard a second.
   * @default 5 */
  readonly shardIteratorsPerSecond: number
  /** Records of one `PutRecords`.
   * @default 500 */
  readonly recordsPerPut: number
  /** Bytes (data and partition keys) of one `PutRecords`.
   * @default 10 MiB */
  readonly bytesPerPut: number
  /** Records of one `GetRecords`, at most 10,000.
   * @default 10,000 */
  readonly recordsPerGet: number
  /** Bytes (data and partition keys) of one `GetRecords`; one record is given in any case.
   * @default 10 MiB */
  readonly bytesPerGet: number
  /** Open shards of the account's provisioned streams.
   * @default 20,000 */
  readonly shardsPerAccount: number
  /** Open shards that `UpdateShardCount` can give a stream.
   * @default 10,000 */
  readonly shardsPerStream: number
  /** On-demand streams of the account.
   * @default 50 */
  readonly onDemandStreams: number
  /** Streams that may be in the state CREATING at once.
   * @default 5 */
  readonly streamsBeingCreated: number
  /** `UpdateShardCount` calls for a stream in 24 hours.
   * @default 10 */
  readonly shardCountUpdatesPerDay: number
  /** `ListShards` calls for a stream a second.
   * @default 1,000 */
  readonly listShardsPerSecond: number
  /** `DescribeStream` calls of the account a second.
   * @default 10 */
  readonly describeStreamPerSecond: number
  /** `DescribeStreamSummary` calls of the account a second.
   * @default 20 */
  readonly describeStreamSummaryPerSecond: number
  /** `UpdateShardCount` calls of the account a second.
   * @default 10 */
  readonly updateShardCountPerSecond: number
  /** Calls of the account a second to each other operation of the control plane: `CreateStream`,
   * `DeleteStream`, `ListStreams`, `SplitShard`, `MergeShards` and so on.
   * @default 5 */
  readonly controlCallsPerSecond: number
}

/** What AWS documents for an account of us-east-1. */
export const DOCUMENTED_LIMITS: KinesisLimits = {
  shardBytesInPerSecond: MIB,
  shardRecordsInPerSecond: 1_000,
  shardReadsPerSecond: 5,
  shardBytesOutPerSecond: 2 * MIB,
  shardIteratorsPerSecond: 5,
  recordsPerPut: 500,
  bytesPerPut: 10 * MIB,
  recordsPerGet: 10_000,
  bytesPerGet: 10 * MIB,
  shardsPerAccount: 20_000,
  shardsPerStream: 10_000,
  onDemandStreams: 50,
  streamsBeingCreated: 5,
  shardCountUpdatesPerDay: 10,
  listShardsPerSecond: 1_000,
  describeStreamPerSecond: 10,
  describeStreamSummaryPerSecond: 20,
  updateShardCountPerSecond: 10,
  controlCallsPerSecond: 5,
}

// Part of the API's own checks, which no account is without.
const OF_THE_API = ['recordsPerPut', 'bytesPerPut', 'recordsPerGet', 'bytesPerGet'] as const

/** Nothing is throttled and no quota is reached; the sizes of one call stay as they are. */
const UNTHROTTLED: KinesisLimits = {
  ...(Object.fromEntries(
    Object.keys(DOCUMENTED_LIMITS).map((name) => [name, Number.POSITIVE_INFINITY]),
  ) as unknown as KinesisLimits),
  ...Object.fromEntries(OF_THE_API.map((name) => [name, DOCUMENTED_LIMITS[name]])),
}

/** Gives all limits: the documented ones except for those that are given, or none for 'off'. */
export function limitsFrom(given: Partial<KinesisLimits> | 'off' | undefined): KinesisLimits {
  if (given === 'off') return UNTHROTTLED
  const limits = { ...DOCUMENTED_LIMITS, ...given }
  for (const [name, value] of Object.entries(limits)) {
    if (typeof value === 'number' && value > 0) continue
    throw new ConfigError(`limits.${name} is ${value}: give a number above 0, or Infinity for none`)
  }
  return limits
}
