// What a batch costs that has nothing to do: a window, a state and two outputs, inline, checkpoint
// off.

import { pipeline, start } from 'millrace'
import { ManualClock, quietLogger } from 'millrace/testing'
import { type BenchOptions, type Question, quantile, type Row } from './harness.ts'

const INTERVAL_MS = 1_000

const idle = pipeline('idle', { batchInterval: INTERVAL_MS, checkpoint: false }, (ssc) => {
  const pairs = ssc.queue<string>([]).map((word) => [word, 1] as const)
  pairs
    .reduceByKeyAndWindow(
      (a, b) => a + b,
      (a, b) => a - b,
      30 * INTERVAL_MS,
      INTERVAL_MS,
    )
    .foreachBatch(() => undefined)
  pairs
    .updateStateByKey((ones: number[], n: number | undefined) => (n ?? 0) + ones.length)
    .foreachBatch(() => undefined)
})

async function answer({ runs }: BenchOptions): Promise<Row[]> {
  const clock = new ManualClock()
  const run = await start(idle, { clock, logger: quietLogger })
  const microseconds: number[] = []
  let startedAt = 0
  run.on('batch-started', () => {
    startedAt = performance.now()
  })
  const warmUp = Math.ceil(runs / 3)
  for (let batch = -warmUp; batch < runs; batch++) {
    await new Promise<void>((resolve) => {
      const off = run.on('batch-completed', () => {
        off()
        if (batch >= 0) microseconds.push((performance.now() - startedAt) * 1_000)
        resolve()
      })
      clock.advance(INTERVAL_MS)
    })
  }
  await run.stop()
  const show = (share: number) => quantile(microseconds, share).toFixed(1)
  return [{ batches: runs, 'p50 µs': show(0.5), 'p99 µs': show(0.99), 'worst µs': show(1) }]
}

export const emptyBatch: Question = {
  asks: 'The cost of an empty batch, inline, checkpoint off, from its start to its completion.',
  defaults: { seed: 1, runs: 3_000, records: 0 },
  answer,
}
