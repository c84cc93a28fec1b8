// Closures that change what they were handed, in place, and then throw: nothing of it may stay,
// neither for the next attempt nor for the next batch.

import type { DStream, State } from 'millrace'
import { runBatches } from 'millrace/testing'
import { describe, expect, test } from 'vitest'

interface Tally {
  n: number
  seen: string[]
}
type Tallies = DStream<[string, Tally]>
type Throw = () => void

const batches = [
  [pair('a', 1), pair('b', 2), pair('a', 3), pair('c', 4)],
  [pair('b', 5), pair('a', 6), pair('b', 7)],
  [],
  [pair('c', 8), pair('a', 9)],
]

function pair(key: string, n: number): [string, Tally] {
  return [key, { n, seen: [`${key}${n}`] }]
}

/** Adds `from` to `into` in place, and may throw once it has begun. */
function merge(into: Tally, from: Tally, mayThrow: Throw): Tally {
  into.n += from.n
  mayThrow()
  into.seen.push(...from.seen.splice(0))
  return into
}

const builds: Readonly<Record<string, (s: Tallies, mayThrow: Throw) => DStream<unknown>>> = {
  updateStateByKey: (s, mayThrow) =>
    s.updateStateByKey((tallies: Tally[], before: Tally | undefined) => {
      const state = before ?? { n: 0, seen: [] }
      for (const tally of tallies.splice(0)) merge(state, tally, mayThrow)
      return state
    }),
  mapWithState: (s, mayThrow) =>
    s.mapWithState((key: string, tally: Tally | undefined, state: State<Tally>) => {
      const sum = state.exists() ? state.get() : { n: 0, seen: [] }
      if (tally !== undefined) merge(sum, tally, mayThrow)
      state.update(sum)
      return [key, sum]
    }),
  'a snapshot of mapWithState': (s, mayThrow) =>
    s
      .mapWithState((_key: string, tally: Tally | undefined, state: State<Tally>) => {
        const sum = state.exists() ? state.get() : { n: 0, seen: [] }
        state.update(sum)
        if (tally !== undefined) state.update(merge(sum, tally, mayThrow))
        return undefined
      })
      .stateSnapshots(),
  reduceByKey: (s, mayThrow) => s.reduceByKey((a, b) => merge(a, b, mayThrow)),
  reduceByKeyAndWindow: (s, mayThrow) =>
    s.reduceByKeyAndWindow((a, b) => merge(a, b, mayThrow), '2s', '1s'),
  'reduceByKeyAndWindow with an inverse': (s, mayThrow) => {
    const take = (from: Tally, gone: Tally): Tally => {
      from.n -= gone.n
      from.seen = from.seen.filter((name) => !gone.seen.includes(name))
      gone.seen.length = 0
      mayThrow()
      return from
    }
    return s.reduceByKeyAndWindow((a, b) => merge(a, b, mayThrow), take, '2s', '1s')
  },
  groupByKeyAndWindow: (s, mayThrow) =>
    s.groupByKeyAndWindow('2s', '1s').mapValues((tallies) => {
      const [first, ...rest] = tallies.splice(0)
      for (const tally of rest) merge(first as Tally, tally, mayThrow)
      mayThrow()
      return first
    }),
  'a window read twice': (s, mayThrow) => {
    const recent = s.window('2s')
    const spoil = ([key, tally]: [string, Tally]) => {
      tally.n *= 2
      mayThrow()
      return [key, tally] as [string, Tally]
    }
    return recent.map(spoil).union(recent.map(spoil))
  },
}

type Build = (typeof builds)[string]

/** Runs a pipeline whose closures throw at their `at`-th call of all; counts the calls. */
async function run(build: Build, at: number, restartAfter: number[] = []) {
  let calls = 0
  const mayThrow = () => {
    calls += 1
    if (calls === at) throw new Error(`at call ${at}`)
  }
  const options = { inputs: [batches], batches: 5, restartAfter }
  const outputs = await runBatches(options, (_ssc, s: Tallies) => build(s, mayThrow))
  return { outputs, calls }
}

describe('closures that change objects in place and throw', () => {
  test.each(Object.entries(builds))('leave no trace in %s', async (_name, build) => {
    const calm = await run(build, 0)
    expect(calm.calls).toBeGreaterThan(0)
    for (let at = 1; at <= calm.calls; at += 1) {
      expect((await run(build, at)).outputs).toEqual(calm.outputs)
      expect((await run(build, at, [1, 2, 4])).outputs).toEqual(calm.outputs)
    }
  })
})

describe('what a window and a state hold', () => {
  test('sums objects as it sums numbers', async () => {
    const { outputs } = await run(builds['updateStateByKey'] as Build, 0)
    const last = new Map(outputs.at(-1) as [string, Tally][])
    expect(last.get('a')).toEqual({ n: 19, seen: ['a1', 'a3', 'a6', 'a9'] })
    expect(last.get('b')).toEqual({ n: 14, seen: ['b2', 'b5', 'b7'] })
    expect(last.get('c')).toEqual({ n: 12, seen: ['c4', 'c8'] })
  })
})

type Keyed = DStream<[string[], number]>
const words: [string[], number][][] = [
  [
    [['a'], 1],
    [['b'], 2],
  ],
  [[['a'], 3]],
]
const spoil = (key: string[]) => key.push('spoiled')
const spoilPair = ([key, n]: readonly [string[], number]) => {
  const shown = [...key]
  spoil(key)
  return [shown, n]
}
const add = (ns: number[], before: number | undefined): number =>
  ns.reduce((a, b) => a + b, before ?? 0)

const keyed: Readonly<Record<string, (s: Keyed) => DStream<unknown>>> = {
  'the closure of updateStateByKey': (s) =>
    s.updateStateByKey((ns: number[], before: number | undefined, { key }) => {
      spoil(key)
      return add(ns, before)
    }),
  'a reader of updateStateByKey': (s) => s.updateStateByKey(add).map(spoilPair),
  'the closure of mapWithState': (s) =>
    s
      .mapWithState((key: string[], n: number | undefined, state: State<number>) => {
        spoil(key)
        state.update((state.exists() ? state.get() : 0) + (n ?? 0))
        return undefined
      })
      .stateSnapshots(),
  'a reader of a window with an inverse': (s) =>
    s
      .reduceByKeyAndWindow(
        (a, b) => a + b,
        (a, b) => a - b,
        '2s',
        '1s',
      )
      .map(spoilPair),
}

test.each(Object.entries(keyed))(
  'a key stays as it was when %s changes it',
  async (_name, build) => {
    for (const restartAfter of [[], [1], [2]]) {
      const options = { inputs: [words], batches: 2, partitions: 1, restartAfter }
      const outputs = await runBatches(options, (_ssc, s: Keyed) => build(s))
      const [first, second] = outputs.map((pairs) => new Set((pairs ?? []).map(String)))
      expect(first).toEqual(new Set(['a,1', 'b,2']))
      expect(second).toEqual(new Set(['a,4', 'b,2']))
    }
  },
)
