// The engine's path from a lineage to its records, without a source and a sink.

import { type BatchNode, leaf, type Recipe } from '../src/batch/node.ts'
import { systemClock } from '../src/clock.ts'
import { Evaluator } from '../src/plan/evaluator.ts'
import { StageCache } from '../src/plan/stage-cache.ts'

/** Runs recipes over one partition as a batch does; stages are compiled once. */
export class EngineSide {
  readonly #stages = new StageCache()

  run(recipe: Recipe, records: readonly unknown[]): Promise<unknown[][]> {
    const options = { time: 0, traced: false, stages: this.#stages, clock: systemClock }
    const input: BatchNode = leaf([[records]])
    return new Evaluator(options).run(recipe([input]))
  }
}
