// A redo that reads other records than the log has stops the start, and says which range differs.

import { pipeline, start } from 'millrace'
import { CollectingSink, ManualClock, MemoryStore, quietLogger } from 'millrace/testing'
import { expect, test } from 'vitest'
import { arrivalSource } from '../torture/arrival-source.ts'

const died = new Error('died')

/** Runs a pipeline over `records` whose sink fails if `failing`; gives what ended it. */
async function run(store: MemoryStore, records: readonly string[], failing: boolean) {
  const sink = new CollectingSink<string>()
  const described = pipeline('replayed', { batchInterval: 1_000, checkpoint: store }, (ssc) => {
    const words = ssc.receive(arrivalSource('words', records, { seed: 1, most: 1 }))
    if (failing) words.foreachBatch(() => Promise.reject(died))
    else words.foreachBatch(() => Promise.resolve())
    words.writeTo(sink)
  })
  const clock = new ManualClock()
  const options = { clock, logger: quietLogger, takeover: 'force' } as const
  const started = await start(described, options)
  clock.advance(1_000)
  return started.done.catch((error: unknown) => error)
}

test.each([
  ['another record', ['b']],
  ['fewer records', []],
])('a start that reads %s again is refused', async (_what, records) => {
  const store = new MemoryStore()
  expect(await run(store, ['a'], true)).toMatchObject({ cause: died })
  await expect(run(store, records, false)).rejects.toMatchObject({ code: 'SOURCE_REPLAY_DIFFERS' })
})
