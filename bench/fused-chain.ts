// Five chained operators as the engine runs them, against the loop that one would write, for six
// chains of the same shape with closures of their own in one process.

import { chain, mulberry32, narrow } from '../src/batch/recipes.ts'
import { EngineSide } from './engine-side.ts'
import {
  type BenchOptions,
  interleave,
  type Question,
  quantile,
  type Row,
  ratio,
} from './harness.ts'

const SHAPES = 6

type Step = (x: number) => number
type Keep = (x: number) => boolean
type Closures = readonly [Step, Keep, Step, Keep, Step]

function closures(k: number): Closures {
  return [(x) => x + k, (x) => x % 3 !== 0, (x) => x * 2, (x) => x % 5 !== k % 5, (x) => x - k]
}

/** The hand-written loop; compiled apart for each chain, as it would stand in a program of its
 * own. */
function handWritten(steps: Closures, k: number): (input: readonly number[]) => number[] {
  const text = `return function hand(input) {
    const out = []
    for (let i = 0; i < input.length; i++) {
      const a = f0(input[i]); if (!f1(a)) continue
      const b = f2(a); if (!f3(b)) continue
      out.push(f4(b))
    }
    return out
  }\n//# sourceURL=bench/hand-${k}.js`
  return new Function('f0', 'f1', 'f2', 'f3', 'f4', text)(...steps)
}

async function answer({ seed, runs, records }: BenchOptions): Promise<Row[]> {
  const random = mulberry32(seed)
  const input = Array.from({ length: records }, () => Math.floor(random() * 1_000))
  const engine = new EngineSide()
  const rows: Row[] = []
  for (let k = 0; k < SHAPES; k++) {
    const steps = closures(k)
    const kinds = ['map', 'filter', 'map', 'filter', 'map'] as const
    const recipe = chain(
      ...kinds.map((kind, i) =>
        narrow(kind, steps[i] as Step, { name: `${kind}-${k}${i}`, fixed: true }),
      ),
    )
    const hand = handWritten(steps, k)
    const sides = [() => hand(input), () => engine.run(recipe, input)] as const
    const [byHand, byEngine] = await interleave(runs, sides)
    rows.push({
      stage: k + 1,
      'hand M/s': (records / quantile(byHand, 0.5) / 1_000).toFixed(1),
      'engine M/s': (records / quantile(byEngine, 0.5) / 1_000).toFixed(1),
      'engine p50 ms': quantile(byEngine, 0.5).toFixed(2),
      'engine p99 ms': quantile(byEngine, 0.99).toFixed(2),
      ...ratio(byHand, byEngine),
    })
  }
  return rows
}

export const fusedChain: Question = {
  asks: 'A fused chain of five operators against the hand-written loop: ratio 1 is as fast.',
  defaults: { seed: 1, runs: 20, records: 1_000_000 },
  answer,
}
