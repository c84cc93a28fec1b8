// Pipelines whose closure ends its thread once, for runs that are late.

import { pipeline } from 'millrace'
import { isFirst } from './first-time.ts'
import { lateSource } from './late-source.ts'
import { see } from './seen.ts'

/** When a closure ends its thread. */
export interface OneDeath {
  /** A death leaves it, so that it comes once. */
  readonly file: string
  /** The record at which it comes. */
  readonly at: number
}

function deadly({ file, at }: OneDeath): (n: number) => number {
  return (n) => {
    if (n === at && isFirst(file)) process.exit(3)
    return n * 10
  }
}

const options = { batchInterval: 1_000, checkpoint: false } as const
const batches = [[1, 2], [3, 4], [5, 6], [7, 8], [9]]

/** What is kept for a worker that begins anew: it cannot be read again. */
export const keptSource = pipeline('kept-source', options, (ssc, death: OneDeath) => {
  ssc.queue(batches).map(deadly(death)).foreachBatch(see)
})

/** What is read again for it. */
export const readAgain = pipeline('read-again', options, (ssc, death: OneDeath) => {
  const numbers = ssc.receive(lateSource(batches)).map((n) => n as number)
  numbers.map(deadly(death)).foreachBatch(see)
})

/** Its source ends the thread of the receivers when it is to be read again. */
export const receiversEnd = pipeline('receivers-end', options, (ssc, death: OneDeath) => {
  const source = lateSource(batches)
  const ending = {
    ...source,
    open: (context: Parameters<typeof source.open>[0]) => ({
      ...source.open(context),
      replay: () => process.exit(5),
    }),
  }
  ssc
    .receive(ending)
    .map((n) => n as number)
    .map(deadly(death))
    .foreachBatch(see)
})
