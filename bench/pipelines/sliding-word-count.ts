import { pipeline } from 'millrace'
import { checkCounts } from '../check.ts'
import { reportChecks, type WorkloadArgs, workloadOptions } from './results.ts'
import { windowedWords } from './windowed-words.ts'

/** Counts the words of the last 30 batches. */
export default pipeline('sliding-word-count', workloadOptions, (ssc, args: WorkloadArgs) => {
  const counts = windowedWords(ssc, args)
  reportChecks(counts.mapPartitions((pairs) => [checkCounts(pairs)]))
})
