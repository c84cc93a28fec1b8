// The order of keys is total, and agrees with their equality.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareKeys } from '../../src/batch/key-order.ts'
import { anyKey, sameKey } from './any-key.ts'

const settings = { numRuns: 2_000, seed: 20_260_304 }

test('of two keys one comes first exactly if they differ', () => {
  const property = fc.property(anyKey, anyKey, (a, b) => {
    const order = Math.sign(compareKeys(a, b))
    expect(order).toBe(-Math.sign(compareKeys(b, a)) + 0)
    expect(order === 0).toBe(sameKey(a, b))
  })
  fc.assert(property, settings)
})

test('what comes first of two comes first of three', () => {
  const property = fc.property(anyKey, anyKey, anyKey, (a, b, c) => {
    if (compareKeys(a, b) <= 0 && compareKeys(b, c) <= 0) {
      expect(compareKeys(a, c)).toBeLessThanOrEqual(0)
    }
  })
  fc.assert(property, settings)
})
