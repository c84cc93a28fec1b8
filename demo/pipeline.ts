// Counts the words of the stream `speeches`: over the last 30 seconds, and since the beginning.

import { join } from 'node:path'
import { pipeline } from 'millrace'
import { kinesis } from 'millrace/kinesis'
import { files } from 'millrace/sinks'
import { wordsOf } from './words.ts'

/** What the pipeline needs to know from the one who starts it. */
export interface WordCountArgs {
  readonly endpoint: string
  readonly region: string
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  readonly folder: string
}

export default pipeline(
  'word-count',
  { batchInterval: '1s', checkpoint: './demo-out/state' },
  (ssc, { folder, ...service }: WordCountArgs) => {
    const pairs = ssc
      .receive(kinesis({ stream: 'speeches', startAt: 'TRIM_HORIZON', ...service }))
      .flatMap((record) => wordsOf(record.text()))
      .map((word) => [word, 1] as const)

    pairs
      .reduceByKeyAndWindow(
        (a, b) => a + b,
        (a, b) => a - b,
        '30s',
        '1s',
        {
          filter: ([, count]) => count > 0,
        },
      )
      .writeTo(files(join(folder, 'window')))

    pairs
      .reduceByKey((a, b) => a + b)
      .updateStateByKey(([count = 0], total: number | undefined) => (total ?? 0) + count, {
        onlyActiveKeys: true,
      })
      .writeTo(files(join(folder, 'totals')))
  },
)
