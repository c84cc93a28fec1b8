// Word count inline: split, pair and reduceByKey, against split and a Map in a loop.

import { deepStrictEqual } from 'node:assert'
import { mulberry32 } from '../src/batch/recipes.ts'
import { ValuesBlock } from '../src/batch/values-block.ts'
import type { DStream } from '../src/dstream/dstream.ts'
import { EngineSide } from './engine-side.ts'
import {
  type BenchOptions,
  interleave,
  type Question,
  quantile,
  type Row,
  ratio,
} from './harness.ts'

const VOCABULARY = 10_000
const WORDS_A_LINE = 14

/** Lines whose words follow Zipf's law with exponent 1. */
function zipfLines(lines: number, seed: number): string[] {
  const random = mulberry32(seed)
  const cumulative: number[] = []
  let sum = 0
  for (let rank = 1; rank <= VOCABULARY; rank++) {
    sum += 1 / rank
    cumulative.push(sum)
  }
  const word = (): string => {
    const aim = random() * sum
    let low = 0
    let high = VOCABULARY - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if ((cumulative[middle] ?? 0) < aim) low = middle + 1
      else high = middle
    }
    return `w${low.toString(36)}`
  }
  return Array.from({ length: lines }, () => Array.from({ length: WORDS_A_LINE }, word).join(' '))
}

function byHand(lines: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const line of lines) {
    for (const word of line.split(' ')) counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  return counts
}

async function answer(options: BenchOptions): Promise<Row[]> {
  const lines = zipfLines(options.records, options.seed)
  const block = new ValuesBlock(lines)
  const engine = new EngineSide((input: DStream<string>) =>
    input
      .flatMap((line) => line.split(' '))
      .map((word) => [word, 1] as const)
      .reduceByKey((a, b) => a + b),
  )
  deepStrictEqual(new Map((await engine.run(block)).flat()), byHand(lines))
  const [hand = [], ours = []] = await interleave(options, 1, [
    () => byHand(lines),
    () => engine.run(block),
  ])
  const rate = (times: readonly number[]) => Math.round((lines.length / quantile(times, 0.5)) * 1e3)
  return [
    {
      'hand lines/s': rate(hand),
      'engine lines/s': rate(ours),
      'engine words/s': rate(ours) * WORDS_A_LINE,
      'p50 ms': quantile(ours, 0.5).toFixed(1),
      'p99 ms': quantile(ours, 0.99).toFixed(1),
      ...ratio(hand, ours),
    },
  ]
}

export const wordCount: Question = {
  asks: 'Word count inline against split and a Map in a loop: ratio 1 is as fast.',
  defaults: { seed: 1, runs: 30, records: 50_000 },
  answer,
}
