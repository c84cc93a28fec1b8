// A producer and a reader that do what careful ones do, through random reshards and faults: the
// simulator may lose nothing that it acknowledged.

import { expect, test } from 'vitest'
import type { FaultKind } from '../../../src/testing/kinesis/faults.ts'
import { seededRandom } from '../../../src/testing/kinesis/seeded-random.ts'
import { ConnectionCut, ServiceFault } from '../../../src/testing/kinesis/service-fault.ts'
import { type Answer, Streams } from './streams.ts'

/** Calls until there is an answer, time passing between attempts. */
function persist(streams: Streams, operation: string, input: Readonly<Record<string, unknown>>) {
  for (;;) {
    try {
      return streams.faulty(operation, input)
    } catch (thrown) {
      if (!(thrown instanceof ConnectionCut || thrown instanceof ServiceFault)) throw thrown
      const isFinal = thrown instanceof ServiceFault && !MAY_PASS.has(thrown.code)
      if (isFinal) throw thrown
      streams.clock.advance(100)
    }
  }
}

const MAY_PASS = new Set([
  'InternalFailure',
  'LimitExceededException',
  'ProvisionedThroughputExceededException',
])

/** Reads every shard to where it stands now or ends, parents before their children. */
class Reader {
  readonly seen: string[] = []
  readonly #streams: Streams
  readonly #open = new Map<string, string>()
  readonly #ended = new Set<string>()

  constructor(streams: Streams) {
    this.#streams = streams
    for (const id of streams.shardIds()) this.#begin(id)
  }

  readAll(): void {
    for (let moved = true; moved; ) {
      moved = false
      for (const [id, iterator] of [...this.#open]) moved = this.#read(id, iterator) || moved
    }
  }

  #begin(ShardId: string): void {
    const of = { StreamName: 's', ShardId, ShardIteratorType: 'TRIM_HORIZON' }
    this.#open.set(ShardId, persist(this.#streams, 'GetShardIterator', of).ShardIterator)
  }

  #read(id: string, ShardIterator: string): boolean {
    const answer = persist(this.#streams, 'GetRecords', { ShardIterator, Limit: 50 })
    for (const { PartitionKey, Data } of answer.Records) {
      this.seen.push(`${PartitionKey}:${Buffer.from(Data).toString()}`)
    }
    if (answer.NextShardIterator !== undefined) {
      this.#open.set(id, answer.NextShardIterator)
      return answer.Records.length > 0 || answer.MillisBehindLatest > 0
    }
    this.#open.delete(id)
    this.#ended.add(id)
    for (const { ShardId, ParentShards } of answer.ChildShards as Answer[]) {
      if (ParentShards.every((parent: string) => this.#ended.has(parent))) this.#begin(ShardId)
    }
    return true
  }
}

function reshard(streams: Streams, random: () => number): void {
  const { Shards } = streams.call('ListShards', {
    StreamName: 's',
    ShardFilter: { Type: 'AT_LATEST' },
  })
  const ranges = Shards.map(({ ShardId, HashKeyRange }: Answer) => ({
    id: ShardId,
    start: BigInt(HashKeyRange.StartingHashKey),
    end: BigInt(HashKeyRange.EndingHashKey),
  })).sort((a: Answer, b: Answer) => (a.start < b.start ? -1 : 1))
  const at = Math.floor(random() * ranges.length)
  const kind = random()
  if (kind < 0.1) {
    const most = Math.min(8, ranges.length * 2)
    const least = Math.ceil(ranges.length / 2)
    const TargetShardCount = least + Math.floor(random() * (most - least + 1))
    const scaling = { TargetShardCount, ScalingType: 'UNIFORM_SCALING' }
    streams.call('UpdateShardCount', { StreamName: 's', ...scaling })
  } else if (ranges.length < 3 || (kind < 0.6 && ranges.length < 8)) {
    const { id, start, end } = ranges[at]
    const NewStartingHashKey = String((start + end) / 2n)
    streams.call('SplitShard', { StreamName: 's', ShardToSplit: id, NewStartingHashKey })
  } else {
    const [low, high] = ranges.slice(Math.min(at, ranges.length - 2))
    const pair = { ShardToMerge: low.id, AdjacentShardToMerge: high.id }
    streams.call('MergeShards', { StreamName: 's', ...pair })
  }
}

test.each([1, 2, 3])("300 reshards keep each record once, in its key's order (seed %i)", (seed) => {
  const random = seededRandom(seed)
  const streams = new Streams({ streamDelayMs: seed === 1 ? 0 : 20 })
  streams.create(1)
  streams.clock.advance(100)
  const reader = new Reader(streams)
  const sent: string[] = []
  for (let i = 0; i < 300; i++) {
    reshard(streams, random)
    for (let k = 0; k < 10; k++) {
      const key = `k${Math.floor(random() * 20)}`
      streams.put(key, { Data: Buffer.from(String(sent.length)) })
      sent.push(`${key}:${sent.length}`)
      streams.clock.advance(random() * 10)
    }
    if (random() < 0.2) reader.readAll()
    streams.clock.advance(20)
  }
  reader.readAll()
  expect(byKey(reader.seen)).toEqual(byKey(sent))
})

test('20,000 calls with faults lose nothing that was acknowledged, and change no order', () => {
  const kinds: FaultKind[] = ['error', 'throttle', 'cut-before', 'cut-after', 'duplicate', 'empty']
  const faults = kinds.map((kind) => ({ kind, rate: 0.05 }))
  const streams = new Streams({ faults, seed: 7, limits: {}, callsMax: 20_000 })
  streams.create(2)
  const reader = new Reader(streams)
  const random = seededRandom(7)
  let sent = 0
  while (streams.service.callCount < 20_000) {
    for (let k = 0; k < 20; k++) {
      const record = { PartitionKey: `k${sent % 7}`, Data: Buffer.from(String(sent)) }
      persist(streams, 'PutRecord', { StreamName: 's', ...record })
      sent += 1
      streams.clock.advance(10 + random() * 50)
    }
    reader.readAll()
  }
  // Lost acknowledgements and retries put a record twice; its first time is in order.
  const firsts = [...new Set(reader.seen)]
  const all = Array.from({ length: sent }, (_, i) => `k${i % 7}:${i}`)
  expect(byKey(firsts)).toEqual(byKey(all))
  expect(reader.seen.length).toBeGreaterThan(sent)
  const { counts } = streams.service.faults
  for (const kind of kinds) expect(counts[kind]).toBeGreaterThan(100)
  const read = streams.service.calls.filter(({ operation }) => operation === 'GetRecords')
  const reads = streams.service.shards.map((shard) => shard.reads)
  expect(reads.reduce((sum, one) => sum + one, 0)).toBe(read.length)
})

function byKey(records: readonly string[]): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const record of records) {
    const key = record.split(':')[0] ?? ''
    const list = found.get(key) ?? []
    list.push(record)
    found.set(key, list)
  }
  return found
}
