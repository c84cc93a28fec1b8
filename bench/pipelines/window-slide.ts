import { pipeline } from 'millrace'
import { add, subtract } from '../closures.ts'
import { partsSource } from './parts-source.ts'
import { benchOptions } from './results.ts'

/** A window of so many batches, which slides by one. */
export interface WindowSlideArgs {
  readonly panes: number
  readonly inverse: boolean
  /** Keys of a batch, the same in each. */
  readonly keys: number
}

/** Counts the keys of the last batches, at each batch. */
export default pipeline('window-slide', benchOptions, (ssc, args: WindowSlideArgs) => {
  const keys = Array.from({ length: args.keys }, (_, i) => `k${i}`)
  const halves = [keys.filter((_, i) => i % 2 === 0), keys.filter((_, i) => i % 2 !== 0)]
  const parts = halves.map((half) => Buffer.from(half.map((key) => `${key}\n`).join('')))
  const source = partsSource('same-keys', (_batch, part) => [parts[part] as Buffer])
  const pairs = ssc.receive(source).map((key): [string, number] => [key, 1])
  const length = args.panes * benchOptions.batchInterval
  const counts = args.inverse
    ? pairs.reduceByKeyAndWindow(add, subtract, length, benchOptions.batchInterval)
    : pairs.reduceByKeyAndWindow(add, length, benchOptions.batchInterval)
  counts.foreachBatch(() => undefined)
})
