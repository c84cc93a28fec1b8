import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { shareRecords } from '../../src/receivers/record-shares.ts'

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)

describe('shareRecords', () => {
  test.each([
    ['gives all what they want where there is enough', [1, 2, 3], 9, 0, [1, 2, 3]],
    ['gives all what they want without a limit', [1, 9], Number.POSITIVE_INFINITY, 0, [1, 9]],
    ['shares evenly where all want more', [9, 9, 9], 6, 0, [2, 2, 2]],
    ['gives to the others what one does not need', [1, 9, 9], 7, 0, [1, 3, 3]],
    ['gives the rest from the turn on', [9, 9, 9], 2, 1, [0, 1, 1]],
    ['comes round to the first', [9, 9, 9], 2, 2, [1, 0, 1]],
    ['shares nothing out to nobody', [], 5, 3, []],
  ])('%s', (_does, waiting, recordsMax, turn, expected) => {
    expect(shareRecords(waiting, recordsMax, turn)).toEqual(expected)
  })

  test('uses up the limit or serves all, gives nobody more than it wants, and is even', () => {
    const waiting = fc.array(fc.nat(50), { maxLength: 8 })
    fc.assert(
      fc.property(waiting, fc.nat(200), fc.nat(20), (wanted, recordsMax, turn) => {
        const shares = shareRecords(wanted, recordsMax, turn)
        expect(sum(shares)).toBe(Math.min(recordsMax, sum(wanted)))
        const unserved = shares.filter((share, i) => share < (wanted[i] ?? 0))
        const least = Math.min(...unserved)
        for (const [i, share] of shares.entries()) {
          expect(share).toBeLessThanOrEqual(wanted[i] ?? 0)
          expect(share).toBeLessThanOrEqual(least + 1)
        }
      }),
    )
  })

  test('serves each of many partitions in its turn', () => {
    const served = [0, 1, 2].map((turn) => shareRecords([9, 9, 9], 1, turn).indexOf(1))
    expect(new Set(served)).toEqual(new Set([0, 1, 2]))
  })
})
