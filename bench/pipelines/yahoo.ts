import { readFileSync } from 'node:fs'
import { pipeline } from 'millrace'
import { checkCounts } from '../check.ts'
import { add, adKey, campaignsOf, isView, parseAd } from '../closures.ts'
import { campaignsFile } from '../input/input-files.ts'
import { batchFiles } from './batch-files.ts'
import { benchOptions, inputOf, reportChecks, type WorkloadArgs } from './results.ts'

/** Counts the views of each campaign in windows of 10 s of the events' time. */
export default pipeline('yahoo', benchOptions, (ssc, args: WorkloadArgs) => {
  const folder = inputOf(args)
  const campaigns = campaignsOf(readFileSync(campaignsFile(folder.path), 'utf8'))
  const views = ssc.receive(batchFiles(folder)).map(parseAd).filter(isView)
  const counts = views.map((ad): [string, number] => [adKey(ad, campaigns), 1]).reduceByKey(add)
  reportChecks(counts.mapPartitions((pairs) => [checkCounts(pairs)]))
})
