// A pipeline that gives the records of a stream to outputs without a map before them.

import { appendFile } from 'node:fs/promises'
import { pipeline } from 'millrace'
import { kinesis } from 'millrace/kinesis'
import { credentials } from './credentials.ts'

/** Which stream, and the file to which the records are written. */
export interface AsTheyAreArgs {
  readonly stream: string
  readonly endpoint: string
  readonly seen: string
}

const options = { batchInterval: 50, checkpoint: false } as const

export default pipeline('as-they-are', options, (ssc, args: AsTheyAreArgs) => {
  const { stream, endpoint, seen } = args
  const where = { stream, endpoint, credentials, region: 'us-east-1' }
  const records = ssc.receive(kinesis({ ...where, startAt: 'TRIM_HORIZON' }))
  records.foreachBatch(async (batch) => {
    for (const record of await batch.collect()) {
      await appendFile(seen, `${record.text()}:${record.partitionKey}\n`)
    }
  })
  const all = () => true
  records
    .filter(all)
    .window(100)
    .count()
    .foreachBatch(() => undefined)
})
