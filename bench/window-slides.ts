// What a slide of a window costs by the window's length: batches of the same few keys, so that only
// the number of panes differs.

import { compare } from './comparison/compare.ts'
import { engineName } from './comparison/measured.ts'
import { NodeContestant } from './contestants/node-contestant.ts'
import type { PipelineTask } from './contestants/running-pipeline.ts'
import { type Answer, type BenchOptions, median, type Question } from './harness.ts'
import type { WindowSlideArgs } from './pipelines/window-slide.ts'

const PANES = [10, 100, 1_000]
const WORKERS = [0, 2]
const LEG_BATCHES = 20
/** Warm-up after the window is full. */
const WARM_BATCHES = 50

async function answer(options: BenchOptions): Promise<Answer> {
  const module = new URL('contestants/engine-process.ts', import.meta.url)
  const sides = WORKERS.flatMap((workers) =>
    [true, false].flatMap((inverse) => PANES.map((panes) => ({ workers, inverse, panes }))),
  )
  const contestants = sides.map(({ workers, inverse, panes }) => {
    const args: WindowSlideArgs = { panes, inverse, keys: options.records }
    const task: PipelineTask = { pipeline: 'window-slide', args, workers }
    const name = `${engineName(workers, false)}, ${panes} panes`
    return new NodeContestant({ name, module, task, warmBatches: panes + WARM_BATCHES })
  })
  const { rounds, seconds } = options
  const turns = { warmBatches: WARM_BATCHES, legBatches: LEG_BATCHES, rounds, seconds }
  const outcomes = await compare(contestants, turns)
  const notes = new Set<string>()
  const rows = outcomes.flatMap(({ legs, leftOut }, i) => {
    const { workers, inverse, panes } = sides[i] as (typeof sides)[number]
    if (leftOut !== undefined) {
      notes.add(`left out: ${engineName(workers, false)}: ${leftOut}`)
      return []
    }
    const ms = legs.map((leg) => leg.ms / LEG_BATCHES)
    const show = (value: number) => value.toFixed(3)
    const side = { workers, window: inverse ? 'with inverse' : 'without inverse', panes }
    return [
      {
        ...side,
        'p50 ms a slide': show(median(ms)),
        min: show(Math.min(...ms)),
        max: show(Math.max(...ms)),
      },
    ]
  })
  return { rows, notes: [...notes] }
}

export const windowSlides: Question = {
  asks:
    'The cost of a batch whose window of 10, 100 and 1,000 batches slides by one, with an inverse\n' +
    'and without, each batch with the same keys: the mean of 20 batches, in turn.',
  defaults: { seed: 1, rounds: 15, records: 100 },
  answer,
}
