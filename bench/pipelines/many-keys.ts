import { pipeline } from 'millrace'
import { addToState, eventOf } from '../closures.ts'
import { below, randomOf } from '../input/random.ts'
import { PARTITIONS, partsSource } from './parts-source.ts'
import { benchOptions } from './results.ts'

/** How many keys there are, and how they come. */
export interface ManyKeysArgs {
  readonly keys: number
  /** The first batches bring each key once. */
  readonly loadBatches: number
  /** Records of each later batch, of any keys. */
  readonly records: number
  readonly seed: number
}

/** Keeps the running sum of each key. */
export default pipeline('many-keys', benchOptions, (ssc, args: ManyKeysArgs) => {
  const source = partsSource('many-keys', (batch, part) => [linesOf(args, batch, part)])
  const sums = ssc.receive(source).map(eventOf).mapWithState(addToState)
  sums.count().foreachBatch(() => undefined)
})

function linesOf(
  { keys, loadBatches, records, seed }: ManyKeysArgs,
  batch: number,
  part: number,
): Buffer {
  const random = randomOf(seed, batch, part)
  const loading = batch <= loadBatches
  const share = (loading ? keys / loadBatches : records) / PARTITIONS
  const first = ((batch - 1) * PARTITIONS + part) * share
  let text = ''
  for (let i = 0; i < share; i++) {
    const key = loading ? Math.floor(first + i) : below(random, keys)
    text += `key-${key},${batch},${below(random, 1_000)}\n`
  }
  return Buffer.from(text, 'latin1')
}
