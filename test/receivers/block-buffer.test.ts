import fc from 'fast-check'
import { ValuesBlock } from 'millrace/sources'
import { describe, expect, test } from 'vitest'
import type { Block } from '../../src/batch/block.ts'
import { BlockBuffer, ByteBound } from '../../src/receivers/block-buffer.ts'

const UNLIMITED = Number.POSITIVE_INFINITY
const slice = (block: Block<number>, start: number, end: number) => block.slice(start, end)

function filled(...blocks: readonly (readonly number[])[]) {
  const bound = new ByteBound(1_000_000)
  const buffer = new BlockBuffer<Block<number>>(bound)
  for (const values of blocks) buffer.push(new ValuesBlock(values))
  const take = (recordsMax: number, bytesMax = UNLIMITED): number[] =>
    buffer.take({ bytesMax, recordsMax }, slice).flatMap(valuesOf)
  return { bound, buffer, take }
}

function valuesOf(block: Block<number>): number[] {
  return Array.from({ length: block.length }, (_, i) => block.at(i))
}

describe('BlockBuffer', () => {
  test('takes no more records than it may, cutting a block where it must', () => {
    const { take, buffer } = filled([1, 2], [3, 4, 5])
    expect(take(3)).toEqual([1, 2, 3])
    expect(buffer.records).toBe(2)
    expect(take(3)).toEqual([4, 5])
    expect([buffer.records, buffer.length]).toEqual([0, 0])
  })

  test('takes nothing where no record is allowed', () => {
    const { take, buffer } = filled([1])
    expect(take(0)).toEqual([])
    expect(buffer.records).toBe(1)
  })

  test('takes one record that is over the bound of bytes', () => {
    const { take } = filled([1, 2])
    expect(take(UNLIMITED, 1)).toEqual([1])
  })

  test('gives each record once, in order, whatever the limits, and ends with no byte', () => {
    const blocks = fc.array(fc.array(fc.nat(9), { minLength: 1, maxLength: 6 }), { maxLength: 6 })
    const limits = fc.array(fc.tuple(fc.nat(7), fc.nat(20)), { maxLength: 20 })
    fc.assert(
      fc.property(blocks, limits, (values, steps) => {
        const { bound, take } = filled(...values)
        const taken = steps.flatMap(([recordsMax, bytesMax]) => {
          const some = take(recordsMax, bytesMax)
          expect(some.length).toBeLessThanOrEqual(recordsMax)
          return some
        })
        taken.push(...take(UNLIMITED))
        expect(taken).toEqual(values.flat())
        expect(bound.bytes).toBe(0)
      }),
    )
  })

  test('counts records without bytes as waiting', () => {
    const empty: Block<number> = {
      length: 2,
      bytes: 0,
      at: () => 0,
      crc: (before) => before,
      positionAt: String,
      slice: () => empty,
    }
    const bound = new ByteBound(1)
    new BlockBuffer<Block<number>>(bound).push(empty)
    expect(bound.bytes).toBe(2)
  })
})
