import { type DStream, pipeline, start } from 'millrace'
import { ManualClock, quietLogger } from 'millrace/testing'
import { expect, test } from 'vitest'

/** Runs four batches of a queue on a manual clock and gives the stream, still running. */
async function running(cache: boolean, cacheBytesMax = 1_000_000) {
  const clock = new ManualClock(0)
  let stream: DStream<number> | undefined
  const described = pipeline(
    'slices',
    { batchInterval: 1_000, checkpoint: false, cacheBytesMax },
    (ssc) => {
      stream = ssc.queue([[1], [2], [3], [4]]).map((n) => n)
      if (cache) stream.cache()
      stream.foreachBatch(() => undefined)
    },
  )
  const run = await start(described, { clock, logger: quietLogger })
  for (let batch = 0; batch < 4; batch++) {
    const completed = new Promise((resolve) => run.on('batch-completed', resolve))
    clock.advance(1_000)
    await completed
  }
  return { run, stream: stream as DStream<number> }
}

async function collected(stream: DStream<number>, from: number, to: number): Promise<number[]> {
  const batches = await stream.slice(from, to)
  return (await Promise.all(batches.map((batch) => batch.collect()))).flat()
}

test.each([
  [0, 2_000, [1, 2]],
  [1_000, 2_000, [1, 2]],
  [1_500, 4_000, [1, 2, 3, 4]],
  [1_000, 2_500, [1, 2]],
  [3_000, 9_000, [3, 4]],
])(
  'slice(%d, %d) gives the batches in between, both ends included, aligned as in Spark',
  async (from, to, expected) => {
    const { run, stream } = await running(true)
    expect(await collected(stream, from, to)).toEqual(expected)
    await run.stop()
  },
)

test('slice gives what is still kept when the cache is full', async () => {
  const { run, stream } = await running(true, 40)
  expect(await collected(stream, 0, 9_000)).toEqual([3, 4])
  await run.stop()
})

test('slice refuses a stream that keeps no batches', async () => {
  const { run, stream } = await running(false)
  await expect(stream.slice(0, 1_000)).rejects.toThrow(/call cache\(\) on it/)
  await run.stop()
})

test('slice refuses a pipeline that has not been started', async () => {
  let early: Promise<unknown> | undefined
  const described = pipeline('late', { batchInterval: 1, checkpoint: false }, (ssc) => {
    const stream = ssc.queue([[1]]).cache()
    early = stream.slice(0, 1).catch((error: unknown) => error)
    stream.print()
  })
  await (await start(described, { until: 'caught-up', clock: new ManualClock(0) })).stop()
  expect(String(await early)).toMatch(/has not been initialized/)
})
