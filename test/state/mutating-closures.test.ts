// Closures that change what they were handed, in place, and then throw: nothing of it may stay,
// neither for the next attempt nor for the next batch.

import { runBatches } from 'millrace/testing'
import { describe, expect, test } from 'vitest'
import {
  type Build,
  batches,
  builds,
  type Hands,
  type Pairs,
  type Tally,
} from './mutating-pipelines.ts'

const BATCHES = 6

/** Runs a pipeline whose closures throw at their `at`-th call of all; counts the calls. */
async function run(
  build: Build,
  {
    at = 0,
    restartAfter = [] as number[],
    copies = false,
  }: {
    at?: number
    restartAfter?: number[]
    copies?: boolean
  },
) {
  let calls = 0
  const mayThrow = () => {
    calls += 1
    if (calls === at) throw new Error(`at call ${at}`)
  }
  const own: Hands['own'] = (f) => (copies ? onCopies(f) : f)
  const options = { inputs: [batches], batches: BATCHES, restartAfter }
  const outputs = await runBatches(options, (_ssc, s: Pairs) => build(s, { mayThrow, own }))
  return { outputs, calls }
}

/** Hands the closure copies: what it changes is lost. */
function onCopies<F extends (...args: never[]) => unknown>(f: F): F {
  const copy = (arg: unknown) => (isHandle(arg) ? handleOnCopies(arg) : structuredClone(arg))
  return new Proxy(f, { apply: (target, _this, args) => target(...(args.map(copy) as never[])) })
}

interface Handle {
  get(): unknown
  update(state: unknown): void
}

function isHandle(arg: unknown): arg is Handle {
  return typeof (arg as Partial<Handle> | undefined)?.update === 'function'
}

function handleOnCopies(handle: Handle): Handle {
  return new Proxy(handle, {
    get(target, name) {
      const method = Reflect.get(target, name) as (...args: unknown[]) => unknown
      return (...args: unknown[]) => structuredClone(method.apply(target, structuredClone(args)))
    },
  })
}

describe('closures that change objects in place and throw', () => {
  test.each(Object.entries(builds))('leave no trace in %s', async (_name, build) => {
    const calm = await run(build, {})
    expect(calm.calls).toBeGreaterThan(0)
    expect(calm.outputs.flat(1)).not.toEqual([])
    expect(calm.outputs).toEqual((await run(build, { copies: true })).outputs)
    for (let at = 1; at <= calm.calls; at += 1) {
      expect((await run(build, { at })).outputs).toEqual(calm.outputs)
      expect((await run(build, { at, restartAfter: [1, 2, 4] })).outputs).toEqual(calm.outputs)
    }
  })
})

test('updateStateByKey sums objects as it sums numbers', async () => {
  const { outputs } = await run(builds['a state of a state'] as Build, {})
  expect(outputs).toHaveLength(BATCHES)
  const build: Build = (s) =>
    s
      .map(([key, tally]) => [key.of, tally] as const)
      .updateStateByKey((tallies: Tally[], before: Tally | undefined) => {
        const state = before ?? { n: 0, seen: [] }
        for (const { n, seen } of tallies) {
          state.n += n
          state.seen.push(...seen)
        }
        return state
      })
  const last = new Map((await run(build, {})).outputs.at(-1) as [string, Tally][])
  expect(last.get('a')).toEqual({ n: 19, seen: ['a1', 'a3', 'a6', 'a9'] })
  expect(last.get('b')).toEqual({ n: 14, seen: ['b2', 'b5', 'b7'] })
  expect(last.get('c')).toEqual({ n: 12, seen: ['c4', 'c8'] })
})
