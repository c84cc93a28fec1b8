import { pipeline } from 'millrace'
import { add, subtract } from '../closures.ts'
import { benchOptions } from './results.ts'

/** How many keys the state and the window hold while nothing arrives. */
export interface IdleArgs {
  readonly keys: number
}

/** A first batch with keys, then nothing: a window, a state and two outputs. */
export default pipeline('idle', benchOptions, (ssc, { keys }: IdleArgs) => {
  const words = Array.from({ length: keys }, (_, i) => `w${i}`)
  const pairs = ssc.queue([words]).map((word): [string, number] => [word, 1])
  pairs.reduceByKeyAndWindow(add, subtract, '30s', '1s').foreachBatch(() => undefined)
  pairs
    .updateStateByKey((ones: number[], n: number | undefined) => (n ?? 0) + ones.length)
    .foreachBatch(() => undefined)
})
