// Pipelines for the tests of worker threads. What foreachBatch sees stays in the driver's thread.

import { pipeline } from 'millrace'
import { isFirst } from './first-time.ts'
import { see } from './seen.ts'

const options = { batchInterval: 20, checkpoint: false } as const

export const counts = pipeline('counts', options, (ssc) => {
  const words = ssc.accumulator('words')
  const one = ssc.broadcast(() => Promise.resolve(1))
  ssc
    .queue([['a b', 'a'], ['c a']])
    .flatMap((line) => line.split(' '))
    .map((word): [string, number] => {
      words.add(1)
      return [word, one.value]
    })
    .reduceByKey((a, b) => a + b)
    .updateStateByKey((ns: number[], sum: number | undefined) =>
      ns.reduce((a, b) => a + b, sum ?? 0),
    )
    .transform((batch) => batch.sortByKey())
    .foreachBatch(see)
})

export const fails = pipeline('fails', options, (ssc) => {
  const check = (n: number): number => {
    if (n === 2) throw new RangeError('two')
    return n
  }
  ssc
    .queue([[1, 2, 3]])
    .map(check)
    .foreachBatch(see)
})

const exitAtTwo =
  (file: string) =>
  (n: number): number => {
    if (n === 2 && isFirst(file)) process.exit(3)
    return n * 2
  }

export const exitsOnce = pipeline('exits-once', options, (ssc, file: string) => {
  ssc
    .queue([[1, 2, 3]])
    .map(exitAtTwo(file))
    .foreachBatch(see)
})

export const stateExits = pipeline('state-exits', options, (ssc, file: string) => {
  const pairs = ssc
    .queue([[1, 2, 3]])
    .map(exitAtTwo(file))
    .map((n): [number, number] => [n, n])
  pairs.updateStateByKey((ns: number[]) => ns[0]).foreachBatch(see)
})

const impatient = {
  ...options,
  stuckAfter: '300ms',
  onStuckWorker: 'end',
  batchAttemptsMax: 1,
} as const

export const stuck = pipeline('stuck', impatient, (ssc) => {
  const busyClosure = (n: number): number => {
    let x = n
    for (;;) x = Math.sqrt(x) + 1
  }
  ssc
    .queue([[1]])
    .map(busyClosure)
    .foreachBatch(see)
})
