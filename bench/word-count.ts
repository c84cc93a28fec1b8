// Word count inline: split, pair and reduceByKey, against split and a Map in a loop.

import { chain, mulberry32, narrow, reduceByKey } from '../src/batch/recipes.ts'
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

async function answer({ seed, runs, records }: BenchOptions): Promise<Row[]> {
  const lines = zipfLines(records, seed)
  const naming = (name: string) => ({ name, fixed: true })
  const recipe = chain(
    narrow('flatMap', (line: string) => line.split(' '), naming('flatMap')),
    narrow('map', (word: string) => [word, 1], naming('map')),
    reduceByKey((a: number, b: number) => a + b, 8, naming('reduceByKey')),
  )
  const engine = new EngineSide()
  const [hand, ours] = await interleave(runs, [
    () => byHand(lines),
    () => engine.run(recipe, lines),
  ])
  return [
    {
      'hand lines/s': Math.round((records / quantile(hand, 0.5)) * 1_000),
      'engine lines/s': Math.round((records / quantile(ours, 0.5)) * 1_000),
      'engine p50 ms': quantile(ours, 0.5).toFixed(1),
      'engine p99 ms': quantile(ours, 0.99).toFixed(1),
      ...ratio(hand, ours),
    },
  ]
}

export const wordCount: Question = {
  asks: 'Word count inline against split and a Map in a loop: ratio 1 is as fast.',
  defaults: { seed: 1, runs: 15, records: 50_000 },
  answer,
}
