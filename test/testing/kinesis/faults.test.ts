import { setImmediate } from 'node:timers/promises'
import { KinesisClient, PutRecordCommand } from '@aws-sdk/client-kinesis'
import { KinesisSimulator, ManualClock } from 'millrace/testing'
import { describe, expect, test } from 'vitest'
import { type FaultKind, FaultPlan, type FaultRule } from '../../../src/testing/kinesis/faults.ts'
import { ConnectionCut } from '../../../src/testing/kinesis/service-fault.ts'
import { type Answer, codeOf, faultOf, START_MS, Streams, texts } from './streams.ts'

function withRules(...faults: FaultRule[]): Streams {
  const streams = new Streams({ faults })
  streams.create(1)
  return streams
}

const PUT = { StreamName: 's', PartitionKey: 'a', Data: Buffer.from('a') }

function stored(streams: Streams): string[] {
  return texts(streams.read(streams.iterator('TRIM_HORIZON')))
}

function cutOf(call: () => unknown): ConnectionCut | undefined {
  try {
    call()
    return undefined
  } catch (thrown) {
    return thrown instanceof ConnectionCut ? thrown : undefined
  }
}

describe('a fault', () => {
  test('"cut-before" executes nothing, "cut-after" all', () => {
    const before = withRules({ kind: 'cut-before' })
    expect(cutOf(() => before.faulty('PutRecord', PUT))?.executed).toBe(false)
    expect(stored(before)).toEqual([])
    const after = withRules({ kind: 'cut-after' })
    expect(cutOf(() => after.faulty('PutRecord', PUT))?.executed).toBe(true)
    expect(stored(after)).toEqual(['a'])
  })

  test('"error" is an answer with 500 or 503', () => {
    for (const [status, code] of [
      [500, 'InternalFailure'],
      [503, 'ServiceUnavailable'],
    ] as const) {
      const streams = withRules({ kind: 'error', status })
      expect(faultOf(() => streams.faulty('PutRecord', PUT))).toMatchObject({ status, code })
      expect(stored(streams)).toEqual([])
    }
  })

  test('"throttle" has the code of its operation, and hits single records of a PutRecords', () => {
    const streams = withRules({ kind: 'throttle' })
    const code = 'ProvisionedThroughputExceededException'
    expect(codeOf(() => streams.faulty('PutRecord', PUT))).toBe(code)
    expect(codeOf(() => streams.faulty('ListShards', { StreamName: 's' }))).toBe(
      'LimitExceededException',
    )
    const entries = Array.from({ length: 20 }, (_, i) => ({
      PartitionKey: 'a',
      Data: Buffer.from(String(i)),
    }))
    const answer = streams.faulty('PutRecords', { StreamName: 's', Records: entries })
    const failed = answer.Records.filter(({ ErrorCode }: Answer) => ErrorCode === code)
    expect(failed.length).toBe(answer.FailedRecordCount)
    expect(failed.length).toBeGreaterThan(0)
    expect(failed.length).toBeLessThan(20)
    const taken = entries.filter((_, i) => answer.Records[i].ErrorCode === undefined)
    expect(stored(streams)).toEqual(taken.map(({ Data }) => Data.toString()))
  })

  test('"duplicate" stores a record twice, under two sequence numbers', () => {
    const streams = withRules({ kind: 'duplicate' })
    const { SequenceNumber } = streams.faulty('PutRecord', PUT)
    const { Records } = streams.read(streams.iterator('TRIM_HORIZON'))
    expect(Records.map((record: Answer) => record.PartitionKey)).toEqual(['a', 'a'])
    expect(Records[0].SequenceNumber).toBe(SequenceNumber)
    expect(Records[1].SequenceNumber > SequenceNumber).toBe(true)
  })

  test('"empty" gives no records, says that there are some, and stays where it stood', () => {
    const streams = withRules({ kind: 'empty', times: 1 })
    streams.put('a')
    streams.clock.advance(1_000)
    const ShardIterator = streams.iterator('TRIM_HORIZON')
    const empty = streams.faulty('GetRecords', { ShardIterator })
    expect([empty.Records, empty.MillisBehindLatest]).toEqual([[], 1_000])
    const full = streams.faulty('GetRecords', { ShardIterator: empty.NextShardIterator })
    expect(texts(full)).toEqual(['a'])
  })

  test('"empty" does not end a closed shard that has records left', () => {
    const streams = withRules({ kind: 'empty' })
    streams.put('a')
    streams.call('SplitShard', { StreamName: 's', ShardToSplit: '0', NewStartingHashKey: '9' })
    const ShardIterator = streams.iterator('TRIM_HORIZON')
    expect(streams.faulty('GetRecords', { ShardIterator }).ChildShards).toBeUndefined()
  })
})

describe('a rule', () => {
  test('hits only the calls that it names', () => {
    const rule: FaultRule = {
      kind: 'error',
      operation: ['GetRecords', 'PutRecord'],
      stream: 's',
      shard: 'shardId-000000000000',
      fromMs: START_MS + 10,
      untilMs: START_MS + 20,
    }
    const streams = new Streams()
    streams.create(2)
    const plan = new FaultPlan([rule])
    const kind = (operation: string, input: object, ms: number) =>
      plan.decide(operation, { ...input }, START_MS + ms).kind
    const read = { ShardIterator: streams.iterator('LATEST') }
    const other = { ShardIterator: streams.iterator('LATEST', { ShardId: '1' }) }
    expect([9, 10, 19, 20].map((ms) => kind('GetRecords', read, ms))).toEqual([
      'none',
      'error',
      'error',
      'none',
    ])
    expect(kind('GetRecords', other, 15)).toBe('none')
    expect(kind('PutRecord', PUT, 15)).toBe('none')
    expect(kind('ListShards', { StreamName: 's' }, 15)).toBe('none')
  })

  test('lets calls pass first, then hits as often as it says', () => {
    const plan = new FaultPlan([{ kind: 'error', skip: 2, times: 2 }])
    const kinds = Array.from({ length: 6 }, () => plan.decide('PutRecord', PUT, 0).kind)
    expect(kinds).toEqual(['none', 'none', 'error', 'error', 'none', 'none'])
    expect(plan.counts).toMatchObject({ none: 4, error: 2 })
  })

  test('with a rate hits about so many, the same for the same seed', () => {
    const kinds = (seed: number): FaultKind[] => {
      const plan = new FaultPlan([{ kind: 'slow', rate: 0.1 }], seed)
      return Array.from({ length: 10_000 }, () => plan.decide('PutRecord', PUT, 0).kind)
    }
    const hit = kinds(1).filter((kind) => kind === 'slow').length
    expect(hit).toBeGreaterThan(900)
    expect(hit).toBeLessThan(1_100)
    expect(kinds(1)).toEqual(kinds(1))
    expect(kinds(1)).not.toEqual(kinds(2))
  })

  test('of a kind that an operation cannot have is refused, as is a rate beyond 1', () => {
    expect(() => new FaultPlan([{ kind: 'empty', operation: 'PutRecord' }])).toThrow(
      'A fault "empty" cannot hit PutRecord',
    )
    expect(() => new FaultPlan([{ kind: 'slow', rate: 2 }])).toThrow('from 0 to 1')
    const plan = new FaultPlan([{ kind: 'duplicate' }])
    expect(plan.decide('GetRecords', {}, 0).kind).toBe('none')
  })
})

describe('the log of calls', () => {
  test('has each call with its place, size, outcome and fault', () => {
    const streams = withRules({ kind: 'cut-after', operation: 'PutRecord', times: 1 })
    cutOf(() => streams.faulty('PutRecord', PUT))
    streams.clock.advance(10)
    streams.faulty('GetRecords', { ShardIterator: streams.iterator('TRIM_HORIZON') })
    codeOf(() => streams.call('ListShards', { StreamName: 'other' }))
    const shard = 'shardId-000000000000'
    const at = { stream: 's', shard, atMs: START_MS + 10, delayMs: 0 }
    expect(streams.service.calls.slice(1)).toEqual([
      {
        ...at,
        operation: 'PutRecord',
        atMs: START_MS,
        records: 1,
        bytes: 2,
        outcome: 'cut',
        fault: 'cut-after',
      },
      {
        ...at,
        operation: 'GetShardIterator',
        records: 0,
        bytes: 0,
        outcome: 'ok',
        fault: 'none',
      },
      { ...at, operation: 'GetRecords', records: 1, bytes: 2, outcome: 'ok', fault: 'none' },
      {
        operation: 'ListShards',
        stream: 'other',
        shard: undefined,
        atMs: START_MS + 10,
        records: 0,
        bytes: 0,
        outcome: 'ResourceNotFoundException',
        fault: 'none',
        delayMs: 0,
      },
    ])
  })

  test('has the place of a read whose iterator has expired', () => {
    const streams = withRules()
    const iterator = streams.iterator('TRIM_HORIZON')
    streams.clock.advance(300_001)
    const read = () => streams.faulty('GetRecords', { ShardIterator: iterator })
    expect(codeOf(read)).toBe('ExpiredIteratorException')
    const place = { stream: 's', shard: 'shardId-000000000000' }
    expect(streams.service.calls.at(-1)).toMatchObject(place)
  })

  test('has the time of a slow call when it came, and how long its answer took', async () => {
    const clock = new ManualClock(START_MS)
    const faults = [{ kind: 'slow', operation: 'PutRecord', delayMs: 700 }] as const
    const simulator = new KinesisSimulator({ clock, faults })
    simulator.call('CreateStream', { StreamName: 's', ShardCount: 1 })
    const requestHandler = simulator.requestHandler()
    const credentials = { accessKeyId: 'any', secretAccessKey: 'any' }
    const config = { region: 'us-east-1', credentials, maxAttempts: 1, requestHandler }
    const put = new KinesisClient(config).send(new PutRecordCommand(PUT))
    while (simulator.callCount < 2) await setImmediate()
    clock.advance(700)
    await put
    expect(simulator.calls.at(-1)).toMatchObject({ atMs: START_MS, delayMs: 700, fault: 'slow' })
  })

  test('keeps the newest calls; the counters of the shards go on', () => {
    const streams = new Streams({ callsMax: 10 })
    streams.create(1)
    for (let i = 0; i < 100; i++) {
      streams.put(String(i))
      streams.clock.advance(1)
    }
    expect(streams.service.calls.map(({ atMs }) => atMs - START_MS)).toEqual([
      90, 91, 92, 93, 94, 95, 96, 97, 98, 99,
    ])
    expect(streams.service.callCount).toBe(101)
    expect(streams.service.shards[0]?.recordsIn).toBe(100)
  })

  test('counts reads that a fault kept away as reads of their shard', () => {
    const streams = withRules({ kind: 'cut-before', operation: 'GetRecords' })
    const ShardIterator = streams.iterator('LATEST')
    for (let i = 0; i < 7; i++) cutOf(() => streams.faulty('GetRecords', { ShardIterator }))
    expect(streams.service.shards[0]).toMatchObject({ reads: 7, readsPerSecondMax: 7 })
  })
})
