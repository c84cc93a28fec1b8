// What listeners see of a run: batches, output operations, receivers, the run itself.

import { type EventOf, pipeline, type Run, type StreamEvent, start } from 'millrace'
import { ManualClock, MemoryStore, quietLogger } from 'millrace/testing'
import { describe, expect, test } from 'vitest'
import { PushSource, tick } from './push-source.ts'

const options = { batchInterval: 1_000, checkpoint: false } as const

interface Observed {
  readonly run: Run
  readonly clock: ManualClock
  readonly events: StreamEvent[]
}

async function observed(build: Parameters<typeof pipeline>[2], more = {}): Promise<Observed> {
  const clock = new ManualClock(0)
  const events: StreamEvent[] = []
  const described = pipeline('observed', { ...options, ...more }, build)
  const onEvent = (event: StreamEvent): void => void events.push(event)
  const run = await start(described, { clock, logger: quietLogger, onEvent })
  return { run, clock, events }
}

function only<K extends StreamEvent['kind']>(events: readonly StreamEvent[], kind: K) {
  return events.filter((event): event is EventOf<K> => event.kind === kind)
}

describe('events of batches', () => {
  test('tell of each batch in order, with its records and its times', async () => {
    let clock: ManualClock | undefined
    const { events, ...running } = await observed((ssc) => {
      const stream = ssc.queue([[1], [2], [3], [4]])
      stream.foreachBatch(() => clock?.advance(30))
    })
    clock = running.clock
    for (const ms of [1_000, 970, 970, 970]) await tick(running.run, clock, ms)
    await running.run.stop({ graceful: false })

    const kinds = events.map(({ kind }) => kind)
    const life = ['batch-submitted', 'batch-started', 'batch-completed']
    expect(kinds.filter((kind) => life.includes(kind))).toEqual([1, 2, 3, 4].flatMap(() => life))
    for (const kind of ['batch-submitted', 'batch-started', 'batch-completed'] as const) {
      for (const event of only(events, kind)) {
        expect(event.records).toBe(1)
        expect(event.sources).toMatchObject([{ sourceId: 0, name: 'queue', records: 1 }])
      }
    }
    expect(only(events, 'batch-submitted')[0]).not.toHaveProperty('schedulingDelayMs')
    expect(only(events, 'batch-started')[0]).not.toHaveProperty('processingDelayMs')
    expect(only(events, 'batch-started')[0]?.schedulingDelayMs).toBe(0)
    const completed = only(events, 'batch-completed')
    const times = completed.map((batch) => [
      batch.submissionTime,
      batch.processingStartTime,
      batch.processingEndTime,
    ])
    expect(times).toEqual([1_000, 2_000, 3_000, 4_000].map((time) => [time, time, time + 30]))
    const delays = { schedulingDelayMs: 0, processingDelayMs: 30, totalDelayMs: 30 }
    for (const event of completed) expect(event).toMatchObject(delays)
  })

  test('count the time that a batch waits for the one before as its scheduling delay', async () => {
    let clock: ManualClock | undefined
    const { events, ...running } = await observed((ssc) => {
      ssc.queue([[1], [2]]).foreachBatch(() => clock?.advance(1_500))
    })
    clock = running.clock
    await tick(running.run, clock)
    await tick(running.run, clock, 0)
    await running.run.stop({ graceful: false })
    expect(only(events, 'batch-completed').slice(0, 2)).toMatchObject([
      {
        submissionTime: 1_000,
        schedulingDelayMs: 0,
        processingDelayMs: 1_500,
        totalDelayMs: 1_500,
      },
      { submissionTime: 2_000, schedulingDelayMs: 500, totalDelayMs: 2_000 },
    ])
  })

  test('do not count the time before the start of the run as a delay', async () => {
    const store = new MemoryStore()
    const clock = new ManualClock(0)
    const source = new PushSource()
    const described = pipeline('late', { ...options, checkpoint: store }, (ssc) => {
      ssc.receive(source).foreachBatch(() => undefined)
    })
    source.push(1)
    const first = await start(described, { clock, logger: quietLogger })
    await tick(first, clock)
    await first.stop({ graceful: false })
    clock.advance(60_000)
    const starts: EventOf<'batch-started'>[] = []
    const onEvent = (event: StreamEvent): void => {
      if (event.kind === 'batch-started') starts.push(event)
    }
    const second = await start(described, { clock, logger: quietLogger, onEvent })
    await tick(second, clock, 0)
    await second.stop({ graceful: false })
    expect(starts[0]).toMatchObject({ batchId: 2, submissionTime: 61_000, schedulingDelayMs: 0 })
  })

  test('tell of a batch that is redone at the start, from its submission to its end', async () => {
    const store = new MemoryStore()
    const source = new PushSource()
    let broken = true
    const described = pipeline('redone', { ...options, checkpoint: store }, (ssc) => {
      ssc.receive(source).foreachBatch(() => {
        if (broken) throw new Error('not yet')
      })
    })
    source.push(7)
    const clock = new ManualClock(0)
    const first = await start(described, { clock, logger: quietLogger })
    clock.advance(1_000)
    await expect(first.done).rejects.toMatchObject({ code: 'SINK_FAILED' })
    broken = false
    const events: StreamEvent[] = []
    const onEvent = (event: StreamEvent): void => void events.push(event)
    const second = await start(described, { clock, logger: quietLogger, onEvent })
    expect(only(events, 'pipeline-started')).toHaveLength(1)
    expect(only(events, 'checkpoint-recovered')).toMatchObject([{ redoBatchIds: [1] }])
    expect(only(events, 'batch-completed')).toMatchObject([{ batchId: 1, redo: true, records: 1 }])
    expect(second.metrics()).toMatchObject({ totalCompletedBatches: 1, totalProcessedRecords: 1 })
    await second.stop()
  })
})

describe('events of output operations', () => {
  test('come in order of declaration, for each batch', async () => {
    const { run, clock, events } = await observed((ssc) => {
      const stream = ssc.queue([[1, 2], [3]])
      for (let i = 0; i < 3; i++) stream.foreachBatch(() => undefined)
      stream.window('2s', '2s').foreachBatch(() => undefined)
    })
    await tick(run, clock)
    await tick(run, clock)
    await run.stop({ graceful: false })
    const started = only(events, 'output-operation-started')
    expect(started.map(({ batchId, outputId }) => [batchId, outputId])).toEqual([
      [1, 0],
      [1, 1],
      [1, 2],
      [2, 0],
      [2, 1],
      [2, 2],
      [2, 3],
    ])
    const completed = only(events, 'output-operation-completed')
    expect(completed[0]).toEqual({
      kind: 'output-operation-completed',
      outputId: 0,
      name: 'foreachBatch',
      batchId: 1,
      time: 1_000,
      startTime: 1_000,
      endTime: 1_000,
      records: 2,
    })
    expect(completed).toHaveLength(7)
    expect(only(events, 'output-operation-failed')).toEqual([])
  })

  test('tell of each that failed, with its own reason, and the others have the batch', async () => {
    const written: string[] = []
    const { run, clock, events } = await observed((ssc) => {
      const stream = ssc.queue([[1]])
      stream.foreachBatch(() => {
        throw new Error('first is full')
      })
      stream.foreachBatch(() => void written.push('second'))
      stream.foreachBatch(() => Promise.reject(new TypeError('third is gone')))
    })
    clock.advance(1_000)
    const error = await run.done.catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'SINK_FAILED', cause: new Error('first is full') })
    expect((error as Error).message).toMatch(/first is full.*third is gone/)
    expect(written).toEqual(['second'])
    const failed = only(events, 'output-operation-failed')
    expect(failed.map(({ outputId, failureReason }) => [outputId, failureReason])).toEqual([
      [0, 'first is full'],
      [2, 'third is gone'],
    ])
    expect(only(events, 'output-operation-completed')).toMatchObject([{ outputId: 1 }])
    expect(only(events, 'batch-failed')).toMatchObject([{ batchId: 1, records: 1 }])
    expect(only(events, 'batch-completed')).toEqual([])
  })

  test('tell whose records could not be computed', async () => {
    const { run, clock, events } = await observed((ssc) => {
      const stream = ssc.queue([[1]])
      stream.foreachBatch(() => undefined)
      const failing = stream.map((): number => {
        throw new Error('no such word')
      })
      failing.foreachBatch(() => undefined)
    })
    clock.advance(1_000)
    await expect(run.done).rejects.toMatchObject({ code: 'TASK_FAILED' })
    expect(only(events, 'output-operation-started')).toMatchObject([{ outputId: 1 }])
    const [failed] = only(events, 'output-operation-failed')
    expect(failed?.outputId).toBe(1)
    expect(failed?.failureReason).toContain('no such word')
  })
})

describe('events of receivers', () => {
  test('tell of start, errors and stop', async () => {
    const source = new PushSource()
    const { run, events } = await observed((ssc) =>
      ssc.receive(source).foreachBatch(() => undefined),
    )
    source.context.reportError('report error', new Error('this is the text'))
    await run.stop()
    expect(only(events, 'receiver-started')).toMatchObject([{ sourceId: 0, name: 'pushed' }])
    const [reported] = only(events, 'receiver-error')
    expect(reported).toMatchObject({ message: 'report error', sourceId: 0 })
    expect(reported?.error).toEqual(new Error('this is the text'))
    expect(only(events, 'receiver-stopped')).toMatchObject([{ sourceId: 0, name: 'pushed' }])
  })

  test('tell of the error of a receiver that cannot go on, which ends the run', async () => {
    const source = new PushSource()
    const { run, events } = await observed((ssc) =>
      ssc.receive(source).foreachBatch(() => undefined),
    )
    const error = new Error('the stream is gone')
    source.context.fail(error)
    await expect(run.done).rejects.toBe(error)
    expect(only(events, 'receiver-error')).toMatchObject([{ error }])
    expect(only(events, 'receiver-stopped')).toHaveLength(1)
  })
})

describe('listeners', () => {
  test('that throw or reject are logged, and stop nothing', async () => {
    const logged: unknown[] = []
    const logger = { ...quietLogger, error: (fields: object) => void logged.push(fields) }
    const clock = new ManualClock(0)
    const described = pipeline('p', options, (ssc) =>
      ssc.queue([[1]]).foreachBatch(() => undefined),
    )
    const run = await start(described, { clock, logger })
    run.on('batch-started', () => {
      throw new Error('thrown')
    })
    const rejecting: () => unknown = () => Promise.reject(new Error('rejected'))
    run.on('batch-started', rejecting)
    await tick(run, clock)
    await run.stop()
    expect(logged).toContainEqual({ err: new Error('thrown'), event: 'batch-started' })
    expect(logged).toContainEqual({ err: new Error('rejected'), event: 'batch-started' })
  })

  test('hear nothing once the run has ended, and the stop is told once', async () => {
    const { run, clock, events } = await observed((ssc) =>
      ssc.queue([[1]]).foreachBatch(() => undefined),
    )
    await run.stop()
    const heard = events.length
    expect(events.at(-1)).toEqual({ kind: 'pipeline-stopped', error: undefined })
    expect(only(events, 'pipeline-stopped')).toHaveLength(1)
    clock.advance(10_000)
    let late = 0
    run.on('batch-completed', () => {
      late += 1
    })
    await run.stop()
    expect([events.length, late]).toEqual([heard, 0])
    const reader = run.events[Symbol.asyncIterator]()
    expect(await reader.next()).toEqual({ done: true, value: undefined })
  })

  test('that were taken off hear nothing more', async () => {
    const { run, clock } = await observed((ssc) => ssc.queue([[1]]).foreachBatch(() => undefined))
    let heard = 0
    const off = run.on('batch-completed', () => {
      heard += 1
    })
    await tick(run, clock)
    off()
    await tick(run, clock)
    expect(heard).toBe(1)
    await run.stop()
  })

  test('that read slowly lose the oldest events, which are counted', async () => {
    const { run, clock } = await observed((ssc) => ssc.queue([[1]]).foreachBatch(() => undefined))
    const reader = run.events[Symbol.asyncIterator]()
    while (run.metrics()['droppedEvents'] === 0) await tick(run, clock)
    const { value } = await reader.next()
    expect(value).not.toMatchObject({ kind: 'batch-submitted', batchId: 1 })
    await run.stop()
  })
})
