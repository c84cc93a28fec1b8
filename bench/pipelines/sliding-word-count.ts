import { pipeline } from 'millrace'
import { checkCounts } from '../check.ts'
import { benchOptions, reportChecks, type WorkloadArgs } from './results.ts'
import { windowedWords } from './windowed-words.ts'

/** Counts the words of the last 30 batches. */
export default pipeline('sliding-word-count', benchOptions, (ssc, args: WorkloadArgs) => {
  const counts = windowedWords(ssc, args)
  reportChecks(counts.mapPartitions((pairs) => [checkCounts(pairs)]))
})
