import { pipeline } from 'millrace'
import { hasNeedle } from '../closures.ts'
import { batchFiles } from './batch-files.ts'
import { inputOf, reportRow, type WorkloadArgs, workloadOptions } from './results.ts'

/** Counts the lines that hold the needle. */
export default pipeline('grep', workloadOptions, (ssc, args: WorkloadArgs) => {
  const found = ssc.receive(batchFiles(inputOf(args))).filter(hasNeedle)
  reportRow(found.count(), async (batch) => String(await batch.first()))
})
