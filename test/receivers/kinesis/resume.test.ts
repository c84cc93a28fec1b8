import { describe, expect, test } from 'vitest'
import { resume, type StreamNow } from '../../../src/receivers/kinesis/resume.ts'
import type { KnownPosition } from '../../../src/receivers/kinesis/shard.ts'

const DAY = 86_400_000
const NOW = 10 * DAY
const READ = { startAt: 'LATEST', onGap: 'fail' } as const
const TIP = { kind: 'sequence', sequence: '7', sub: -1 } as const
const END = { kind: 'END' } as const
const OLDEST = { kind: 'TRIM_HORIZON' } as const

function streamNow(...shards: readonly (readonly [string, ...string[]])[]): StreamNow {
  const listed = shards.map(([id, ...parents]) => ({ id, parents, closed: false }))
  return { listed, nowMs: NOW, retentionMs: DAY, origin: '5', held: new Set() }
}

function at(partition: string, position: KnownPosition['position'], caughtUpAt = NOW - 1) {
  return { partition, position, caughtUpAt, parents: [], origin: '5' }
}

describe('where shards go on', () => {
  test('a start at LATEST reads open shards from now on, and closed ones not at all', () => {
    const now = streamNow(['a'], ['b', 'a'])
    const listed = now.listed.map((shard) => ({ ...shard, closed: shard.id === 'a' }))
    const { positions } = resume([], { ...now, listed }, READ)
    expect(positions.map(({ position }) => position)).toEqual([
      END,
      { kind: 'timestamp', timestampMs: NOW },
    ])
  })

  test('a shard that is new to a known stream is read from its beginning', () => {
    const { positions, gaps } = resume([at('a', END)], streamNow(['a'], ['b', 'a']), READ)
    expect(gaps).toEqual([])
    expect(positions.map((one) => [one.partition, one.position])).toEqual([
      ['a', END],
      ['b', OLDEST],
    ])
  })

  test('an ended shard that the stream does not list is forgotten without a gap', () => {
    const known = [at('a', END, NOW - DAY - 1), at('b', TIP)]
    const { positions, gaps } = resume(known, streamNow(['b', 'a']), READ)
    expect(gaps).toEqual([])
    expect(positions.map(({ partition }) => partition)).toEqual(['b'])
  })

  test('an ended shard is remembered while the stream keeps its records, listed or not', () => {
    const { positions } = resume([at('a', END), at('b', TIP)], streamNow(['b', 'a']), READ)
    expect(positions.map(({ partition }) => partition)).toEqual(['a', 'b'])
  })

  test('shards that came and went while nobody read are a gap', () => {
    const { gaps } = resume([at('a', END, 5)], streamNow(['c', 'b'], ['d', 'b']), READ)
    expect(gaps).toEqual([{ shard: 'b', kind: 'vanished', fromMs: 5, toMs: NOW }])
  })

  test('a child is no gap while its parent is still to be read, or is listed', () => {
    const child = { ...at('b', OLDEST, 5), parents: ['a'] }
    const listed = streamNow(['a'], ['b', 'a'])
    expect(resume([at('a', TIP), child], listed, READ).gaps).toEqual([])
    expect(resume([at('a', END, 5), child], listed, READ).gaps).toEqual([])
    const { gaps } = resume([at('a', END, 7), child], streamNow(['b', 'a']), READ)
    expect(gaps).toEqual([{ shard: 'b', kind: 'dropped', fromMs: 7, toMs: NOW - DAY }])
  })

  test('a position knows how long records were kept when it was written', () => {
    const now = { ...streamNow(['a'], ['b']), retentionMs: 7 * DAY }
    const old = NOW - 2 * DAY
    const known = [at('a', TIP, old), { ...at('b', TIP, old), retentionMs: 7 * DAY }]
    const { gaps, positions } = resume(known, now, { ...READ, onGap: 'earliest' })
    expect(gaps).toEqual([{ shard: 'a', kind: 'dropped', fromMs: old, toMs: NOW - DAY }])
    expect(positions.map(({ retentionMs }) => retentionMs)).toEqual([7 * DAY, 7 * DAY])
    expect(positions.map(({ position }) => position)).toEqual([TIP, TIP])
  })

  test('a shard that is not listed and was not read to its end has vanished', () => {
    const { gaps } = resume([at('a', TIP, 5), at('b', TIP)], streamNow(['b']), READ)
    expect(gaps).toEqual([{ shard: 'a', kind: 'vanished', fromMs: 5, toMs: NOW }])
  })

  test('what is not known to have been read within the retention is a gap', () => {
    const known = [at('a', TIP, NOW - DAY - 1), at('b', TIP, NOW - DAY)]
    const { gaps } = resume(known, streamNow(['a'], ['b']), READ)
    expect(gaps).toEqual([{ shard: 'a', kind: 'dropped', fromMs: NOW - DAY - 1, toMs: NOW - DAY }])
  })

  test('there is no gap while the last record that was read is still there', () => {
    const now = { ...streamNow(['a']), held: new Set(['a']) }
    expect(resume([at('a', TIP, 0)], now, READ).gaps).toEqual([])
  })

  test('children that came while nobody read, and are older than the retention, are a gap', () => {
    const { gaps } = resume([at('a', END, 5)], streamNow(['b', 'a'], ['c', 'b']), READ)
    expect(gaps).toEqual([{ shard: 'b', kind: 'dropped', fromMs: 5, toMs: NOW - DAY }])
  })

  test('a stream with another creation time is another stream', () => {
    const { positions, gaps } = resume(
      [at('a', TIP, 5)],
      { ...streamNow(['a']), origin: '9' },
      READ,
    )
    expect(gaps.map(({ kind }) => kind)).toEqual(['made anew'])
    expect(positions.map(({ position, origin }) => [position, origin])).toEqual([[OLDEST, '9']])
  })

  test('a checkpoint without a creation time takes the one of now', () => {
    const { origin: _, ...known } = at('a', TIP)
    expect(resume([known], streamNow(['a']), READ).positions[0]?.origin).toBe('5')
  })
})
