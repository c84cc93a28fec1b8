import type { DStream, StreamingContext } from 'millrace'
import { add, occurs, once, subtract, wordsOf } from '../closures.ts'
import { batchFiles } from './batch-files.ts'
import { inputOf, type WorkloadArgs } from './results.ts'

/** The words of the last 30 batches with their counts, at each batch. */
export function windowedWords(
  ssc: StreamingContext,
  args: WorkloadArgs,
): DStream<[string, number]> {
  const words = ssc
    .receive(batchFiles(inputOf(args)))
    .flatMap(wordsOf)
    .map(once)
  return words.reduceByKeyAndWindow(add, subtract, '30s', '1s', { filter: occurs })
}
