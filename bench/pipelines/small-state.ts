import { pipeline } from 'millrace'
import { add, addToState, eventOf, subtract } from '../closures.ts'
import { below, randomOf } from '../input/random.ts'
import { partsSource } from './parts-source.ts'
import { benchOptions } from './results.ts'

const KEYS = 100
const RECORDS_A_PART = 5

/** Ten records a batch, a state and a window of 100 keys: what grows with the batches shows. */
export default pipeline('small-state', benchOptions, (ssc) => {
  const source = partsSource('few-keys', (batch, part) => {
    const random = randomOf(batch, part)
    const line = () => `k${below(random, KEYS)},${batch},${below(random, 10)}\n`
    return [Buffer.from(Array.from({ length: RECORDS_A_PART }, line).join(''))]
  })
  const events = ssc.receive(source).map(eventOf)
  events.mapWithState(addToState).foreachBatch(() => undefined)
  events.reduceByKeyAndWindow(add, subtract, '10s', '1s').foreachBatch(() => undefined)
})
