import { ConfigError, StreamingError } from '../errors.ts'
import { currentTally } from '../task-scope.ts'

/** A sum over all committed batches, which closures and output operations add to.
 *
 * What a batch adds counts once, when the batch is committed: adds of failed attempts are dropped,
 * and a batch that is run again after a restart counts once.
 *
 * @example
 * ```ts
 * const described = pipeline('sizes', { batchInterval: 10, checkpoint: false }, (ssc) => {
 *   const characters = ssc.accumulator('characters')
 *   ssc.queue([['to', 'be'], ['or']]).foreachBatch(async (batch) => {
 *     for (const word of await batch.collect()) characters.add(word.length)
 *   })
 * })
 * const run = await start(described, { until: 'caught-up' })
 * await run.done
 * assert.equal(run.metrics()['characters'], 6)
 * ``` */
export class Accumulator {
  /** Where `run.metrics()` has the sum. */
  readonly name: string
  readonly #owner: object

  /** `owner` is the graph whose tasks may add. */
  constructor(name: string, owner: object) {
    this.name = name
    this.#owner = owner
  }

  /** Adds `n`, a finite number, for the batch that is being run. Throws
   * ACCUMULATOR_OUTSIDE_TASK anywhere else.
   *
   * @example
   * ```ts
   * await runBatches({ inputs: [[[1]]], batches: 1 }, (ssc, numbers: DStream<number>) => {
   *   const seen = ssc.accumulator('seen')
   *   assert.throws(() => seen.add(1), /outside of a batch/)
   *   return numbers.filter(() => {
   *     seen.add(1)
   *     return true
   *   })
   * })
   * ```
   */
  add(n: number): void {
    if (!Number.isFinite(n)) {
      throw new ConfigError(
        `Cannot add ${String(n)} to accumulator "${this.name}": it must be a finite number`,
      )
    }
    const tally = currentTally(this.#owner)
    if (tally === undefined) {
      throw new StreamingError(
        'ACCUMULATOR_OUTSIDE_TASK',
        `Cannot add to accumulator "${this.name}" outside of a batch: call add in the closures ` +
          `and output operations of its pipeline, before they return or their promise settles`,
      )
    }
    tally.add(this.name, n)
  }
}
