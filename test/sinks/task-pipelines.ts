// Pipelines whose sinks write in the workers, and say where.

import { join } from 'node:path'
import { isMainThread, threadId } from 'node:worker_threads'
import { pipeline, type TaskSink } from 'millrace'
import { files } from 'millrace/sinks'
import { isFirst } from '../workers/first-time.ts'

/** What a task, or the driver, did. */
export interface Step {
  readonly phase: 'prepare' | 'write' | 'commit'
  readonly inDriver: boolean
  readonly attempt: number
  readonly partition?: number
  readonly thread?: number
  readonly records?: readonly unknown[]
}

const steps: Step[] = []

/** What the driver's side did, and was told by the tasks, since the last call. */
export function takeSteps(): Step[] {
  return steps.splice(0)
}

/** Tells the driver all that tasks do. `dieAt`: the thread of the first task of that partition
 * ends. */
function telling(dieAt?: { readonly partition: number; readonly file: string }): TaskSink<unknown> {
  return {
    name: 'telling',
    guarantee: 'at-least-once',
    open: () =>
      Promise.resolve({
        recover: () => Promise.resolve(),
        prepare({ attempt }) {
          steps.push({ phase: 'prepare', inDriver: isMainThread, attempt })
          return Promise.resolve(`ticket ${attempt}`)
        },
        commit({ attempt }, written) {
          for (const { detail } of written) steps.push(detail as Step)
          steps.push({ phase: 'commit', inDriver: isMainThread, attempt })
          const records = written.reduce((n, part) => n + part.records, 0)
          return Promise.resolve({ records, bytes: 0 })
        },
        close: () => Promise.resolve(),
      }),
    openTask: () =>
      Promise.resolve({
        write({ attempt, partition, ticket }, records) {
          if (ticket !== `ticket ${attempt}`) throw new Error(`a wrong ticket, ${String(ticket)}`)
          if (partition === dieAt?.partition && isFirst(dieAt.file)) process.exit(7)
          const where = { inDriver: isMainThread, thread: threadId }
          const detail: Step = { phase: 'write', ...where, attempt, partition, records }
          return Promise.resolve({ records: records.length, bytes: 0, detail })
        },
        close: () => Promise.resolve(),
      }),
  }
}

const options = { batchInterval: 20, checkpoint: false } as const

export const told = pipeline('told', options, (ssc) => {
  ssc
    .queue([[1, 2, 3, 4]])
    .transform((batch) => batch.repartition(4))
    .writeTo(telling())
})

export const dies = pipeline('dies', options, (ssc, folder: string) => {
  ssc
    .queue([[1, 2, 3, 4]])
    .transform((batch) => batch.repartition(4))
    .writeTo(telling({ partition: 1, file: join(folder, 'died') }))
})

export const fails = pipeline('fails', options, (ssc, folder: string) => {
  ssc.queue([[1, 2]]).writeTo({
    ...telling(),
    openTask: () => Promise.reject(Object.assign(new RangeError('no place'), { code: 'ENOSPC' })),
  })
  ssc.queue([[1, 2]]).writeTo(files(folder))
})

export const large = pipeline('large', { ...options, resultBytesMax: 1_000 }, (ssc) => {
  const records = Array.from({ length: 100 }, (_, i) => `a record of some length, ${i}`)
  ssc.queue([records]).writeTo(telling())
  ssc.queue([['short', ...records]]).foreachBatch(() => undefined)
})

export const saved = pipeline('saved', options, (ssc, folder: string) => {
  const words = ssc.queue([['to', 'be']])
  words.writeTo(files(join(folder, 'files')))
  words.saveAsTextFiles(join(folder, 'texts'))
  words.print(0)
})
