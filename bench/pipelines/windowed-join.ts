import { pipeline } from 'millrace'
import { eventOf } from '../closures.ts'
import { batchFiles } from './batch-files.ts'
import { benchOptions, inputOf, reportRow, type WorkloadArgs } from './results.ts'

/** Joins the last three batches of two streams and counts the pairs. */
export default pipeline('windowed-join', benchOptions, (ssc, args: WorkloadArgs) => {
  const events = (index: number) => ssc.receive(batchFiles(inputOf(args, index))).map(eventOf)
  const joined = events(0).window('3s').join(events(1).window('3s'))
  reportRow(joined.count(), async (batch) => String(await batch.first()))
})
