// How the bench compares: a contestant that is wrong, refused or dead gets no figure.

import { describe, expect, test } from 'vitest'
import { comparable, compare, difference, type Outcome } from '../../bench/comparison/compare.ts'
import {
  FLINK,
  HAND_1,
  HAND_2,
  type Measured,
  measuredRows,
  SPARK,
} from '../../bench/comparison/measured.ts'
import { targetRows } from '../../bench/comparison/targets.ts'
import { type Contestant, LeftOut, type Leg } from '../../bench/contestants/contestant.ts'
import { median, verdict } from '../../bench/harness.ts'

const TURNS = { warmBatches: 3, legBatches: 2, rounds: 2, seconds: Number.POSITIVE_INFINITY }

/** Notes who does what; the check of batch i is i. */
function contestant(name: string, journal: string[], legOf?: () => Promise<Leg>): Contestant {
  let next = 0
  return {
    name,
    start: () => Promise.resolve(),
    leg(batches) {
      journal.push(`${name} ${batches}`)
      const checks = Array.from({ length: batches }, () => String(next++))
      return legOf?.() ?? Promise.resolve({ ms: 1, checks })
    },
    finish: () => Promise.resolve({ totals: String(next) }),
    stop: () => Promise.resolve(),
  }
}

function outcome(checks: readonly string[], totals?: string): Outcome {
  return { name: 'one', legs: [], checks, totals, leftOut: undefined }
}

describe('compare', () => {
  test('lets the contestants take turns, each round another one first', async () => {
    const journal: string[] = []
    const outcomes = await compare([contestant('a', journal), contestant('b', journal)], TURNS)
    expect(journal).toEqual(['a 3', 'b 3', 'a 2', 'b 2', 'b 2', 'a 2'])
    expect(
      outcomes.map(({ legs, checks, totals }) => [legs.length, checks.length, totals]),
    ).toEqual([
      [2, 7, '7'],
      [2, 7, '7'],
    ])
  })

  test('lets the reference run all batches where time is short', async () => {
    const journal: string[] = []
    const both = [contestant('a', journal), contestant('b', journal)]
    const [reference] = await compare(both, { ...TURNS, seconds: 0 })
    expect(journal).toEqual(['a 3', 'b 3', 'a 2', 'b 2', 'a 2'])
    expect(reference?.totals).toBe('7')
  })

  test('gives no figure to one that fails, and goes on with the others', async () => {
    const journal: string[] = []
    const failing = contestant('b', journal, () => Promise.reject(new LeftOut('it died')))
    const outcomes = await compare([contestant('a', journal), failing], TURNS)
    expect(outcomes.map(({ legs, leftOut }) => [legs.length, leftOut])).toEqual([
      [2, undefined],
      [0, 'it died'],
    ])
  })
})

describe('difference', () => {
  test('names the first batch that differs', () => {
    expect(difference(outcome(['1', '2', '3']), outcome(['1', '9']))).toBe('batch 2 is 9, not 2')
  })

  test('compares totals where one side knows no batches', () => {
    expect(difference(outcome(['1'], '5'), outcome([], '5'))).toBeUndefined()
    expect(difference(outcome(['1'], '5'), outcome([], '6'))).toBe('the totals are 6, not 5')
  })

  test('is not asked where there is nothing to compare', () => {
    expect(comparable(outcome(['1']), outcome([], '6'))).toBe(false)
    expect(comparable(outcome(['1'], '6'), outcome([], '6'))).toBe(true)
  })
})

const side = (name: string, ...rates: number[]) => {
  return { name, rates, cpuRates: [], leftOut: undefined, logBytes: undefined }
}

describe('figures', () => {
  const measured: Measured = {
    workload: 'grep',
    sides: [
      side(HAND_1, 1e6, 2e6, 4e6),
      side(HAND_2, 2e6, 4e6, 8e6),
      side('millrace 1 worker', 0.5e6, 1e6, 2e6),
      side('millrace 2 workers', 1e6, 2e6, 4e6),
      side(SPARK, 1e6, 1e6, 1e6),
      side(FLINK),
    ],
  }

  test('are ratios within a round', () => {
    const rows = measuredRows(measured)
    expect(rows.map((row) => row['contestant'])).not.toContain(FLINK)
    expect(rows[3]).toEqual({
      contestant: 'millrace 2 workers',
      ...{
        'p50 M/s': '2.00',
        min: '1.00',
        max: '4.00',
        'M/cpu s': '',
        ': hand 1': '1.00',
        ': Spark': '2.00',
      },
    })
  })

  test('hold a target, miss it, or were not measured', () => {
    const rows = targetRows([measured]).rows
    const said = rows.map(({ question, reached, verdict: word }) => [question, reached, word])
    expect(said).toEqual([
      ['1 worker : hand-written loop, 1 thread', '0.50', 'missed'],
      ['2 workers : Flink, parallelism 2', '–', 'not measured'],
      ['2 workers : Spark DStream, local[2]', '2.00', 'held'],
      ['LocalStore on : off, 2 workers', '–', 'not measured'],
      ['scaling 1 → 2 workers : scaling of the hand-written loop', '1.00', 'held'],
    ])
  })

  test('have the mean of the two in the middle as the median of an even number', () => {
    expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([])]).toEqual([2, 2.5, Number.NaN])
  })

  test('are judged by their bound', () => {
    expect(verdict('a', 1, { below: 1 })).toBe('to reach: a < 1: 1.00, missed')
    expect(verdict('a', 1, { atMost: 1 })).toBe('to reach: a ≤ 1: 1.00, held')
    expect(verdict('a', Number.NaN, { atMost: 1 })).toBe('to reach: a ≤ 1: not measured')
  })
})
