// A random chain of operators over random batches of two streams, in random partitions and blocks,
// with sources that leave batches out, closures that throw once and a process that dies at random
// points, inline or on worker threads, equals the same chain over plain arrays, bit for bit.
// PROPERTY_RUNS raises the number of cases, PROPERTY_SEED changes them; a failure prints its seed.

import fc from 'fast-check'
import { type Death, runBatches } from 'millrace/testing'
import { describe, expect, test } from 'vitest'
import { type ChainArgs, domains, type NamedLink, ofOther, operators } from './chain-pipeline.ts'
import {
  cutEvenly,
  type Domain,
  Missing,
  type Operator,
  type Operators,
  type Pair,
  type Parts,
  type Step,
  type Value,
} from './step.ts'

const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 1_000)
const SEED = Number(process.env['PROPERTY_SEED'] ?? 20_260_301)
const BATCHES = 6
const OPERATORS_MAX = 8
const OTHER_MAX = 2
const GROWING_MAX = 3

interface Link extends NamedLink {
  readonly operator: Operator
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

const floats = fc.oneof(fc.double(), fc.constantFrom(-0, 0, 0.1, Number.NaN))
interface Kind {
  readonly domain: ChainArgs['domain']
  readonly value: fc.Arbitrary<Value>
  readonly nulls: boolean
}
const integers = fc.integer({ min: -3, max: 3 })
const strings = fc.string({ maxLength: 4, unit: 'binary' })
const kinds: Readonly<Record<string, Kind>> = {
  integers: { domain: 'integers', value: integers, nulls: false },
  'integers, batches left out': { domain: 'integers', value: integers, nulls: true },
  'floats, with NaN and -0': { domain: 'floats', value: floats, nulls: false },
  texts: { domain: 'texts', value: strings, nulls: true },
}
const pipelineModule = { module: new URL('./chain-pipeline.ts', import.meta.url) }

/** A link as it can be sent to a thread. */
function named({ name, partitions, length, slide }: Link): NamedLink {
  return { name, partitions, length, slide }
}

describe('a random chain of operators equals the chain over plain arrays', () => {
  test.each(Object.entries(kinds))('%s', { timeout: 120_000 }, async (_name, kind) => {
    const domain = domains[kind.domain]
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
      workers: fc.constantFrom(0, 0, 0, 1, 2, 3),
    })
    const property = fc.asyncProperty(drawn, async (one) => {
      const { chain, otherChain, throwsAt, ...options } = one
      const chosen = { chain: chain.map(named), otherChain: otherChain.map(named) }
      const args: ChainArgs = { domain: kind.domain, ...chosen, throwsAt }
      const run = runBatches({ ...options, batches: BATCHES, args }, pipelineModule)
      const { outputs, missing } = expected({ chain, otherChain, ...options }, domain)
      if (!missing) expect(await run).toStrictEqual(outputs)
      else await expect(run).rejects.toMatchObject({ code: 'BATCH_MISSING', outputs })
    })
    await fc.assert(property, { numRuns: Math.ceil(RUNS / Object.keys(kinds).length), seed: SEED })
  })
})
