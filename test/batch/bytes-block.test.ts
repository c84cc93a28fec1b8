import { crc32 } from 'node:zlib'
import { expect, test } from 'vitest'
import { BytesRecords } from '../../src/batch/bytes-block.ts'

/** The checksum as the log has it: over the length and the bytes of each record. */
function checksum(records: readonly Uint8Array[], before: number): number {
  return records.reduce((crc, record) => {
    const length = Buffer.alloc(4)
    length.writeUInt32LE(record.length)
    return crc32(record, crc32(length, crc))
  }, before)
}

function records(lengths: readonly number[]): Uint8Array[] {
  return lengths.map((length, i) => new Uint8Array(length).fill(i + 1))
}

test.each([
  ['no record', []],
  ['empty records', [0, 0]],
  ['small records', [1, 2, 300, 255, 256]],
  ['more records than are put together at once', Array.from({ length: 200 }, (_, i) => 1_000 + i)],
  ['records of just the size that is put together, and one more byte', [65_532, 65_533, 65_532]],
  ['large records between small ones', [3, 70_000, 5, 1_048_576, 65_000, 600]],
])('the checksum of %s is that of the log', (_, lengths) => {
  const all = records(lengths)
  expect(BytesRecords.of(all).crc(7)).toBe(checksum(all, 7))
})

test('the checksum does not depend on where records are cut', () => {
  const all = BytesRecords.of(records([5, 70_000, 0, 65_533, 12]))
  for (let at = 0; at <= all.length; at++) {
    const [head, tail] = [all.slice(0, at), all.slice(at, all.length)]
    expect(tail.crc(head.crc(0))).toBe(all.crc(0))
  }
})
