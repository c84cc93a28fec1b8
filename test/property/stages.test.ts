// A stage of narrow operators and a shuffle equals the same fold over plain arrays, bit for bit,
// whatever the cuts of the blocks, as a generated loop and interpreted. PROPERTY_RUNS raises the
// number of cases; a failure prints its seed.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { leaf, type Recipe } from '../../src/batch/node.ts'
import * as recipes from '../../src/batch/recipes.ts'
import { systemClock } from '../../src/clock.ts'
import { Evaluator } from '../../src/plan/evaluator.ts'
import { StageCache } from '../../src/plan/stage-cache.ts'

const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 1_000)
const SEED = Number(process.env['PROPERTY_SEED'] ?? 20_260_303)

type Pair = readonly [string, number | string]

/** A narrow operator on pairs, for the engine and over arrays. */
interface Step {
  readonly name: string
  readonly recipe: Recipe
  readonly oracle: (pairs: readonly Pair[]) => Pair[]
}

function step(
  kind: 'map' | 'filter' | 'flatMap' | 'mapValues' | 'flatMapValues',
  f: (value: never) => unknown,
  oracle: Step['oracle'],
): Step {
  return { name: kind, recipe: recipes.narrow(kind, f, { name: kind, fixed: true }), oracle }
}

const steps: readonly Step[] = [
  step(
    'map',
    ([k, v]: Pair) => [`${k}!`, v],
    (pairs) => pairs.map(([k, v]) => [`${k}!`, v]),
  ),
  step(
    'filter',
    ([k]: Pair) => k.length % 2 === 1,
    (pairs) => pairs.filter(([k]) => k.length % 2 === 1),
  ),
  step(
    'flatMap',
    (pair: Pair) => [pair, pair],
    (pairs) => pairs.flatMap((pair) => [pair, pair]),
  ),
  step(
    'mapValues',
    (v: number | string) => (typeof v === 'number' ? v * 3 : `<${v}`),
    (pairs) => pairs.map(([k, v]) => [k, typeof v === 'number' ? v * 3 : `<${v}`]),
  ),
  step(
    'flatMapValues',
    (v: number | string) => [v].values(),
    (pairs) => [...pairs],
  ),
]

const add = (a: number | string, b: number | string) => ((a as number) + (b as number)) as never

/** The defined order: within a partition first to last, then partition by partition. */
function reduceOracle(partitions: readonly (readonly Pair[])[]): Map<string, unknown> {
  const merged = new Map<string, unknown>()
  for (const pairs of partitions) {
    const partial = new Map<string, number | string>()
    for (const [k, v] of pairs) partial.set(k, partial.has(k) ? add(partial.get(k) ?? 0, v) : v)
    for (const [k, v] of partial) {
      merged.set(k, merged.has(k) ? add(merged.get(k) as number, v) : v)
    }
  }
  return merged
}

const key = fc.constantFrom('a', 'b', 'c', 'dd', '\u0000e', '__proto__')
const float = fc.tuple(key, fc.double())
const text = fc.tuple(key, fc.string({ maxLength: 3 }))
const records = fc.oneof(fc.array(float, { maxLength: 12 }), fc.array(text, { maxLength: 12 }))

/** Cuts records into blocks at random places. */
function cutBlocks(pairs: readonly Pair[], cuts: readonly number[]): Pair[][] {
  const places = [...new Set(cuts.map((cut) => cut % (pairs.length + 1)))].sort((a, b) => a - b)
  const ends = [...places, pairs.length]
  return ends.map((end, i) => pairs.slice(i === 0 ? 0 : ends[i - 1], end))
}

describe('a chain of narrow operators and reduceByKey', () => {
  test.each([false, true])('equals the fold over arrays, traced: %s', async (traced) => {
    const chains = fc.array(fc.constantFrom(...steps), { maxLength: 7 })
    const cuts = fc.array(fc.nat(20), { maxLength: 4 })
    const stages = new StageCache()
    const property = fc.asyncProperty(
      chains,
      fc.array(records, { maxLength: 3 }),
      cuts,
      async (chosen, parts, places) => {
        const naming = { name: 'reduceByKey', fixed: true }
        const reduced = recipes.reduceByKey(add as never, 1, naming)
        const recipe = recipes.chain(...chosen.map(({ recipe }) => recipe), reduced)
        const input = leaf((parts as Pair[][]).map((part) => cutBlocks(part, places)))
        const options = { time: 0, traced, stages, clock: systemClock }
        const [got] = await new Evaluator(options).records(recipe([input]))
        const folded = (parts as Pair[][]).map((part) =>
          chosen.reduce((pairs, { oracle }) => oracle(pairs), part as readonly Pair[]),
        )
        expect(got).toEqual([...reduceOracle(folded)].map(([k, v]) => [k, v]))
      },
    )
    await fc.assert(property, { numRuns: RUNS, seed: SEED })
  })
})
