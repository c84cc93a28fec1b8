import { pipeline } from 'millrace'
import { hasNeedle } from '../closures.ts'
import { batchFiles } from './batch-files.ts'
import { benchOptions, inputOf, reportRow, type WorkloadArgs } from './results.ts'

/** Counts the lines that hold the needle. */
export default pipeline('grep', benchOptions, (ssc, args: WorkloadArgs) => {
  const found = ssc.receive(batchFiles(inputOf(args))).filter(hasNeedle)
  reportRow(found.count(), async (batch) => String(await batch.first()))
})
