// Random sequences of calls. A call is plain data: what only the server that it goes to can know
// (sequence numbers, iterators, tokens, ARNs) is a reference, which the player resolves.

import fc from 'fast-check'

/** Something that a server has given before: the n-th of its kind, counted round. */
export interface Ref {
  readonly ref: 'record' | 'iterator' | 'token' | 'arn' | 'time'
  readonly n: number
}

/** One call. Names of streams are short; the player makes them its own. */
export interface Call {
  readonly operation: string
  readonly input: Readonly<Record<string, unknown>>
}

const HALF = (2n ** 127n).toString()
const LAST = (2n ** 128n - 1n).toString()
const BEYOND = (2n ** 128n).toString()

const few = fc.nat({ max: 20 })
const often = <T>(value: T, ...seldom: T[]) =>
  fc.oneof(
    { weight: 7 * seldom.length + 7, arbitrary: fc.constant(value) },
    ...seldom.map((one) => ({ weight: 1, arbitrary: fc.constant(one) })),
  )
const ref = (kind: Ref['ref']) => few.map((n): Ref => ({ ref: kind, n }))

/** By its name; seldom by its ARN; seldom one that is not there. */
const stream = fc.oneof(
  { weight: 14, arbitrary: fc.constant({ StreamName: 'a' }) },
  { weight: 1, arbitrary: fc.constant({ StreamName: 'b' }) },
  { weight: 1, arbitrary: fc.constant({ StreamARN: { ref: 'arn', n: 0 } }) },
)
const shardId = fc.oneof(
  {
    weight: 9,
    arbitrary: fc
      .constantFrom(0, 0, 0, 1, 1, 2, 3, 4)
      .map((n) => `shardId-${String(n).padStart(12, '0')}`),
  },
  { weight: 1, arbitrary: fc.constantFrom('shardId-000000000099', 'nonsense') },
)
const data = often<unknown>('1', '', 'two').map((text) => Buffer.from(String(text)))
const hashKey = often<string | undefined>(undefined, '0', HALF, LAST, BEYOND, '-1')
const record = fc.record({
  Data: data,
  PartitionKey: often('k', 'b', 'z', 'ä', ''),
  ExplicitHashKey: hashKey,
})

function call(
  operation: string,
  ...parts: fc.Arbitrary<Readonly<Record<string, unknown>>>[]
): fc.Arbitrary<Call> {
  return fc.tuple(...parts).map((inputs) => {
    const entries = inputs.flatMap((one) => Object.entries(one))
    const input = Object.fromEntries(entries.filter(([, value]) => value !== undefined))
    return { operation, input }
  })
}

const iterator = fc.oneof(
  fc.constantFrom({ ShardIteratorType: 'TRIM_HORIZON' }, { ShardIteratorType: 'LATEST' }),
  fc.record({
    ShardIteratorType: fc.constantFrom('AT_SEQUENCE_NUMBER', 'AFTER_SEQUENCE_NUMBER'),
    StartingSequenceNumber: fc.oneof(
      { weight: 6, arbitrary: ref('record') },
      { weight: 1, arbitrary: fc.constantFrom('0', 'nonsense', undefined) },
    ),
  }),
  fc.record({ ShardIteratorType: fc.constant('AT_TIMESTAMP'), Timestamp: ref('time') }),
  fc.constantFrom(
    { ShardIteratorType: 'AT_TIMESTAMP' },
    { ShardIteratorType: 'LATEST', StartingSequenceNumber: '0' },
    { ShardIteratorType: 'NEWEST' },
  ),
)

const filter = fc.oneof(
  fc.constantFrom(
    { Type: 'AT_TRIM_HORIZON' },
    { Type: 'FROM_TRIM_HORIZON' },
    { Type: 'AT_LATEST' },
    { Type: 'AT_TIMESTAMP' },
    { Type: 'NONE' },
  ),
  shardId.map((ShardId) => ({ Type: 'AFTER_SHARD_ID', ShardId })),
  fc.record({ Type: fc.constantFrom('AT_TIMESTAMP', 'FROM_TIMESTAMP'), Timestamp: ref('time') }),
)

const page = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  { weight: 4, arbitrary: fc.record({ MaxResults: fc.constantFrom(1, 1, 2, 10_001, 0) }) },
  { weight: 1, arbitrary: shardId.map((ExclusiveStartShardId) => ({ ExclusiveStartShardId })) },
  { weight: 3, arbitrary: filter.map((ShardFilter) => ({ ShardFilter })) },
)

const tags = fc.constantFrom({ a: '1' }, { b: '2', c: '' }, {}, { '': 'x' })

const CALLS: readonly (readonly [weight: number, call: fc.Arbitrary<Call>])[] = [
  [14, call('PutRecord', stream, record)],
  [8, call('PutRecords', stream, fc.record({ Records: fc.array(record, { maxLength: 4 }) }))],
  [14, call('GetShardIterator', stream, fc.record({ ShardId: shardId }), iterator)],
  [
    20,
    call(
      'GetRecords',
      fc.record({
        ShardIterator: fc.oneof(
          { weight: 19, arbitrary: ref('iterator') },
          { weight: 1, arbitrary: fc.constant('nonsense') },
        ),
        Limit: often<number | undefined>(undefined, 1, 2, 0, 10_001),
      }),
    ),
  ],
  [6, call('ListShards', stream, page)],
  [5, call('ListShards', fc.record({ NextToken: ref('token'), MaxResults: often(2, 1) }))],
  [1, call('ListShards', stream, fc.record({ NextToken: ref('token') }))],
  [
    9,
    call(
      'SplitShard',
      stream,
      fc.record({
        ShardToSplit: shardId,
        NewStartingHashKey: often(HALF, '0', '1', LAST, BEYOND, (2n ** 126n).toString()),
      }),
    ),
  ],
  [
    4,
    call(
      'MergeShards',
      stream,
      fc.record({ ShardToMerge: shardId, AdjacentShardToMerge: shardId }),
    ),
  ],
  [
    3,
    call(
      'UpdateShardCount',
      stream,
      fc.record({
        TargetShardCount: fc.constantFrom(1, 2, 3, 4, 9, 0),
        ScalingType: often('UNIFORM_SCALING', 'ANY'),
      }),
    ),
  ],
  [
    2,
    call(
      'DescribeStream',
      stream,
      fc.record({ Limit: often<number | undefined>(undefined, 1, 0) }),
    ),
  ],
  [2, call('DescribeStreamSummary', stream)],
  [3, call('ListStreams', fc.record({ Limit: fc.constantFrom(undefined, 1, 1, 0) }))],
  [
    4,
    call(
      'CreateStream',
      fc.record({
        StreamName: fc.constantFrom('a', 'a', 'b', 'not a name'),
        ShardCount: often<number | undefined>(2, 0, undefined),
      }),
    ),
  ],
  [2, call('DeleteStream', stream)],
  [
    2,
    call(
      'IncreaseStreamRetentionPeriod',
      stream,
      fc.record({ RetentionPeriodHours: fc.constantFrom(48, 24, 23, 8_760, 8_761) }),
    ),
  ],
  [
    1,
    call(
      'DecreaseStreamRetentionPeriod',
      stream,
      fc.record({ RetentionPeriodHours: fc.constantFrom(24, 23, 48) }),
    ),
  ],
  [
    1,
    call(
      'UpdateMaxRecordSize',
      fc.record({
        StreamARN: ref('arn'),
        MaxRecordSizeInKiB: fc.constantFrom(1_024, 2_048, 10_240, 10_241),
      }),
    ),
  ],
  [1, call('AddTagsToStream', stream, fc.record({ Tags: tags }))],
  [1, call('RemoveTagsFromStream', stream, fc.record({ TagKeys: fc.constantFrom(['a'], ['x']) }))],
  [1, call('ListTagsForStream', stream)],
]

/** So many calls after the creation of stream a and of an iterator. */
export function sequences(length: number): fc.Arbitrary<readonly Call[]> {
  const any = fc.oneof(...CALLS.map(([weight, arbitrary]) => ({ weight, arbitrary })))
  const create = call(
    'CreateStream',
    fc.record({ StreamName: fc.constant('a'), ShardCount: fc.integer({ min: 1, max: 3 }) }),
  )
  const ShardId = 'shardId-000000000000'
  const begin = call(
    'GetShardIterator',
    fc.constantFrom('TRIM_HORIZON', 'LATEST').map((ShardIteratorType) => {
      return { StreamName: 'a', ShardId, ShardIteratorType }
    }),
  )
  const rest = fc.array(any, { minLength: 1, maxLength: length, size: 'max' })
  return fc.tuple(create, begin, rest).map(([first, second, calls]) => [first, second, ...calls])
}
