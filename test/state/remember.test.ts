// How long cached streams keep their batches for slice(), and how often state is written.

import { type DStream, type Duration, pipeline, type StreamingContext, start } from 'millrace'
import { ManualClock, MemoryStore, quietLogger } from 'millrace/testing'
import { describe, expect, test } from 'vitest'
import { casesOf } from '../parity/cases.ts'
import { applyStages, type Setting } from '../parity/functions.ts'
import { PushSource, tick } from '../scheduler/push-source.ts'

const options = { batchInterval: 1_000, checkpoint: false } as const

/** Runs `batches` batches of a queue on a manual clock from 0 and leaves the run open. */
async function running(
  input: readonly (readonly number[])[],
  batches: number,
  build: (ssc: StreamingContext, stream: DStream<number>) => void,
) {
  const clock = new ManualClock(0)
  const described = pipeline('remembering', options, (ssc) => {
    build(ssc, ssc.queue(input))
  })
  const run = await start(described, { clock, logger: quietLogger })
  for (let batch = 0; batch < batches; batch++) await tick(run, clock)
  return run
}

async function collected(stream: DStream<unknown>, from: number, to: number): Promise<unknown[]> {
  const batches = await stream.slice(from, to)
  return (await Promise.all(batches.map((batch) => batch.collect()))).flat()
}

async function has(stream: DStream<unknown>, time: number): Promise<boolean> {
  return (await stream.slice(time, time)).length > 0
}

interface Query {
  readonly fromMs?: number
  readonly toMs?: number
  readonly fromMsAfterFirstBatch?: number
  readonly toMsAfterFirstBatch?: number
  readonly rememberMs?: Duration
}

describe('slice as in Spark', () => {
  const queries = [
    ...casesOf('basicoperationssuite').filter(({ kind }) => kind === 'query'),
    ...casesOf('pyspark-test-dstream').filter(({ kind }) => kind === 'query'),
  ]
  test.each(queries.map((c) => [c.id, c] as const))('%s', async (_id, c) => {
    const params = (c.params ?? {}) as Query
    const first = c.batchIntervalMs ?? 0
    const from = params.fromMs ?? first + (params.fromMsAfterFirstBatch ?? 0)
    const to = params.toMs ?? first + (params.toMsAfterFirstBatch ?? 0)
    const input = c.input as readonly (readonly number[])[]
    let stream: DStream<number> | undefined
    const run = await running(input, input.length, (ssc, queue) => {
      if (params.rememberMs !== undefined) ssc.remember(params.rememberMs)
      stream = queue.cache()
      stream.foreachBatch(() => undefined)
    })
    expect(await collected(stream as DStream<number>, from, to)).toEqual(c.expected)
    await run.stop()
  })
})

interface CleanUp {
  readonly retainedAt10s: Readonly<
    Record<string, { readonly has: readonly number[]; readonly hasNot: readonly number[] }>
  >
}

describe('remember', () => {
  const [cleanUp] = casesOf('basicoperationssuite-rdd-cleanup-map-and-window')

  test('drops what is older, and a parent of windows keeps more, as in Spark', async () => {
    const params = cleanUp?.params as { readonly rememberMs: number; readonly batchesRun: number }
    const stages = (cleanUp as unknown as { readonly pipeline: readonly Record<string, unknown>[] })
      .pipeline
    const names = ['map', 'window1', 'window2']
    const streams = new Map<string, DStream<unknown>>()
    const input = cleanUp?.input as readonly (readonly number[])[]
    const run = await running(input, params.batchesRun, (ssc, queue) => {
      ssc.remember(params.rememberMs)
      const setting = { intervalMs: 1_000, others: [] } as unknown as Setting
      let stream: DStream<unknown> = queue
      for (const [i, stage] of stages.entries()) {
        stream = applyStages(stream, [stage], setting).cache()
        streams.set(names[i] ?? '', stream)
      }
      stream.foreachBatch(() => undefined)
    })
    const { retainedAt10s } = (cleanUp as { readonly expected: CleanUp }).expected
    expect(Object.keys(retainedAt10s).sort()).toEqual([...names].sort())
    for (const [name, { has: kept, hasNot: gone }] of Object.entries(retainedAt10s)) {
      const stream = streams.get(name) as DStream<unknown>
      for (const time of kept) expect([name, time, await has(stream, time)]).toContain(true)
      for (const time of gone) expect([name, time, await has(stream, time)]).toContain(false)
    }
    await run.stop()
  })

  test('keeps exactly what is younger than the duration', async () => {
    let stream: DStream<number> | undefined
    const input = [[1], [2], [3], [4], [5]]
    const run = await running(input, 5, (ssc, queue) => {
      ssc.remember('3s')
      stream = queue.cache()
      stream.foreachBatch(() => undefined)
    })
    expect(await collected(stream as DStream<number>, 0, 9_000)).toEqual([3, 4, 5])
    await run.stop()
  })

  test('without it the bytes alone bound what is kept', async () => {
    let stream: DStream<number> | undefined
    const input = [[1], [2], [3], [4], [5]]
    const run = await running(input, 5, (_ssc, queue) => {
      stream = queue.cache()
      stream.foreachBatch(() => undefined)
    })
    expect(await collected(stream as DStream<number>, 0, 9_000)).toEqual([1, 2, 3, 4, 5])
    await run.stop()
  })

  test('holds for states and windows too, which slice gives as they were emitted', async () => {
    let sums: DStream<[string, number]> | undefined
    const run = await running([[1], [2], [3]], 3, (ssc, queue) => {
      ssc.remember('2s')
      sums = queue
        .map((n): [string, number] => ['sum', n])
        .updateStateByKey((values: number[], sum: number | undefined) => {
          return (sum ?? 0) + values.reduce((a, b) => a + b, 0)
        })
        .cache()
      sums.foreachBatch(() => undefined)
    })
    expect(await collected(sums as DStream<unknown>, 0, 9_000)).toEqual([
      ['sum', 3],
      ['sum', 6],
    ])
    await run.stop()
  })

  test('slice of a stream that no output needs is refused', async () => {
    let unused: DStream<number> | undefined
    const run = await running([[1]], 1, (_ssc, queue) => {
      unused = queue.map((n) => n).cache()
      queue.foreachBatch(() => undefined)
    })
    await expect(unused?.slice(0, 1_000)).rejects.toThrow(/no output operation needs it/)
    await run.stop()
  })
})

describe('checkpoint(interval) of a stream', () => {
  test.each([
    ['100 commits, the default', undefined, undefined, []],
    ['the interval of the stream', '3s', undefined, [3, 6, 9]],
    ['snapshotEvery where that is less', '3s', 2, [2, 4, 6, 8, 10]],
  ] as const)('writes state after %s', async (_what, interval, snapshotEvery, expected) => {
    const clock = new ManualClock(0)
    const source = new PushSource()
    const every = snapshotEvery === undefined ? {} : { snapshotEvery }
    const checkpoint = new MemoryStore()
    const described = pipeline('p', { ...options, checkpoint, ...every }, (ssc) => {
      const counts = ssc
        .receive(source)
        .map((n): [number, number] => [n, 1])
        .updateStateByKey((ones: number[], n: number | undefined) => (n ?? 0) + ones.length)
      if (interval !== undefined) counts.checkpoint(interval)
      counts.map((pair) => pair).foreachBatch(() => undefined)
    })
    const run = await start(described, { clock, logger: quietLogger })
    const snapshots: number[] = []
    run.on('snapshot-written', ({ batchId }) => snapshots.push(batchId))
    for (let batch = 0; batch < 10; batch++) {
      source.push(batch)
      await tick(run, clock)
    }
    await run.stop({ graceful: false })
    expect(snapshots).toEqual(expected)
  })
})
