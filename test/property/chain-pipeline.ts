// A chain of operators by their names, as a module that every thread imports.

import type { StreamingContext } from 'millrace'
import { batchOperators } from './batch-operators.ts'
import { stateOperators } from './state-operators.ts'
import type { Domain, Operator, Operators, Pair, Pairs, Settings } from './step.ts'
import { twoStreamOperators } from './two-stream-operators.ts'
import { windowOperators } from './window-operators.ts'

const TEXT_MAX = 24

/** One operator of a chain: its name and its settings. */
export interface NamedLink extends Omit<Settings, 'domain'> {
  readonly name: string
}

/** What a thread needs to build the chains of two streams. */
export interface ChainArgs {
  readonly domain: keyof typeof domains
  readonly chain: readonly NamedLink[]
  readonly otherChain: readonly NamedLink[]
  /** At which of its calls a closure of each thread throws once. */
  readonly throwsAt: number
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

/** What the values of a chain may be. */
export const domains = {
  integers: numbers,
  floats: { ...numbers, exact: false },
  texts,
} satisfies Record<string, Domain>

/** All operators by name. */
export const operators: Operators = {
  ...batchOperators,
  ...windowOperators,
  ...stateOperators,
  ...twoStreamOperators,
}

/** What a chain of one of the streams may hold that is joined with the other. */
export const ofOther: Operators = {
  ...Object.fromEntries(Object.entries(batchOperators).filter(([name]) => !/transform/.test(name))),
  ...stateOperators,
}

const slideLike = (other: Pairs, s: Pairs): Pairs => {
  const { slideMs } = s.node
  return slideMs === other.node.slideMs ? other : other.window(slideMs, slideMs)
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

export default function build(
  ssc: StreamingContext,
  { domain: name, chain, otherChain, throwsAt }: ChainArgs,
  s: Pairs,
  other: Pairs,
): Pairs {
  const domain = domains[name]
  const flaky = throwsOnce(throwsAt)
  const append = (stream: Pairs, link: NamedLink): Pairs => {
    const { build: add } = operators[link.name] as Operator
    return add(stream, { ...link, domain }, slideLike(second, stream), ssc)
  }
  let second = other.map(flaky)
  second = otherChain.reduce(append, second)
  return chain.reduce(append, s.map(flaky)).map(flaky)
}
