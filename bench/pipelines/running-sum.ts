import { pipeline } from 'millrace'
import { addToState, eventOf } from '../closures.ts'
import { batchFiles } from './batch-files.ts'
import { benchOptions, inputOf, reportRow, type WorkloadArgs } from './results.ts'

/** Keeps the sum of each key, and gives it for each event. */
export default pipeline('running-sum', benchOptions, (ssc, args: WorkloadArgs) => {
  const sums = ssc
    .receive(batchFiles(inputOf(args)))
    .map(eventOf)
    .mapWithState(addToState)
  reportRow(sums.mapPartitions(totalOf), async (batch) => {
    const totals = await batch.collect()
    const events = totals.reduce((sum, total) => sum + total.events, 0)
    return `${events}\t${totals.reduce((sum, total) => sum + total.sums, 0)}`
  })
})

function totalOf(sums: Iterable<number>): { events: number; sums: number }[] {
  let events = 0
  let total = 0
  for (const sum of sums) {
    events += 1
    total += sum
  }
  return [{ events, sums: total }]
}
