// A running sum with mapWithState over a state of a million keys, against get and set on one Map.

import { deepStrictEqual } from 'node:assert'
import { PairRecords } from '../src/batch/pair-records.ts'
import { partitionOf } from '../src/batch/partitioner.ts'
import { mulberry32 } from '../src/batch/recipes.ts'
import { ALONE } from '../src/batch/spread.ts'
import type { State } from '../src/dstream/dstream.ts'
import { MapWithStateOperator } from '../src/state/map-with-state-operator.ts'
import { type BenchOptions, type Question, quantile, type Row, ratio, turns } from './harness.ts'

const KEYS = 1_000_000
const PARTITIONS = 8

interface Columns {
  readonly keys: string[]
  readonly values: number[]
}

const sum = (_key: string, value: number | undefined, state: State<number>): number => {
  const total = (state.exists() ? state.get() : 0) + (value ?? 0)
  state.update(total)
  return total
}

/** Texts as a decoder gives them: cut from one text, their hashes not yet known. */
function textsOf(ids: ArrayLike<number>): string[] {
  const texts = Array.from(ids, (id) => `k${String(id).padStart(9, '0')}`)
  const all = Buffer.from(texts.join('')).toString('latin1')
  return texts.map(({ length }, i) => all.slice(i * length, (i + 1) * length))
}

/** The pairs in the partitions of their keys, in order of arrival. */
function shuffled({ keys, values }: Columns): Columns[] {
  const parts = Array.from({ length: PARTITIONS }, (): Columns => ({ keys: [], values: [] }))
  keys.forEach((key, i) => {
    const part = parts[partitionOf(key, PARTITIONS)]
    part?.keys.push(key)
    part?.values.push(values[i] ?? 0)
  })
  // The hash that chose the partition was not V8's; copies are without V8's.
  return parts
}

class Side {
  readonly #operator: MapWithStateOperator
  #time = 0

  constructor(timeoutMs: number | undefined) {
    const options = { f: sum as never, partitions: PARTITIONS, initialState: [], timeoutMs }
    this.#operator = new MapWithStateOperator('sums', options, ALONE)
  }

  run(parts: readonly Columns[], then: 'merge' | 'rollback' = 'merge'): unknown[] {
    this.#time += 1_000
    const parent = {
      owners: parts.map(() => 0),
      parts: parts.map(({ keys, values }) => [new PairRecords(keys, values)]),
    }
    this.#operator.begin()
    const { parts: out } = this.#operator.run(this.#time, parent)
    if (then === 'merge') this.#operator.merge()
    return out
  }

  changes(): unknown {
    return this.#operator.changes()
  }
}

function byHand(sums: Map<string, number>, { keys, values }: Columns): number[] {
  const emitted: number[] = []
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as string
    const total = (sums.get(key) ?? 0) + (values[i] as number)
    sums.set(key, total)
    emitted.push(total)
  }
  return emitted
}

function answer(options: BenchOptions): Promise<Row[]> {
  const random = mulberry32(options.seed)
  const sums = new Map<string, number>()
  const plain = new Side(undefined)
  const timed = new Side(3_600_000)
  const all = Array.from({ length: KEYS }, (_, i) => i)
  const zeros = all.map(() => 0.5)
  byHand(sums, { keys: textsOf(all), values: zeros })
  for (const side of [plain, timed]) side.run(shuffled({ keys: textsOf(all), values: zeros }))
  const times = { hand: [] as number[], plain: [] as number[], timed: [] as number[] }
  for (const turn of turns(options)) {
    const ids = Array.from({ length: options.records }, () => Math.floor(random() * KEYS))
    const values = ids.map(() => random())
    const forHand = { keys: textsOf(ids), values }
    const parts = [0, 1].map(() => shuffled({ keys: textsOf(ids), values }))
    const sides = {
      hand: () => byHand(sums, forHand),
      plain: () => plain.run(parts[0] as Columns[]),
      timed: () => timed.run(parts[1] as Columns[]),
    }
    const names = ['hand', 'plain', 'timed'] as const
    for (let i = 0; i < names.length; i++) {
      const name = names[(turn.run + i) % names.length] as (typeof names)[number]
      const startedAt = performance.now()
      sides[name]()
      if (turn.timed) times[name].push(performance.now() - startedAt)
    }
  }
  const row = (name: 'plain' | 'timed', label: string): Row => ({
    state: label,
    'hand p50 ms': quantile(times.hand, 0.5).toFixed(1),
    'p50 ms': quantile(times[name], 0.5).toFixed(1),
    ...ratio(times.hand, times[name]),
  })
  return Promise.resolve([row('plain', 'without a timeout'), row('timed', 'with a timeout')])
}

export const stateUpdate: Question = {
  asks: '',
  defaults: { seed: 1, runs: 30, records: 200_000 },
  answer,
}
const rows = await answer({ seed: 1, runs: 20, seconds: 1e9, records: 200_000 })
console.log(rows, deepStrictEqual)
