import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  encodeRecord,
  frameOf,
  type LogRecord,
  scanSlot,
  slotName,
  slotOf,
  snapshotEpochOf,
  snapshotName,
  tornFrom,
} from '../../src/checkpoint/format.ts'
import { commitOf, planOf, sequence } from './logs.ts'

const RECORDS: readonly LogRecord[] = [
  {
    kind: 'claim',
    format: 1,
    epoch: 1,
    nonce: 'n',
    owner: { host: 'a', bootId: undefined, pid: 1, pidStartTime: '7' },
    pipeline: 'words',
    at: 1_700_000_000_000,
  },
  {
    kind: 'open',
    epoch: 1,
    pipeline: 'words',
    zeroTime: 1_700_000_000_000,
    batchIntervalMs: 1_000,
    planHash: 'h',
    stateful: ['window#0'],
    chain: [{ slot: 1, length: 2 ** 31, crc: 2 ** 32 - 1 }],
  },
  { kind: 'plan', ...planOf(1) },
  { kind: 'commit', ...commitOf(1, new Uint8Array([0, 255, 0x8d, 0x4d, 0x4c, 0x31])) },
  { kind: 'skip', from: 2, to: 2 ** 40 },
  {
    kind: 'positions',
    sourceId: 3,
    at: [
      { partition: 'p', position: { kind: 'TRIM_HORIZON' }, caughtUpAt: 1, parents: [] },
      { partition: 'q', position: { kind: 'END' }, caughtUpAt: 2, parents: ['p', 'ö'] },
      {
        partition: 'r',
        position: { kind: 'timestamp', timestampMs: 5 },
        caughtUpAt: 3,
        parents: [],
      },
      { partition: 's', position: sequence(9), caughtUpAt: 4, parents: [] },
    ],
  },
  { kind: 'forget', beforeSlot: 4, snapshots: ['epoch-1/snapshot-1-1.bin'] },
  { kind: 'closed', at: 5 },
]

const SLOT = 7

/** Writes records as an owner does that syncs after each. */
function slotOfRecords(
  records: readonly LogRecord[],
  synced = true,
): { bytes: Buffer; ends: number[] } {
  let bytes = Buffer.alloc(0)
  const ends = [0]
  for (const record of records) {
    const place = { slot: SLOT, offset: bytes.length }
    const frame = frameOf(encodeRecord(record), place, synced ? bytes.length : 0)
    bytes = Buffer.concat([bytes, frame])
    ends.push(bytes.length)
  }
  return { bytes, ends }
}

const recordsIn = (bytes: Uint8Array, slot = SLOT): LogRecord[] =>
  scanSlot(slot, bytes).frames.map(({ record }) => record)

const asPlain = (records: readonly LogRecord[]): LogRecord[] =>
  records.map((record) =>
    record.kind === 'commit' ? { ...record, changes: Buffer.from(record.changes) } : record,
  )

test('format gives back every kind of record as it was', () => {
  expect(recordsIn(slotOfRecords(RECORDS).bytes)).toEqual(asPlain(RECORDS))
})

test('format recovers a prefix, and cuts the rest, wherever the bytes end', () => {
  const { bytes, ends } = slotOfRecords(RECORDS)
  fc.assert(
    fc.property(fc.nat(bytes.length), (length) => {
      const cut = bytes.subarray(0, length)
      const whole = ends.filter((end) => end <= length)
      const scan = scanSlot(SLOT, cut)
      expect(scan.frames.map(({ record }) => record)).toEqual(
        asPlain(RECORDS.slice(0, whole.length - 1)),
      )
      expect(tornFrom(scan, length)).toBe(whole.at(-1))
    }),
    { numRuns: 500, examples: ends.map((end) => [end] as [number]) },
  )
})

test('format finds every single changed byte, and reads on after it', () => {
  const { bytes, ends } = slotOfRecords(RECORDS)
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const damaged = Buffer.from(bytes)
      damaged[at] = (damaged[at] ?? 0) ^ flip
      const hit = ends.findLastIndex((end) => end <= at)
      const scan = scanSlot(SLOT, damaged)
      expect(scan.damages).toEqual([{ offset: ends[hit], end: ends[hit + 1] }])
      expect(scan.frames).toHaveLength(RECORDS.length - 1)
    }),
    { numRuns: 500 },
  )
})

test('format takes a frame for a record only where it was written', () => {
  const { bytes } = slotOfRecords(RECORDS)
  expect(recordsIn(bytes, SLOT + 1)).toEqual([])
  expect(recordsIn(Buffer.concat([Buffer.alloc(1), bytes]))).toEqual([])
  const copied: LogRecord = { kind: 'commit', ...commitOf(1, bytes) }
  const { bytes: outer } = slotOfRecords([copied])
  outer.fill(0, 0, 8)
  expect(recordsIn(outer)).toEqual([])
})

test('format takes damage for a torn tail only if nothing proves it was durable', () => {
  for (const synced of [true, false]) {
    const { bytes, ends } = slotOfRecords(RECORDS, synced)
    bytes.fill(0, ends[2], ends[3])
    expect(tornFrom(scanSlot(SLOT, bytes), bytes.length)).toBe(synced ? bytes.length : ends[2])
  }
})

test('format reads the bytes that version 1 writes', () => {
  const { bytes } = slotOfRecords([{ kind: 'closed', at: 5 }])
  expect(bytes.toString('hex')).toMatchInlineSnapshot(
    `"8d4d4c3100000013000000007f6a1f45de0002a46b696e64a6636c6f736564a2617405"`,
  )
  expect(recordsIn(bytes)).toEqual([{ kind: 'closed', at: 5 }])
})

test('format names slots and snapshots so that the names say all', () => {
  expect(slotName(12)).toBe('slots/0000000012.log')
  expect(slotOf('slots/0000000012.log')).toBe(12)
  expect(slotOf('slots/12.log')).toBeUndefined()
  expect(snapshotName(3, 700, 2)).toBe('epoch-3/snapshot-700-2.bin')
  expect(snapshotEpochOf('epoch-3/snapshot-700-2.bin')).toBe(3)
  expect(snapshotEpochOf('epoch-3/blocks-700.bin')).toBeUndefined()
})
