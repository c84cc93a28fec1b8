// What rates do to a run: its cuts, its receivers, its events.

import { type EventOf, type PipelineOptions, pipeline, type Run, start } from 'millrace'
import { ManualClock, MemoryStore, quietLogger } from 'millrace/testing'
import { expect, test } from 'vitest'
import { StreamGraph } from '../../src/dstream/graph.ts'
import { EventBus } from '../../src/events.ts'
import { settingsOf } from '../../src/scheduler/options.ts'
import { Receivers } from '../../src/scheduler/receivers.ts'
import { StreamingContext } from '../../src/streaming-context.ts'
import { PushSource, tick } from './push-source.ts'

interface Running {
  readonly run: Run
  readonly clock: ManualClock
  /** Records of each completed batch. */
  readonly sizes: number[]
}

/** Starts a pipeline whose batches each take `processingMs` of the manual clock. */
async function running(
  source: PushSource,
  options: Partial<PipelineOptions>,
  processingMs = 0,
  clock = new ManualClock(0),
): Promise<Running> {
  const all = { batchInterval: 1_000, checkpoint: false, ...options } as const
  const described = pipeline('rates', all, (ssc) => {
    ssc.receive(source).foreachBatch(() => clock.advance(processingMs))
  })
  const sizes: number[] = []
  const onEvent = (event: { kind: string }): void => {
    if (event.kind !== 'batch-completed') return
    sizes.push((event as EventOf<'batch-completed'>).records)
  }
  const run = await start(described, { clock, logger: quietLogger, onEvent })
  return { run, clock, sizes }
}

const many = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

test('rateMax bounds the records of each batch, and nothing is lost', async () => {
  const source = new PushSource()
  source.push(...many(3_000))
  const { run, clock, sizes } = await running(source, { batchInterval: 100, rateMax: 1_001 })
  for (let batch = 0; batch < 20; batch++) await tick(run, clock, 100)
  expect(sizes).toEqual(Array.from({ length: 20 }, () => 100))
  expect(source.waiting).toBe(1_000)
  await run.stop()
  expect(source.waiting).toBe(0)
  expect(run.metrics()['totalProcessedRecords']).toBe(3_000)
})

test('a graceful stop takes what waits at once, whatever the rate', async () => {
  const source = new PushSource()
  const { run, clock, sizes } = await running(source, { rateMax: 1 })
  source.push(...many(50))
  await tick(run, clock)
  await run.stop()
  expect(sizes).toEqual([1, 49])
})

test('a batch has at least one record, however low the rate', async () => {
  const source = new PushSource()
  source.push(...many(3))
  const { run, clock, sizes } = await running(source, { batchInterval: 10, rateMax: 0.5 })
  for (let batch = 0; batch < 3; batch++) await tick(run, clock, 10)
  expect(sizes).toEqual([1, 1, 1])
  await run.stop()
})

test('backpressure lowers the rate to what batches can do, and tells it', async () => {
  const source = new PushSource({ limitsItself: true })
  source.push(...many(20_000))
  const backpressure = { initialRate: 2_000, rateMin: 10 }
  // 2,000 records in 4 s: 500 a second.
  const { run, clock, sizes } = await running(source, { backpressure }, 4_000)
  const updates: EventOf<'rate-updated'>[] = []
  run.on('rate-updated', (event) => updates.push(event))
  await tick(run, clock)
  await tick(run, clock, 0)
  await tick(run, clock, 0)
  expect(sizes.slice(0, 2)).toEqual([2_000, 2_000])
  // The second batch waited for 3 s: 500 - 0.2 × (3,000 ms × 500 / 1,000 ms).
  expect(updates[0]).toEqual({
    kind: 'rate-updated',
    sourceId: 0,
    name: 'pushed',
    recordsPerSecond: 200,
  })
  expect(sizes[2]).toBe(200)
  expect(source.rates.slice(0, 2)).toEqual([2_000, 200])
  await run.stop({ graceful: false })
})

test('without backpressure and rateMax nothing limits a batch but bytes', async () => {
  const source = new PushSource({ limitsItself: true })
  source.push(...many(20_000))
  const { run, clock, sizes } = await running(source, {}, 4_000)
  await tick(run, clock)
  expect([sizes, source.rates]).toEqual([[20_000], []])
  await run.stop()
})

test('a source without replay that limits itself is not limited a second time', async () => {
  const source = new PushSource({ replayable: false, limitsItself: true })
  source.push(...many(500))
  const { run, clock, sizes } = await running(source, { rateMax: 10 })
  await tick(run, clock)
  expect([sizes, source.rates]).toEqual([[500], [10]])
  await run.stop()
})

test('the receiver of a restarted pipeline is told its rate again', async () => {
  const source = new PushSource({ limitsItself: true })
  source.push(...many(20_000))
  const backpressure = { initialRate: 1_000, rateMin: 200 }
  const options = { checkpoint: new MemoryStore(), backpressure }
  const clock = new ManualClock(0)
  const told: number[][] = []
  for (let life = 0; life < 2; life++) {
    source.rates.length = 0
    const { run } = await running(source, options, 10_000, clock)
    for (let batch = 0; batch < 3; batch++) await tick(run, clock)
    await run.stop({ graceful: false })
    told.push([...source.rates])
  }
  expect(told).toEqual([
    [1_000, 200],
    [1_000, 200],
  ])
})

test('each estimate becomes the limit of its receiver', async () => {
  const sources = [
    new PushSource({ name: 'a', limitsItself: true }),
    new PushSource({ name: 'b', limitsItself: true }),
  ] as const
  const graph = new StreamGraph(1_000)
  const ssc = new StreamingContext(graph)
  ssc.union(...sources.map((source) => ssc.receive(source))).print()
  const estimates = [100, 200, 300]
  const receivers = new Receivers({
    pipeline: 'p',
    graph,
    settings: settingsOf('p', { batchInterval: 1_000, checkpoint: false }),
    clock: new ManualClock(),
    logger: quietLogger,
    events: new EventBus(quietLogger),
    signal: new AbortController().signal,
    fail: () => undefined,
    estimatorOf: (sourceId) => {
      const left = sourceId === 0 ? [...estimates] : []
      return { compute: () => left.shift() }
    },
  })
  await receivers.start(undefined, { redo: [], positions: new Map() })
  receivers.run()
  sources[0].push(...many(1_000))
  const sources0 = { sourceId: 0, name: 'a', records: 1, bytes: 1 }
  const times = { processingEndTime: 1, processingDelayMs: 1, schedulingDelayMs: 0 }
  const sizes: (number | undefined)[] = []
  for (const _ of estimates) {
    receivers.batchCompleted({ sources: [sources0], ...times })
    const cuts = await receivers.cut({ unhurried: false })
    sizes.push(receivers.infoOf(cuts)[0]?.records)
  }
  expect(sources.map(({ rates }) => rates)).toEqual([estimates, []])
  expect(sizes).toEqual(estimates)
})
