// A random chain of operators over random batches, with a process that dies at random points,
// equals the same chain over plain arrays, bit for bit. PROPERTY_RUNS raises the number of cases; a
// failure prints its seed.

import fc from 'fast-check'
import { type Death, runBatches } from 'millrace/testing'
import { describe, expect, test } from 'vitest'
import {
  type Domain,
  type Operator,
  operators,
  type Pair,
  type Pairs,
  type Parts,
  type Settings,
  type Value,
} from './pair-oracle.ts'

const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 1_000)
const SEED = 20_260_301
const BATCHES = 6
const TEXT_MAX = 24

interface Link extends Settings {
  readonly operator: Operator
  readonly name: string
}

const numbers: Domain = {
  add: (a, b) => (a as number) + (b as number),
  lift: (n) => n,
  change: (value) => (value as number) * 3,
  drop: (value) => value === 7 || value === 12,
}
const texts: Domain = {
  add: (a, b) => `${a}${b}`.slice(-TEXT_MAX),
  lift: String,
  change: (value) => `<${value}>`.slice(-TEXT_MAX),
  drop: (value) => (value as string).length === 5,
}

const settings = {
  partitions: fc.integer({ min: 1, max: 4 }),
  length: fc.integer({ min: 1, max: 3 }),
  slide: fc.constantFrom(1, 1, 1, 2, 3),
}
const GROWS = ['flatMap', 'union', 'window']

/** Chains that neither grow the batches without bound nor slide past the last one. */
function chains(integers: boolean): fc.Arbitrary<Link[]> {
  const names = Object.keys(operators).filter((name) => integers || !operators[name]?.integersOnly)
  const link = fc.record({ name: fc.constantFrom(...names), ...settings }).map((drawn): Link => {
    const operator = operators[drawn.name] as Operator
    return { ...drawn, operator, slide: operator.slides === true ? drawn.slide : 1 }
  })
  return fc.array(link, { minLength: 1, maxLength: 8, size: 'max' }).filter((all) => {
    const slide = all.reduce((product, one) => product * one.slide, 1)
    return slide <= BATCHES && all.filter(({ name }) => GROWS.includes(name)).length <= 4
  })
}

function inputsOf(value: fc.Arbitrary<Value>): fc.Arbitrary<Pair[][]> {
  const pair = fc.tuple(fc.constantFrom('a', 'b', 'c', 'dd', '\u0000e', '__proto__', ''), value)
  return fc.array(fc.array(pair, { maxLength: 8 }), { minLength: 1, maxLength: BATCHES })
}

const deaths: fc.Arbitrary<Death[]> = fc.array(
  fc.record({
    batch: fc.integer({ min: 1, max: BATCHES }),
    at: fc.constantFrom('planned', 'ran', 'sinks', 'committed'),
  }),
  { maxLength: 3 },
)

/** The batches of the chain over arrays. */
function expected(chain: readonly Link[], domain: Domain, input: Pair[][], partitions: number) {
  let slide = 1
  const steps = chain.map((link) => {
    const step = link.operator.oracle(domain, link, slide)
    slide *= link.slide
    return step
  })
  return Array.from({ length: BATCHES }, (_, i) => {
    const cut: Parts | undefined = cutEvenly(input[i] ?? [], partitions)
    return steps.reduce((parts: Parts | undefined, step) => step(i + 1, parts), cut)?.flat(1)
  })
}

function cutEvenly(pairs: readonly Pair[], partitions: number): Pair[][] {
  const at = (i: number) => Math.floor((i * pairs.length) / partitions)
  return Array.from({ length: partitions }, (_, i) => pairs.slice(at(i), at(i + 1)))
}

const floats = fc.oneof(fc.double(), fc.constantFrom(-0, 0, 0.1, Number.NaN))
const kinds = {
  integers: { domain: numbers, value: fc.integer({ min: -3, max: 3 }), integers: true },
  'floats, with NaN and -0': { domain: numbers, value: floats, integers: false },
  texts: { domain: texts, value: fc.string({ maxLength: 4, unit: 'binary' }), integers: false },
}

describe('a random chain of operators equals the chain over plain arrays', () => {
  test.each(Object.entries(kinds))('%s', { timeout: 60_000 }, async (_name, kind) => {
    const { domain } = kind
    const input = inputsOf(kind.value)
    const property = fc.asyncProperty(
      chains(kind.integers),
      input,
      fc.integer({ min: 1, max: 4 }),
      deaths,
      async (chain, batches, partitions, restartAfter) => {
        const options = { inputs: [batches], batches: BATCHES, partitions, restartAfter }
        const got = await runBatches(options, (_ssc, s: Pairs) =>
          chain.reduce((stream, link) => link.operator.build(stream, domain, link), s),
        )
        expect(got).toStrictEqual(expected(chain, domain, batches, partitions))
      },
    )
    await fc.assert(property, { numRuns: Math.ceil(RUNS / 3), seed: SEED })
  })
})
