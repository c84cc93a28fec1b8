// What each operation takes, from AWS's own model of the service, and how values of the wire become
// what the service model gets: bytes for blobs, dates for timestamps, nothing for null.

/** The type of one member of an input. */
export type Shape =
  | 'String'
  | 'Integer'
  | 'Boolean'
  | 'Blob'
  | 'Timestamp'
  | { readonly list: Shape }
  | { readonly map: Shape }
  | Members

/** The members of a structure; others are left out, as the service leaves them out. */
export interface Members {
  readonly members: Readonly<Record<string, Shape>>
}

/** How one protocol writes what JSON has no word for. Gives undefined where the value is not it. */
export interface Scalars {
  /** Throws SerializationFault where the text cannot be bytes. */
  blob(value: unknown): Uint8Array | undefined
  timestamp(value: unknown): Date | undefined
}

/** What the service says of a body whose values have other types than the operation takes. */
export class SerializationFault extends Error {
  override readonly name = 'SerializationFault'
}

const STREAM = { StreamName: 'String', StreamARN: 'String', StreamId: 'String' } as const
const MODE = { members: { StreamMode: 'String' } } as const
const TAGS = { map: 'String' } as const
const RECORD = { Data: 'Blob', PartitionKey: 'String', ExplicitHashKey: 'String' } as const
const HOURS = { ...STREAM, RetentionPeriodHours: 'Integer' } as const

function input(members: Readonly<Record<string, Shape>>): Members {
  return { members }
}

/** The operations that the wire knows, by name. */
export const INPUT_SHAPES: Readonly<Record<string, Members>> = {
  AddTagsToStream: input({ ...STREAM, Tags: TAGS }),
  CreateStream: input({
    StreamName: 'String',
    ShardCount: 'Integer',
    StreamModeDetails: MODE,
    Tags: TAGS,
    MaxRecordSizeInKiB: 'Integer',
    WarmThroughputMiBps: 'Integer',
  }),
  DecreaseStreamRetentionPeriod: input(HOURS),
  DeleteStream: input({ ...STREAM, EnforceConsumerDeletion: 'Boolean' }),
  DescribeLimits: input({}),
  DescribeStream: input({ ...STREAM, Limit: 'Integer', ExclusiveStartShardId: 'String' }),
  DescribeStreamSummary: input(STREAM),
  GetRecords: input({
    ShardIterator: 'String',
    Limit: 'Integer',
    StreamARN: 'String',
    StreamId: 'String',
  }),
  GetShardIterator: input({
    ...STREAM,
    ShardId: 'String',
    ShardIteratorType: 'String',
    StartingSequenceNumber: 'String',
    Timestamp: 'Timestamp',
  }),
  IncreaseStreamRetentionPeriod: input(HOURS),
  ListShards: input({
    ...STREAM,
    NextToken: 'String',
    ExclusiveStartShardId: 'String',
    MaxResults: 'Integer',
    StreamCreationTimestamp: 'Timestamp',
    ShardFilter: { members: { Type: 'String', ShardId: 'String', Timestamp: 'Timestamp' } },
  }),
  ListStreams: input({
    Limit: 'Integer',
    ExclusiveStartStreamName: 'String',
    NextToken: 'String',
  }),
  ListTagsForStream: input({ ...STREAM, ExclusiveStartTagKey: 'String', Limit: 'Integer' }),
  MergeShards: input({ ...STREAM, ShardToMerge: 'String', AdjacentShardToMerge: 'String' }),
  PutRecord: input({ ...STREAM, ...RECORD, SequenceNumberForOrdering: 'String' }),
  PutRecords: input({ ...STREAM, Records: { list: { members: RECORD } } }),
  RemoveTagsFromStream: input({ ...STREAM, TagKeys: { list: 'String' } }),
  SplitShard: input({ ...STREAM, ShardToSplit: 'String', NewStartingHashKey: 'String' }),
  UpdateMaxRecordSize: input({
    StreamARN: 'String',
    StreamId: 'String',
    MaxRecordSizeInKiB: 'Integer',
  }),
  UpdateShardCount: input({ ...STREAM, TargetShardCount: 'Integer', ScalingType: 'String' }),
  UpdateStreamMode: input({ StreamARN: 'String', StreamId: 'String', StreamModeDetails: MODE }),
}

/** Gives the input that an operation takes from what stood in the body. Throws SerializationFault
 * where a value has another type. */
export function readInput(
  operation: string,
  body: Readonly<Record<string, unknown>>,
  scalars: Scalars,
): Record<string, unknown> {
  return readMembers(body, INPUT_SHAPES[operation] ?? input({}), scalars)
}

function readMembers(
  value: Readonly<Record<string, unknown>>,
  { members }: Members,
  scalars: Scalars,
): Record<string, unknown> {
  const found: Record<string, unknown> = {}
  for (const name in members) {
    const given = value[name]
    if (given === null || given === undefined) continue
    found[name] = readValue(given, members[name] as Shape, scalars)
  }
  return found
}

function readValue(value: unknown, shape: Shape, scalars: Scalars): unknown {
  if (typeof shape === 'object') return readWhole(value, shape, scalars)
  const read = readScalar(value, shape, scalars)
  if (read === undefined) throw new SerializationFault(mismatch(value, shape))
  return read
}

function readScalar(value: unknown, shape: Shape & string, scalars: Scalars): unknown {
  if (shape === 'Blob') return scalars.blob(value)
  if (shape === 'Timestamp') return scalars.timestamp(value)
  if (shape === 'Integer') return typeof value === 'number' ? Math.trunc(value) : undefined
  return typeof value === shape.toLowerCase() ? value : undefined
}

function readWhole(value: unknown, shape: Shape & object, scalars: Scalars): unknown {
  if ('list' in shape) {
    if (Array.isArray(value)) {
      return value.map((one: unknown) => readUnlessNull(one, shape.list, scalars))
    }
    throw new SerializationFault(isObject(value) ? STRUCTURE_FOUND : 'Expected list or null')
  }
  if (Array.isArray(value)) throw new SerializationFault(LIST_FOUND)
  if (!isObject(value)) {
    throw new SerializationFault('map' in shape ? 'Expected map or null' : 'Expected null')
  }
  if ('members' in shape) return readMembers(value, shape, scalars)
  const entries = Object.entries(value).map(([key, one]) => [
    key,
    readUnlessNull(one, shape.map, scalars),
  ])
  return Object.fromEntries(entries) as Record<string, unknown>
}

function readUnlessNull(value: unknown, shape: Shape, scalars: Scalars): unknown {
  return value === null ? null : readValue(value, shape, scalars)
}

const LIST_FOUND = 'Start of list found where not expected'
const STRUCTURE_FOUND = 'Start of structure or map found where not expected.'

/** The service's own words; its JSON reader is written in Java. */
function mismatch(value: unknown, shape: Shape & string): string {
  if (Array.isArray(value)) return LIST_FOUND
  if (isObject(value)) return STRUCTURE_FOUND
  const target = { Blob: 'a Blob', Timestamp: 'milliseconds since epoch' }[shape as string]
  return `${javaClass(value)} can not be converted to ${target ?? `an ${shape}`}`
}

function javaClass(value: unknown): string {
  if (typeof value === 'string') return 'class java.lang.String'
  if (typeof value === 'boolean') return 'class java.lang.Boolean'
  return 'class com.amazon.coral.value.json.numbers.TruncatingBigNumber'
}

/** True for what JSON writes in braces. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
