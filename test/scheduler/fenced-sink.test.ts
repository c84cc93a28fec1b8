// A sink that fails because another process writes the same batch: the error says who.

import { pipeline, start } from 'millrace'
import { ManualClock, MemoryStore, quietLogger } from 'millrace/testing'
import { expect, test } from 'vitest'
import { openLog } from '../checkpoint/logs.ts'
import { PushSource } from './push-source.ts'

/** Runs a batch in whose write `during` happens, and then the sink fails. */
async function failing(during: (store: MemoryStore) => Promise<unknown>): Promise<unknown> {
  const store = new MemoryStore()
  const source = new PushSource()
  const described = pipeline('words', { batchInterval: 1_000, checkpoint: store }, (ssc) => {
    ssc.receive(source).foreachBatch(async () => {
      await during(store)
      throw new Error('the folder is gone')
    })
  })
  const clock = new ManualClock(0)
  const run = await start(described, { clock, logger: quietLogger })
  source.push(1)
  clock.advance(1_000)
  return run.done.catch((error: unknown) => error)
}

test('a sink that fails in a run that was taken over ends it as FENCED', async () => {
  const error = await failing((store) =>
    openLog(store, { stateful: [], sources: [new PushSource()] }),
  )
  expect(error).toMatchObject({ code: 'FENCED' })
})

test('a sink that fails in a run that was not ends it as SINK_FAILED', async () => {
  const error = await failing(() => Promise.resolve())
  expect(error).toMatchObject({ code: 'SINK_FAILED', cause: new Error('the folder is gone') })
})
