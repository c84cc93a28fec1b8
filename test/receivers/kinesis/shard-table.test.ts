import { ManualClock } from 'millrace/testing'
import { describe, expect, test } from 'vitest'
import { ByteBound } from '../../../src/receivers/block-buffer.ts'
import { kinesisSettings } from '../../../src/receivers/kinesis/options.ts'
import { ShardState } from '../../../src/receivers/kinesis/shard.ts'
import { ShardPace } from '../../../src/receivers/kinesis/shard-pace.ts'
import { holesBefore, ShardTable } from '../../../src/receivers/kinesis/shard-table.ts'
import type { Page } from '../../../src/receivers/kinesis/stream-reader.ts'

const HORIZON = 1_000
const ALL = { bytesMax: 1e9, recordsMax: Number.POSITIVE_INFINITY }
const TIMES = { heartbeatMs: 1e9, retentionMs: undefined }

function shard(id: string, parents: readonly string[] = [], isLogged = true): ShardState {
  const pace = new ShardPace(kinesisSettings({ stream: 's' }), new ManualClock(0), () => 0.5)
  const known = {
    partition: id,
    position: { kind: 'TRIM_HORIZON' },
    caughtUpAt: 0,
    parents,
  } as const
  return new ShardState(known, new ByteBound(1e9), pace, { startedAt: 0, isLogged })
}

function page(numbers: readonly number[], more: Partial<Page> = {}): Page {
  const records = numbers.map((n) => {
    const sequenceNumber = String(n)
    return { data: new Uint8Array(1), partitionKey: 'k', sequenceNumber, arrivalMs: n }
  })
  const base = { next: 'x', behindMs: 0, isFull: false, bytes: 1, askedAt: 0, children: [] }
  return { ...base, records, ...more }
}

function ended(id: string): ShardState {
  const one = shard(id)
  one.receive(page([1], { next: undefined }))
  one.take(ALL, TIMES)
  return one
}

function listed(...ids: readonly string[]) {
  return ids.map((id) => ({ id, parents: id === 'b' ? ['a'] : [], closed: false }))
}

describe('the table of shards', () => {
  test('does not read a forgotten shard again that a listing names once more', () => {
    const table = new ShardTable()
    table.add(ended('a'))
    table.add(shard('b', ['a']))
    expect(table.forgetDropped(listed('b'), HORIZON)).toEqual(['a'])
    expect(table.unknownOf(listed('a', 'b'), true)).toEqual([])
    expect(table.isReadable(table.all[0] as ShardState)).toBe(true)
  })

  test('forgets no shard that may be listed again with its records', () => {
    const table = new ShardTable()
    table.add(ended('a'))
    expect(table.forgetDropped([], 1)).toEqual([])
    expect(table.forgetDropped([], 2)).toEqual(['a'])
  })

  test('forgets a parent when the log has its children', () => {
    const table = new ShardTable()
    const child = shard('b', ['a'], false)
    table.add(ended('a'))
    table.add(child)
    expect(table.forgetDropped(listed('b'), HORIZON)).toEqual([])
    child.receive(page([2]))
    child.take(ALL, TIMES)
    expect(table.forgetDropped(listed('b'), HORIZON)).toEqual(['a'])
  })

  test('sees by its children that a shard came and went', () => {
    const table = new ShardTable()
    table.add(shard('0'))
    expect(holesBefore(listed('b'), table)).toEqual(['a'])
    expect(holesBefore(listed('a', 'b'), table)).toEqual([])
  })
})

describe('a shard that is moved on twice', () => {
  test('gives a range for each place that it went on from', () => {
    const one = shard('a')
    const places = [5, 8].map((timestampMs) => ({ kind: 'timestamp', timestampMs }) as const)
    one.receive(page([1, 2]))
    one.moveTo(places[0] as (typeof places)[0], 5)
    one.receive(page([6]))
    one.moveTo(places[1] as (typeof places)[1], 8)
    one.receive(page([9]))
    const ranges = [1, 2, 3].map(() => one.take(ALL, TIMES)?.range)
    expect(ranges.map((range) => range?.records)).toEqual([2, 1, 1])
    expect(ranges.map((range) => range?.after)).toEqual([{ kind: 'TRIM_HORIZON' }, ...places])
  })
})
