import { expect, test } from 'vitest'
import { BlockColumns, Texts } from '../../../src/receivers/kinesis/block-columns.ts'

test('texts come out as they went in, whatever they are, and cut', () => {
  const all = ['', 'a', 'k\0ey', '', 'ключ', '🔑', '']
  const texts = Texts.of(all)
  expect(all.map((_, i) => texts.at(i))).toEqual(all)
  const part = texts.slice(2, 6).slice(1, 4)
  expect([0, 1, 2].map((i) => part.at(i))).toEqual(['', 'ключ', '🔑'])
  expect(texts.at(all.length)).toBe('')
})

test('columns that were sent to another thread are what they were', () => {
  const records = ['x', 'y', 'z'].map((partitionKey, i) => {
    return { partitionKey, sequenceNumber: `4950${i}`, arrivalMs: 1_700_000_000_000 + i }
  })
  const part = BlockColumns.of(records).slice(1, 3)
  const sent = BlockColumns.fromParcel(structuredClone(part.toParcel()))
  expect(sent.length).toBe(2)
  expect(sent.partitionKeys.at(1)).toBe('z')
  expect(sent.sequenceNumbers.at(0)).toBe('49501')
  expect(sent.arrivals[1]).toBe(1_700_000_000_002)
  expect(sent.lastSequence).toBe('49502')
  expect(sent.characters).toBe(part.characters)
})
