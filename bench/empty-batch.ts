// What a batch costs that has nothing to do: a window, a state and two outputs, inline, checkpoint
// off; before there is a key, and with keys in the state and in the window.

import { type Pipeline, pipeline, start } from 'millrace'
import { ManualClock, quietLogger } from 'millrace/testing'
import {
  type Answer,
  type BenchOptions,
  type Question,
  quantile,
  type Row,
  turns,
} from './harness.ts'

const INTERVAL_MS = 1_000
const WINDOW_MS = 30 * INTERVAL_MS
const KEYS = [0, 1_000]

/** A first batch with `keys` keys, then nothing. */
function idle(keys: number): Pipeline<undefined> {
  return pipeline('idle', { batchInterval: INTERVAL_MS, checkpoint: false }, (ssc) => {
    const words = Array.from({ length: keys }, (_, i) => `w${i}`)
    const pairs = ssc.queue([words]).map((word) => [word, 1] as const)
    pairs
      .reduceByKeyAndWindow(
        (a, b) => a + b,
        (a, b) => a - b,
        WINDOW_MS,
        INTERVAL_MS,
      )
      .foreachBatch(() => undefined)
    pairs
      .updateStateByKey((ones: number[], n: number | undefined) => (n ?? 0) + ones.length)
      .foreachBatch(() => undefined)
  })
}

async function answer(options: BenchOptions): Promise<Answer> {
  const rows: Row[] = []
  for (const keys of KEYS) rows.push(await measure(keys, options))
  return { rows }
}

/** Times batches from the tick of the clock to the event that tells of their completion: the
 * scheduler's part is in it. */
async function measure(keys: number, options: BenchOptions): Promise<Row> {
  const clock = new ManualClock()
  const run = await start(idle(keys), { clock, logger: quietLogger })
  let completed: () => void = () => undefined
  run.on('batch-completed', () => completed())
  const tick = async (): Promise<number> => {
    const done = new Promise<void>((resolve) => {
      completed = resolve
    })
    const startedAt = performance.now()
    clock.advance(INTERVAL_MS)
    await done
    const took = performance.now() - startedAt
    // The scheduler sets its next timer.
    await new Promise((resolve) => setImmediate(resolve))
    return took * 1e3
  }
  await tick()
  const microseconds: number[] = []
  for (const { timed } of turns(options, KEYS.length)) {
    const took = await tick()
    if (timed) microseconds.push(took)
  }
  await run.stop()
  const show = (share: number) => quantile(microseconds, share).toFixed(0)
  const p50 = { 'p50 µs': show(0.5), 'p99 µs': show(0.99), 'worst µs': show(1) }
  const busy = microseconds.reduce((a, b) => a + b, 0) / 1e6
  return {
    keys,
    batches: microseconds.length,
    ...p50,
    'batches/s': (microseconds.length / busy).toFixed(0),
  }
}

export const emptyBatch: Question = {
  asks:
    'The cost of an empty batch, inline, checkpoint off, from its tick to its completion: with\n' +
    'no key yet, and with keys, for each of which the state calls its function.',
  defaults: { seed: 1, rounds: 3_000, records: 0 },
  answer,
}
