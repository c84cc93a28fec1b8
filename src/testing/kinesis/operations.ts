// The operations of the simulated service. Consumers and SubscribeToShard would be further rows.

import { listShards } from './list-shards.ts'
import type { Operation } from './operation.ts'
import { putRecord, putRecords } from './put-operations.ts'
import { getRecords, getShardIterator } from './read-operations.ts'
import { mergeShards, splitShard, updateShardCount } from './reshard-operations.ts'
import {
  addTags,
  decreaseRetention,
  increaseRetention,
  listTags,
  removeTags,
  updateMaxRecordSize,
  updateStreamMode,
} from './settings-operations.ts'
import {
  createStream,
  deleteStream,
  describeLimits,
  describeStream,
  describeStreamSummary,
  listStreams,
} from './stream-operations.ts'

/** By their names in the API. */
export const OPERATIONS: ReadonlyMap<string, Operation> = new Map(
  Object.entries({
    AddTagsToStream: addTags,
    CreateStream: createStream,
    DecreaseStreamRetentionPeriod: decreaseRetention,
    DeleteStream: deleteStream,
    DescribeLimits: describeLimits,
    DescribeStream: describeStream,
    DescribeStreamSummary: describeStreamSummary,
    GetRecords: getRecords,
    GetShardIterator: getShardIterator,
    IncreaseStreamRetentionPeriod: increaseRetention,
    ListShards: listShards,
    ListStreams: listStreams,
    ListTagsForStream: listTags,
    MergeShards: mergeShards,
    PutRecord: putRecord,
    PutRecords: putRecords,
    RemoveTagsFromStream: removeTags,
    SplitShard: splitShard,
    UpdateMaxRecordSize: updateMaxRecordSize,
    UpdateShardCount: updateShardCount,
    UpdateStreamMode: updateStreamMode,
  }),
)
