// When mapWithState removes a key that had no value for longer than the timeout.

import { type DStream, pipeline, type State, start } from 'millrace'
import { CollectingSink, ManualClock, quietLogger, runBatches } from 'millrace/testing'
import { expect, test } from 'vitest'

type Pairs = DStream<[string, number]>

/** Keeps the last value, and says when a key times out. */
const last = (
  key: string,
  n: number | undefined,
  state: State<number>,
  { time }: { time: number },
) => {
  if (state.isTimingOut()) return `${key} out at ${time}`
  state.update(n ?? 0)
  return undefined
}

test('a key that a dropped batch touched times out as if that batch had not been', async () => {
  const clock = new ManualClock(0)
  const sink = new CollectingSink<string>()
  const options = { batchInterval: 1_000, checkpoint: false, onBatchError: 'continue' } as const
  const batches: [string, number][][] = [
    [
      ['z', 1],
      ['a', 1],
    ],
    [],
    [['a', 3]],
    [],
    [['a', 5]],
  ]
  const described = pipeline('dropped', options, (ssc) => {
    const mapped = ssc.queue(batches).mapWithState(last, { timeout: '2s', partitions: 1 })
    mapped.writeTo(sink)
    mapped.stateSnapshots().foreachBatch((_batch, { time }) => {
      if (time === 5_000) throw new Error('batch 5 is dropped')
    })
  })
  const run = await start(described, { clock, logger: quietLogger })
  for (let batch = 1; batch <= 8; batch++) {
    const done = new Promise((resolve) => {
      run.on('batch-completed', resolve)
      run.on('batch-failed', resolve)
    })
    clock.advance(1_000)
    await done
  }
  await run.stop()
  expect(sink.records()).toEqual(['z out at 4000', 'a out at 6000'])
})

test('a value refreshes a key that its closure did not update', async () => {
  const see = (key: string, n: number | undefined, state: State<number>) => {
    if (state.isTimingOut()) return `${key} out`
    if (!state.exists()) state.update(n ?? 0)
    return undefined
  }
  const inputs = [[[['a', 1]], [], [['a', 2]], [], [], []]]
  const outputs = await runBatches({ inputs, batches: 6 }, (_ssc, s: Pairs) =>
    s.mapWithState(see, { timeout: '2s' }),
  )
  expect(outputs).toEqual([[], [], [], [], [], ['a out']])
})

test('a batch that its source left out looks for timeouts too', async () => {
  const inputs = [[[['a', 1]], null, null, null, [['b', 1]]]]
  const outputs = await runBatches({ inputs, batches: 5 }, (_ssc, s: Pairs) =>
    s.mapWithState(last, { timeout: '2s' }),
  )
  expect(outputs).toEqual([[], [], [], ['a out at 4000'], []])
})

test('a key times out though its partition was once empty', async () => {
  const inputs = [[[], [], [], [['a', 1]], [], [], []]]
  const outputs = await runBatches({ inputs, batches: 7 }, (_ssc, s: Pairs) =>
    s.mapWithState(last, { timeout: '2s' }),
  )
  expect(outputs).toEqual([[], [], [], [], [], [], ['a out at 7000']])
})
