import { describe, expect, test } from 'vitest'
import { mulberry32 } from '../../src/batch/recipes.ts'
import { ReducedWindowOperator } from '../../src/state/reduced-window-operator.ts'
import type { OperatorChange } from '../../src/state/stateful-operator.ts'
import { Crew, type Pair, reduced } from './crew.ts'

const PARTITIONS = 3
const sum = (a: number, b: number): number => a + b
const take = (a: number, b: number): number => a - b
const concat = (a: string, b: string): string => a + b

interface WindowOptions {
  readonly lengthMs: number
  readonly f?: (a: never, b: never) => unknown
  readonly inverse?: (a: never, b: never) => unknown
  readonly partitions?: number
  readonly zeroTime?: number
}

function windowOf({ lengthMs, f = sum, inverse, partitions = 1, zeroTime = 0 }: WindowOptions) {
  const filter = inverse && (([, value]: [unknown, number]) => value !== 0)
  const options = { lengthMs, f, inverse, filter, partitions } as never
  return new Crew((seat) => new ReducedWindowOperator('w', options, { ...seat, zeroTime }), 1)
}

/** The value of a window of one key. */
function onlyValue([part = []]: unknown[][]): unknown {
  expect(part).toHaveLength(1)
  return (part[0] as Pair)[1]
}

/** Batches of numbered keys: a few that stay and many that come and go. */
function churn(batches: number, seed: number): Pair[][] {
  const random = mulberry32(seed)
  return Array.from({ length: batches }, (_, batch) =>
    Array.from({ length: 120 }, (): Pair => {
      const key =
        random() < 0.3 ? Math.floor(random() * 20) : batch * 40 + Math.floor(random() * 80)
      return [`key ${key}`, 1 + Math.floor(random() * 5)]
    }),
  )
}

/** The window of whole numbers by hand: a key keeps its place while a batch of it has the key. */
function byHand(batches: readonly Pair[][][], length: number): unknown[][][] {
  const orders: unknown[][] = Array.from({ length: PARTITIONS }, () => [])
  return batches.map((_, i) =>
    orders.map((order, p) => {
      const panes = batches.slice(Math.max(0, i + 1 - length), i + 1).map((parts) => parts[p] ?? [])
      const sums = new Map<unknown, number>()
      for (const [key, n] of panes.flat(1)) sums.set(key, (sums.get(key) ?? 0) + (n as number))
      const kept = order.filter((key) => sums.has(key))
      orders[p] = [...new Set([...kept, ...sums.keys()])]
      return (orders[p] ?? []).map((key) => [key, sums.get(key)])
    }),
  )
}

describe('a window whose keys come and go', () => {
  test.each([
    ['with an inverse', take],
    ['without an inverse', undefined],
  ])('is what it is by hand, %s', (_name, inverse) => {
    const batches = churn(40, 3).map((pairs) => reduced(pairs, PARTITIONS, sum))
    const options = { lengthMs: 4, partitions: PARTITIONS, ...(inverse && { inverse }) }
    const window = windowOf(options)
    let restarted = windowOf(options)
    let snapshot: OperatorChange[] | undefined
    const expected = byHand(batches, 4)
    batches.forEach((batch, i) => {
      expect(window.attempt(i + 1, batch)).toEqual(expected[i])
      expect(restarted.attempt(i + 1, batch)).toEqual(expected[i])
      const changes = window.changes()
      restarted = windowOf(options)
      if (snapshot !== undefined) restarted.restore(snapshot)
      if (changes !== undefined) restarted.apply(changes)
      window.merge()
      snapshot = window.snapshot()
    })
  })
})

test.each([
  ['with an inverse', take],
  ['without an inverse', undefined],
])('a window shorter than its slide leaves out what lies between, %s', (_name, inverse) => {
  const window = windowOf({ lengthMs: 2, ...(inverse && { inverse }) })
  const outputs = [1, 2, 4, 8, 16, 32].map((n, i) => {
    const time = i + 1
    return window.batch(time, [[['a', n]]], time % 3 === 0)
  })
  expect(outputs).toEqual([[], [], [[['a', 6]]], [], [], [[['a', 48]]]])
})

describe('a window without an inverse', () => {
  test('keeps the operands in the order of time', () => {
    const window = windowOf({ lengthMs: 4, f: concat })
    const outputs = [...'abcdefghij'].map((letter, i) => window.batch(i + 1, [[['k', letter]]]))
    expect(outputs.map(onlyValue)).toEqual(
      Array.from({ length: 10 }, (_, i) => 'abcdefghij'.slice(Math.max(0, i - 3), i + 1)),
    )
  })

  test('groups them by chunks of its length since zero time, and by nothing else', () => {
    const show = (a: string, b: string) => `(${a}${b})`
    const run = (zeroTime: number) => {
      const window = windowOf({ lengthMs: 4, f: show, zeroTime })
      return [...'abcdefghij'].map((letter, i) => {
        return onlyValue(window.batch(zeroTime + i + 1, [[['k', letter]]]))
      })
    }
    expect(run(0)).toEqual([
      'a',
      '(ab)',
      '((ab)c)',
      '(((ab)c)d)',
      '((b(cd))e)',
      '((cd)(ef))',
      '(d((ef)g))',
      '(((ef)g)h)',
      '((f(gh))i)',
      '((gh)(ij))',
    ])
    expect(run(1_234_567)).toEqual(run(0))
  })

  test('gives the same after times that were skipped and batches that did not come', () => {
    const window = windowOf({ lengthMs: 4 })
    expect(window.batch(1, [[['a', 1]]])).toEqual([[['a', 1]]])
    expect(window.batch(3, undefined)).toEqual([[['a', 1]]])
    expect(window.batch(4, [[['b', 2]]])).toEqual([
      [
        ['a', 1],
        ['b', 2],
      ],
    ])
    expect(window.batch(6, undefined)).toEqual([[['b', 2]]])
    expect(window.batch(40, [[['a', 5]]])).toEqual([[['a', 5]]])
    expect(window.batch(80, undefined)).toEqual([[]])
  })

  test('calls its function a few times for each record, whatever its length', () => {
    const callsOf = (panes: number): number => {
      let calls = 0
      const f = (a: number, b: number) => {
        calls += 1
        return a + b
      }
      const window = windowOf({ lengthMs: panes, f })
      const batch = [Array.from({ length: 10 }, (_, key): Pair => [key, 1])]
      const slides = 3 * panes
      for (let time = 1; time <= slides; time++) window.batch(time, batch)
      return calls / slides / 10
    }
    for (const panes of [10, 100, 1_000]) expect(callsOf(panes)).toBeLessThan(3)
  })
})

describe('a window with an inverse', () => {
  test('asks its filter about values that changed only', () => {
    const asked: unknown[] = []
    const filter = ([key]: Pair) => asked.push(key) > 0
    const options = { lengthMs: 10, f: sum, inverse: take, filter, partitions: 1 } as never
    const window = new Crew((seat) => new ReducedWindowOperator('w', options, seat), 1)
    const all = Array.from({ length: 50 }, (_, key): Pair => [key, 1])
    window.batch(1, [all])
    asked.length = 0
    expect(window.batch(2, [[[7, 1]]])[0]).toHaveLength(50)
    expect(asked).toEqual([7])
  })
})

test('a slide that moves nothing changes nothing in the log', () => {
  const window = windowOf({ lengthMs: 3 })
  window.batch(1, [[['a', 1]]])
  window.attempt(2, [[]])
  expect(window.changes()).toBeUndefined()
  window.merge()
  window.attempt(4, [[]])
  expect(window.changes()).toEqual({ shared: 4, partitions: 1, parts: [] })
})
