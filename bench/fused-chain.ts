// Five chained operators as the engine runs them, against the loop that one would write, for six
// chains of the same shape in one process. The hand-written loops hold the expressions
// themselves and call no closures: nothing is easier for the compiler.

import { deepStrictEqual } from 'node:assert'
import { mulberry32 } from '../src/batch/recipes.ts'
import { ValuesBlock } from '../src/batch/values-block.ts'
import { EngineSide } from './engine-side.ts'
import {
  type Answer,
  type BenchOptions,
  interleave,
  type Question,
  quantile,
  type Row,
  ratio,
} from './harness.ts'
import { type Chain, chains } from './six-chains.ts'

/** All six run before any is timed: code that they shared would show in each of them. */
async function answer(options: BenchOptions): Promise<Answer> {
  const random = mulberry32(options.seed)
  const input = Array.from({ length: options.records }, () => Math.floor(random() * 1_000))
  const block = new ValuesBlock(input)
  const stages: Stage[] = []
  for (const { build, byHand } of chains) {
    const engine = new EngineSide(build)
    deepStrictEqual(await engine.run(block), [byHand(input)])
    deepStrictEqual(await engine.run(input), [byHand(input)])
    stages.push({ engine, byHand, ordinal: stages.length + 1 })
  }
  const rows: Row[] = []
  for (const stage of stages) rows.push(...(await compare(stage, { input, block, options })))
  return { rows }
}

interface Stage {
  readonly engine: EngineSide<number, number>
  readonly byHand: Chain['byHand']
  readonly ordinal: number
}

interface Setting {
  readonly input: readonly number[]
  readonly block: ValuesBlock<number>
  readonly options: BenchOptions
}

async function compare(
  { engine, byHand, ordinal }: Stage,
  { input, block, options }: Setting,
): Promise<Row[]> {
  const [hand = [], ofBlock = [], ofArray = []] = await interleave(options, chains.length, [
    () => byHand(input),
    () => engine.run(block),
    () => engine.run(input),
  ])
  const rate = (times: readonly number[]) => (input.length / quantile(times, 0.5) / 1e3).toFixed(1)
  const row = (from: string, times: readonly number[]): Row => ({
    stage: ordinal,
    from,
    'hand M/s': rate(hand),
    'engine M/s': rate(times),
    'p50 ms': quantile(times, 0.5).toFixed(2),
    'p99 ms': quantile(times, 0.99).toFixed(2),
    ...ratio(hand, times),
  })
  return [row('block', ofBlock), row('array', ofArray)]
}

export const fusedChain: Question = {
  asks:
    'A fused chain of five operators, on the block of a source and on an array as a later\n' +
    'stage has it, against the hand-written loop over an array: ratio 1 is as fast.',
  defaults: { seed: 1, rounds: 30, records: 1_000_000 },
  answer,
}
