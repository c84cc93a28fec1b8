// Pipelines of which something never ends: a closure, the stop of a receiver, the write of a task.

import { pipeline, type TaskSink } from 'millrace'
import { customReceiver } from 'millrace/sources'

const options = { batchInterval: 20, checkpoint: false } as const
const never = (): Promise<never> => new Promise(() => undefined)

export const closure = pipeline('closure', options, (ssc) => {
  ssc
    .queue([[1]])
    .map((n) => {
      let x = n
      for (;;) x = Math.sqrt(x) + 1
    })
    .foreachBatch(() => undefined)
})

export const receiver = pipeline('receiver', options, (ssc) => {
  const source = customReceiver<number>('hangs', () => ({
    onStart: () => undefined,
    onStop: never,
  }))
  ssc.receive(source).foreachBatch(() => undefined)
})

const sink: TaskSink<number> = {
  name: 'hangs',
  guarantee: 'at-least-once',
  open: async () => ({
    recover: async () => undefined,
    prepare: async () => undefined,
    commit: async () => ({ records: 0, bytes: 0 }),
    close: async () => undefined,
  }),
  openTask: async () => ({ write: never, close: never }),
}

export const task = pipeline('task', options, (ssc) => {
  ssc.queue([[1]]).writeTo(sink)
})
