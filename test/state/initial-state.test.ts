// The initial state of keyed operators: it counts once, whatever is tried again or restarted.

import type { DStream, State } from 'millrace'
import { runBatches } from 'millrace/testing'
import { describe, expect, test } from 'vitest'

type Pair = [string, number]
type Pairs = DStream<Pair>

const sum = (values: number[], before = 0) => values.reduce((a, b) => a + b, before)
const inputs = (...batches: (Pair[] | null)[]) => [batches]

const count = (key: string, n: number | undefined, state: State<number>): Pair => {
  state.update((state.exists() ? state.get() : 0) + (n ?? 0))
  return [key, state.get()]
}

describe('the initial state', () => {
  test('is there when the operator first runs after a snapshot was restored', async () => {
    const options = { inputs: inputs([['a', 1]], [['a', 2]], [['a', 4]]), batches: 3 }
    const build = (_ssc: unknown, s: Pairs) =>
      s.window('3s', '3s').updateStateByKey(sum, { initialState: [['a', 10]] as Pair[] })
    for (const restartAfter of [[], [1], [2], [1, 2]]) {
      const outputs = await runBatches({ ...options, snapshotEvery: 1, restartAfter }, build)
      expect(outputs).toEqual([undefined, undefined, [['a', 17]]])
    }
  })

  test('does not come back after the first batch removed all of it', async () => {
    const options = { inputs: inputs([], [['a', 1]]), batches: 2, partitions: 1 }
    const build = (_ssc: unknown, s: Pairs) =>
      s.updateStateByKey(
        (values: number[], before: number | undefined) =>
          values.length === 0 ? undefined : sum(values, before),
        { initialState: [['a', 10]] as Pair[] },
      )
    for (const snapshotEvery of [1, 3]) {
      for (const at of ['planned', 'ran', 'sinks', 'committed'] as const) {
        const restartAfter = [
          { batch: 1, at },
          { batch: 2, at },
        ]
        const outputs = await runBatches({ ...options, restartAfter, snapshotEvery }, build)
        expect(outputs).toEqual([[], [['a', 1]]])
      }
    }
  })

  test('may be an iterable that can be read once, though the first attempt fails', async () => {
    let calls = 0
    const flaky = (values: number[], before: number | undefined) => {
      calls += 1
      if (calls === 1) throw new Error('flaky')
      return sum(values, before)
    }
    const initialState = new Map([['a', 10]]).entries()
    const outputs = await runBatches({ inputs: inputs([['a', 1]]), batches: 1 }, (_ssc, s: Pairs) =>
      s.updateStateByKey(flaky, { initialState }),
    )
    expect(outputs).toEqual([[['a', 11]]])
  })

  test('is what it was when the operator was declared', async () => {
    const initialState: [string, { n: number }][] = [['a', { n: 1 }]]
    const outputs = await runBatches(
      { inputs: inputs([['b', 1]]), batches: 1 },
      (_ssc, s: Pairs) => {
        const states = s.updateStateByKey(
          (_values: number[], before: { n: number } | undefined) => before ?? { n: 0 },
          { initialState, partitions: 1 },
        )
        initialState[0]![1].n = 99
        initialState.push(['c', { n: 3 }])
        return states
      },
    )
    expect(outputs).toEqual([
      [
        ['a', { n: 1 }],
        ['b', { n: 0 }],
      ],
    ])
  })

  test('of a key that cannot be compared is refused where the operator is declared', async () => {
    const options = { inputs: inputs([]), batches: 1 }
    const initialState = [[() => 1, 1]] as unknown as Pair[]
    for (const operator of ['updateStateByKey', 'mapWithState'] as const) {
      const run = runBatches(options, (_ssc, s: Pairs) =>
        operator === 'mapWithState'
          ? s.mapWithState(count, { initialState })
          : s.updateStateByKey(sum, { initialState }),
      )
      await expect(run).rejects.toMatchObject({ code: 'KEY_NOT_COMPARABLE' })
    }
  })

  test('times out as if its keys had come with the first batch', async () => {
    const options = { inputs: inputs([], [], [['a', 1]], [], [], []), batches: 6, partitions: 1 }
    const outputs = await runBatches(options, (_ssc, s: Pairs) =>
      s.mapWithState(
        (key: string, n: number | undefined, state: State<number>) => {
          if (state.isTimingOut()) return `${key} out at ${state.get()}`
          state.update(state.get() + (n ?? 0))
          return `${key} at ${state.get()}`
        },
        {
          initialState: [
            ['a', 1],
            ['b', 2],
          ] as Pair[],
          timeout: '2s',
          partitions: 1,
        },
      ),
    )
    expect(outputs).toEqual([[], [], ['a at 2'], ['b out at 2'], [], ['a out at 2']])
  })
})
