// A pipeline whose threads build different graphs: the driver one, the workers another.

import { isMainThread, threadId } from 'node:worker_threads'
import { pipeline } from 'millrace'

const options = { batchInterval: 10, checkpoint: false } as const
// The tests' own process runs them in its main thread.
const isWorker = !isMainThread

export const shape = pipeline('shape', options, (ssc) => {
  const numbers = ssc.queue([[1]])
  ;(isWorker ? numbers.filter((n) => n > 0) : numbers).print()
})

export const closure = pipeline('closure', options, (ssc) => {
  ssc
    .queue([[1]])
    .map(threadId % 2 === 0 ? (n) => n + 1 : (n) => n + 2)
    .print()
})
