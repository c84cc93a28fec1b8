// What a slide of a window costs by the window's length: batches of the same few keys, so that only
// the number of panes differs.

import { engineName } from './comparison/measured.ts'
import { type RunningPipeline, runPipeline } from './contestants/running-pipeline.ts'
import { type Answer, type BenchOptions, interleave, median, type Question } from './harness.ts'
import type { WindowSlideArgs } from './pipelines/window-slide.ts'

const PANES = [10, 100, 1_000]
const WORKERS = [0, 2]
const SLIDES = 20
/** Slides of warm-up after the window is full. */
const WARM_SLIDES = 50

interface Side {
  readonly workers: number
  readonly inverse: boolean
  readonly panes: number
  readonly pipeline: RunningPipeline
}

async function answer(options: BenchOptions): Promise<Answer> {
  const sides: Side[] = []
  for (const workers of WORKERS) {
    for (const inverse of [true, false]) {
      for (const panes of PANES) {
        const args: WindowSlideArgs = { panes, inverse, keys: options.records }
        const pipeline = await runPipeline({ pipeline: 'window-slide', args, workers })
        await pipeline.run(panes + WARM_SLIDES)
        sides.push({ workers, inverse, panes, pipeline })
      }
    }
  }
  const slide = sides.map(
    ({ pipeline }) =>
      () =>
        pipeline.run(SLIDES),
  )
  const times = await interleave(options, 1, slide)
  for (const { pipeline } of sides) await pipeline.stop()
  return { rows: sides.map((side, i) => rowOf(side, times[i] ?? [])) }
}

function rowOf({ workers, inverse, panes }: Side, times: readonly number[]) {
  const ms = times.map((time) => time / SLIDES)
  const show = (value: number) => value.toFixed(3)
  return {
    engine: engineName(workers, false),
    window: inverse ? 'with inverse' : 'without inverse',
    panes,
    'p50 ms a slide': show(median(ms)),
    min: show(Math.min(...ms)),
    max: show(Math.max(...ms)),
  }
}

export const windowSlides: Question = {
  asks:
    'The cost of a batch whose window of 10, 100 and 1,000 batches slides by one, with an\n' +
    'inverse and without, each batch with the same keys: the mean of 20 batches, in turn.',
  defaults: { seed: 1, rounds: 30, records: 100 },
  answer,
}
