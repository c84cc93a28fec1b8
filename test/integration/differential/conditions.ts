// Which calls a rule is about.

import type { Call } from './calls.ts'

/** The page of an operation or a type in the API reference. */
export const API = (name: string) => `kinesis/latest/APIReference/${name}.html`

/** The call gives this member. */
export const has = (name: string) => (call: Call) => name in call.input

/** A reshard was asked for before. */
export const resharded = (_call: Call, before: readonly Call[]) =>
  before.some(({ operation }) => /^(SplitShard|MergeShards|UpdateShardCount)$/.test(operation))

/** Another count of shards was asked for before. */
export const rescaled = (_call: Call, before: readonly Call[]) =>
  before.some(({ operation }) => operation === 'UpdateShardCount')

/** The call gives a hash key of its own. */
export const ofHashKey = ({ input }: Call) => JSON.stringify(input).includes('ExplicitHashKey')

export const PUTS = ['PutRecord', 'PutRecords']

/** What tells about shards. */
export const SHARD_ANSWERS = [
  'DescribeStream',
  'DescribeStreamSummary',
  'ListShards',
  'UpdateShardCount',
  ...PUTS,
]
