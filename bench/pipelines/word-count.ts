import { pipeline } from 'millrace'
import { checkCounts } from '../check.ts'
import { add, once, wordsOf } from '../closures.ts'
import { batchFiles } from './batch-files.ts'
import { benchOptions, inputOf, reportChecks, type WorkloadArgs } from './results.ts'

/** Counts the words of each batch. */
export default pipeline('word-count', benchOptions, (ssc, args: WorkloadArgs) => {
  const words = ssc.receive(batchFiles(inputOf(args))).flatMap(wordsOf)
  const counts = words.map(once).reduceByKey(add)
  reportChecks(counts.mapPartitions((pairs) => [checkCounts(pairs)]))
})
