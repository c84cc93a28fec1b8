import { KinesisBlock, type KinesisRecord } from 'millrace/kinesis'
import { expect, test } from 'vitest'
import { openColumns, toRecordColumns } from '../../../src/batch/record-columns.ts'

function blockOf(texts: readonly string[]): KinesisBlock {
  const records = texts.map((text, i) => {
    const data = Buffer.from(text)
    return { data, partitionKey: `k${i}`, sequenceNumber: String(i), arrivalMs: i }
  })
  return new KinesisBlock('shard-0', records)
}

function whole(record: KinesisRecord): unknown {
  return { ...record.toJSON(), bytes: [...record.bytes] }
}

test('records can be stored, and are what they were', () => {
  const block = blockOf(['a', 'é', ''])
  const records = [0, 1, 2].map((i) => block.at(i))
  const opened = openColumns(toRecordColumns([block], 'records'))
  const pairs = openColumns(toRecordColumns([records.map((one) => ['k', one])], 'pairs'))
  for (const [i, record] of records.entries()) {
    expect(whole(opened.at(i) as KinesisRecord)).toEqual(whole(record))
    const [, value] = pairs.at(i) as [string, KinesisRecord]
    expect(whole(value)).toEqual(whole(record))
  }
})

test('a part of a block is what was cut out, whatever the order of cuts', () => {
  const block = blockOf(['ab', 'c', 'déf', 'g'])
  const rest = block.slice(1, 4)
  const parts = [block.slice(0, 1), rest.slice(0, 2), rest.slice(2, 3)]
  const texts = parts.flatMap((part) =>
    Array.from({ length: part.length }, (_, i) => part.at(i).text()),
  )
  expect(texts).toEqual(['ab', 'c', 'déf', 'g'])
  expect(parts.reduce((crc, part) => part.crc(crc), 0)).toBe(block.crc(0))
  const bytes = parts.reduce((n, part) => n + part.bytes, 0)
  expect(bytes).toBe(block.bytes)
  const { content } = rest.slice(1, 3).toParcel()
  expect(KinesisBlock.fromParcel(content).at(0).text()).toBe('déf')
})
