// A random chain of operators over random batches of two streams, in random partitions and blocks,
// with sources that leave batches out, closures that throw once and a process that dies at random
// points, equals the same chain over plain arrays, bit for bit. PROPERTY_RUNS raises the number of
// cases, PROPERTY_SEED changes them; a failure prints its seed.

import fc from 'fast-check'
import { type Death, runBatches } from 'millrace/testing'
import { describe, expect, test } from 'vitest'
import { batchOperators } from './batch-operators.ts'
import { stateOperators } from './state-operators.ts'
import {
  cutEvenly,
  type Domain,
  Missing,
  type Operator,
  type Operators,
  type Pair,
  type Pairs,
  type Parts,
  type Settings,
  type Step,
  type Value,
} from './step.ts'
import { twoStreamOperators } from './two-stream-operators.ts'
import { windowOperators } from './window-operators.ts'

const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 1_000)
const SEED = Number(process.env['PROPERTY_SEED'] ?? 20_260_301)
const BATCHES = 6
const OPERATORS_MAX = 8
const OTHER_MAX = 2
const GROWING_MAX = 3
const TEXT_MAX = 24

interface Link extends Omit<Settings, 'domain'> {
  readonly operator: Operator
  readonly name: string
}

const numbers: Domain = {
  add: (a, b) => (a as number) + (b as number),
  lift: (n) => n,
  change: (value) => (value as number) * 3,
  drop: (value) => value === 7 || value === 12,
  exact: true,
}
const texts: Domain = {
  add: (a, b) => `${a}${b}`.slice(-TEXT_MAX),
  lift: String,
  change: (value) => `<${value}>`.slice(-TEXT_MAX),
  drop: (value) => (value as string).length === 5,
  exact: false,
}

const operators: Operators = {
  ...batchOperators,
  ...windowOperators,
  ...stateOperators,
  ...twoStreamOperators,
}

/** What a chain of one of the streams may hold that is joined with the other. */
const ofOther: Operators = {
  ...Object.fromEntries(Object.entries(batchOperators).filter(([name]) => !/transform/.test(name))),
  ...stateOperators,
}

const settings = {
  partitions: fc.integer({ min: 1, max: 4 }),
  length: fc.integer({ min: 1, max: 3 }),
  slide: fc.constantFrom(1, 1, 1, 2, 3),
}

/** Chains that neither grow the batches without bound nor slide past the last one. */
function chains(from: Operators, lengths: fc.ArrayConstraints, { exact }: Domain) {
  const names = Object.keys(from).filter((name) => exact || !from[name]?.exactOnly)
  const link = fc.record({ name: fc.constantFrom(...names), ...settings }).map((drawn): Link => {
    const operator = from[drawn.name] as Operator
    return { ...drawn, operator, slide: operator.slides === true ? drawn.slide : 1 }
  })
  return fc.array(link, { ...lengths, size: 'max' }).filter((all) => {
    const slide = all.reduce((product, one) => product * one.slide, 1)
    return slide <= BATCHES && all.filter(({ operator }) => operator.grows).length <= GROWING_MAX
  })
}

type Script = (Pair[] | null)[]

function scripts(value: fc.Arbitrary<Value>, nulls: boolean): fc.Arbitrary<Script> {
  const pair = fc.tuple(fc.constantFrom('a', 'b', 'c', 'dd', '\u0000e', '__proto__', ''), value)
  const batch = fc.array(pair, { maxLength: 8 })
  const batches = nulls ? fc.option(batch, { freq: 4 }) : batch
  return fc.array(batches, { minLength: 1, maxLength: BATCHES })
}

const deaths: fc.Arbitrary<Death[]> = fc.array(
  fc.record({
    batch: fc.integer({ min: 1, max: BATCHES }),
    at: fc.constantFrom('planned', 'ran', 'sinks', 'committed'),
  }),
  { maxLength: 3 },
)

/** One chain as it goes over arrays: asked at each batch, it answers at each slide. */
class OracleChain {
  readonly #links: { readonly step: Step; readonly every: number }[] = []

  constructor(chain: readonly Link[], domain: Domain) {
    let every = 1
    for (const link of chain) {
      this.#links.push({ step: link.operator.oracle({ ...link, domain }, every), every })
      every *= link.slide
    }
  }

  /** `others` are the batches of the second stream so far. */
  run(parts: Parts | undefined, n: number, others: readonly (Parts | undefined)[]) {
    let result = parts
    for (const { step, every } of this.#links) {
      if (n % every !== 0) return undefined
      result = step(result, { n, other: otherAt(others, every) })
    }
    return result
  }
}

/** The second stream at the slide of the first: tumbling windows of it where that is longer. */
function otherAt(others: readonly (Parts | undefined)[], every: number): Parts | undefined {
  if (every === 1) return others.at(-1)
  return others.slice(-every).flatMap((parts) => parts ?? [])
}

const slideLike = (other: Pairs, s: Pairs): Pairs => {
  const { slideMs } = s.node
  return slideMs === other.node.slideMs ? other : other.window(slideMs, slideMs)
}

interface Drawn {
  readonly chain: readonly Link[]
  readonly otherChain: readonly Link[]
  readonly inputs: readonly [Script, Script]
  readonly partitions: number
}

/** The outputs up to the batch that lacks a parent's, if one does. */
function expected({ chain, otherChain, inputs, partitions }: Drawn, domain: Domain) {
  const first = new OracleChain(chain, domain)
  const second = new OracleChain(otherChain, domain)
  const others: (Parts | undefined)[] = []
  const outputs: (Pair[] | undefined)[] = []
  for (let n = 1; n <= BATCHES; n++) {
    const [left, right] = inputs.map((script) => {
      const batch = n <= script.length ? (script[n - 1] as Pair[] | null) : []
      return batch === null ? undefined : cutEvenly(batch, partitions)
    })
    others.push(second.run(right, n, []))
    try {
      outputs.push(first.run(left, n, others)?.flat(1))
    } catch (error) {
      if (!(error instanceof Missing)) throw error
      return { outputs, missing: true }
    }
  }
  return { outputs, missing: false }
}

/** A step that changes nothing, and throws at its `at`-th call of all. */
function throwsOnce(at: number): (pair: Pair) => Pair {
  let calls = 0
  return (pair) => {
    calls += 1
    if (calls === at) throw new Error(`at call ${at}`)
    return pair
  }
}

const floats = fc.oneof(fc.double(), fc.constantFrom(-0, 0, 0.1, Number.NaN))
const kinds = {
  integers: { domain: numbers, value: fc.integer({ min: -3, max: 3 }), nulls: false },
  'integers, batches left out': {
    domain: numbers,
    value: fc.integer({ min: -3, max: 3 }),
    nulls: true,
  },
  'floats, with NaN and -0': { domain: { ...numbers, exact: false }, value: floats, nulls: false },
  texts: {
    domain: texts,
    value: fc.string({ maxLength: 4, unit: 'binary' }),
    nulls: true,
  },
}

describe('a random chain of operators equals the chain over plain arrays', () => {
  test.each(Object.entries(kinds))('%s', { timeout: 120_000 }, async (_name, kind) => {
    const { domain } = kind
    const script = scripts(kind.value, kind.nulls)
    const drawn = fc.record({
      chain: chains(operators, { minLength: 1, maxLength: OPERATORS_MAX - OTHER_MAX }, domain),
      otherChain: chains(ofOther, { maxLength: OTHER_MAX }, domain),
      inputs: fc.tuple(script, script),
      partitions: fc.integer({ min: 1, max: 4 }),
      restartAfter: deaths,
      snapshotEvery: fc.integer({ min: 1, max: 3 }),
      blockSeed: fc.nat(),
      throwsAt: fc.nat(60),
    })
    const property = fc.asyncProperty(drawn, async (one) => {
      const { chain, otherChain, throwsAt, ...options } = one
      const flaky = throwsOnce(throwsAt)
      const run = runBatches({ ...options, batches: BATCHES }, (ssc, s: Pairs, other: Pairs) => {
        const append = (stream: Pairs, link: Link): Pairs =>
          link.operator.build(stream, { ...link, domain }, slideLike(second, stream), ssc)
        let second = other.map(flaky)
        second = otherChain.reduce(append, second)
        return chain.reduce(append, s.map(flaky)).map(flaky)
      })
      const { outputs, missing } = expected({ chain, otherChain, ...options }, domain)
      if (!missing) expect(await run).toStrictEqual(outputs)
      else await expect(run).rejects.toMatchObject({ code: 'BATCH_MISSING', outputs })
    })
    await fc.assert(property, { numRuns: Math.ceil(RUNS / 2), seed: SEED })
  })
})
