import { pipeline } from 'millrace'
import { checkCounts } from '../check.ts'
import { topOf } from '../closures.ts'
import { benchOptions, report, type WorkloadArgs } from './results.ts'
import { windowedWords } from './windowed-words.ts'

/** Finds the ten most frequent words of the last 30 batches. */
export default pipeline('top-k', benchOptions, (ssc, args: WorkloadArgs) => {
  const candidates = windowedWords(ssc, args).mapPartitions(topOf)
  candidates.foreachBatch(async (batch) => report(checkCounts(topOf(await batch.collect()))))
})
