import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { columnLength, fromColumn, toColumn } from '../../src/batch/columns.ts'
import { ColumnRecords, toRecordColumns } from '../../src/batch/record-columns.ts'

const values = fc.oneof(
  fc.array(fc.oneof(fc.double(), fc.constantFrom(-0, Number.NaN))),
  fc.array(fc.string({ unit: 'binary' })),
  fc.array(fc.string({ unit: 'grapheme-ascii' })),
  fc.array(fc.oneof(fc.integer(), fc.string(), fc.constant(null), fc.constant(undefined))),
  fc.array(fc.tuple(fc.string({ unit: 'binary' }), fc.double())),
  fc.array(fc.tuple(fc.string(), fc.array(fc.integer()))),
  fc.array(
    fc.record(
      { a: fc.double(), b: fc.array(fc.string({ unit: 'binary' })) },
      { noNullPrototype: true },
    ),
  ),
)

describe('columns', () => {
  test('give back what they were made of, bit for bit, and through a thread too', () => {
    fc.assert(
      fc.property(values, (input) => {
        const column = toColumn(input, 'values')
        expect(columnLength(column)).toBe(input.length)
        expect(fromColumn(structuredClone(column))).toStrictEqual(input)
      }),
      { numRuns: 500 },
    )
  })

  test('of records give back the records, pairs or not', () => {
    fc.assert(
      fc.property(values, fc.nat(5), (input, cut) => {
        const pieces = [input.slice(0, cut), input.slice(cut)]
        const records = new ColumnRecords(structuredClone(toRecordColumns(pieces, 'records')))
        expect(records.length).toBe(input.length)
        expect(records.toArray()).toStrictEqual(input)
      }),
      { numRuns: 500 },
    )
  })
})
