// The counters of a run: those of Spark's StreamingJobProgressListener, and its case.

import { ConfigError, type Metrics, pipeline, start } from 'millrace'
import { ManualClock, quietLogger } from 'millrace/testing'
import { describe, expect, test } from 'vitest'
import { EventBus } from '../../src/events.ts'
import { BatchReport } from '../../src/scheduler/batch-report.ts'
import { Progress } from '../../src/scheduler/progress.ts'
import { casesOf } from '../parity/cases.ts'
import { PushSource, tick } from './push-source.ts'

/** What the case calls our figures. */
const NAMES: Readonly<Record<string, string>> = {
  waiting: 'waitingBatches',
  running: 'runningBatches',
  completedRetained: 'retainedCompletedBatches',
  unprocessed: 'unprocessedBatches',
  totalCompleted: 'totalCompletedBatches',
  totalProcessedRecords: 'totalProcessedRecords',
  totalReceivedRecords: 'totalReceivedRecords',
}

interface CaseParams {
  readonly batchTimeMs: number
  readonly recordsByStream: Readonly<Record<string, number>>
  readonly submissionMs: number
  readonly processingStartMs: number
}

function batch(batchId: number, time: number, records: readonly number[], submissionTime = time) {
  const sources = records.map((n, sourceId) => ({ sourceId, name: 's', records: n, bytes: n }))
  const all = records.reduce((a, b) => a + b, 0)
  const figures = { records: all, bytes: all, sources, redo: false, submissionTime }
  return { batchId, time, epoch: 1, ...figures }
}

const outcome = { logged: true, lagMs: undefined, accumulators: {} }

function following() {
  const events = new EventBus(quietLogger)
  const clock = new ManualClock(0)
  const progress = new Progress(events)
  return { progress, clock, parts: { events, now: () => clock.wallMs() } }
}

describe('the counters of a run', () => {
  const [listener] = casesOf('streamingjobprogresslistenersuite')

  test('count as in Spark', () => {
    const params = listener?.params as unknown as CaseParams
    const { progress, clock, parts } = following()
    const records = Object.values(params.recordsByStream)
    let report: BatchReport | undefined
    for (const step of listener?.steps ?? []) {
      if (step['event'] === 'batchSubmitted') {
        const info = batch(1, params.batchTimeMs, records, params.submissionMs)
        report = new BatchReport(parts, info)
      } else if (step['event'] === 'batchStarted') {
        clock.advance(params.processingStartMs)
        report?.started()
      } else report?.completed(outcome)
      const metrics: Metrics = progress.metrics(0)
      const expected = step['expect'] as Record<string, number>
      const got = Object.keys(expected).map((key) => [key, metrics[NAMES[key] ?? '']])
      expect(Object.fromEntries(got)).toEqual(expected)
    }
    expect(progress.completedBatches).toMatchObject([{ batchId: 1, records: 600 }])
  })

  test('keep the newest 1,000 batches and count all', () => {
    const { progress, parts } = following()
    for (let batchId = 1; batchId <= 1_200; batchId++) {
      const report = new BatchReport(parts, batch(batchId, batchId * 1_000, [1]))
      report.started()
      report.completed(outcome)
    }
    expect(progress.completedBatches).toHaveLength(1_000)
    expect(progress.completedBatches[0]).toMatchObject({ batchId: 201 })
    expect(progress.metrics(0)).toMatchObject({
      retainedCompletedBatches: 1_000,
      totalCompletedBatches: 1_200,
    })
  })

  test('count a failed batch as received and not as processed', () => {
    const { progress, parts } = following()
    const report = new BatchReport(parts, batch(1, 1_000, [3]))
    report.started()
    report.failed(new Error('no'))
    expect(progress.metrics(0)).toMatchObject({
      unprocessedBatches: 0,
      totalFailedBatches: 1,
      totalReceivedRecords: 3,
      totalProcessedRecords: 0,
    })
  })
})

describe('run.metrics()', () => {
  const options = { batchInterval: 1_000, checkpoint: false } as const

  test('has the figures of the last batch, and -1 where there is none', async () => {
    const clock = new ManualClock(0)
    const described = pipeline('p', options, (ssc) => {
      ssc.queue([[1, 2]]).foreachBatch(() => clock.advance(40))
    })
    const run = await start(described, { clock, logger: quietLogger })
    expect(run.metrics()).toMatchObject({
      lastCompletedBatchProcessingDelayMs: -1,
      lastCompletedBatchSubmissionTime: -1,
      lastReceivedBatchRecords: 0,
      lagMs: -1,
    })
    await tick(run, clock)
    expect(run.metrics()).toMatchObject({
      lastReceivedBatchRecords: 2,
      lastReceivedBatchSubmissionTime: 1_000,
      lastCompletedBatchSubmissionTime: 1_000,
      lastCompletedBatchProcessingStartTime: 1_000,
      lastCompletedBatchProcessingEndTime: 1_040,
      lastCompletedBatchSchedulingDelayMs: 0,
      lastCompletedBatchProcessingDelayMs: 40,
      lastCompletedBatchTotalDelayMs: 40,
      lastBatchId: 1,
    })
    expect(run.completedBatches()).toMatchObject([{ batchId: 1 }])
    await run.stop()
  })

  test('counts the batches that are due while one runs as waiting', async () => {
    const clock = new ManualClock(0)
    const gate = Promise.withResolvers<void>()
    const entered = Promise.withResolvers<void>()
    const described = pipeline('p', options, (ssc) => {
      ssc.queue([[1]]).foreachBatch(() => {
        entered.resolve()
        return gate.promise
      })
    })
    const run = await start(described, { clock, logger: quietLogger })
    clock.advance(1_000)
    await entered.promise
    expect(run.metrics()).toMatchObject({ runningBatches: 1, waitingBatches: 0 })
    clock.advance(3_500)
    expect(run.metrics()).toMatchObject({
      runningBatches: 1,
      waitingBatches: 3,
      unprocessedBatches: 4,
    })
    gate.resolve()
    await run.stop()
    expect(run.metrics()).toMatchObject({ runningBatches: 0, totalCompletedBatches: 2 })
  })

  test('counts the retries of tasks', async () => {
    const clock = new ManualClock(0)
    let left = 2
    const described = pipeline('p', options, (ssc) => {
      const flaky = (n: number): number => {
        left -= 1
        if (left >= 0) throw new Error('again')
        return n
      }
      ssc
        .queue([[1]])
        .map(flaky)
        .foreachBatch(() => undefined)
    })
    const run = await start(described, { clock, logger: quietLogger })
    await tick(run, clock)
    expect(run.metrics()).toMatchObject({ totalTaskRetries: 2, totalCompletedBatches: 1 })
    await run.stop()
  })

  test('has figures whose names no accumulator may take', async () => {
    const source = new PushSource()
    const names = pipeline('p', options, (ssc) => {
      ssc.receive(source).foreachBatch(() => undefined)
    })
    const run = await start(names, { clock: new ManualClock(0), logger: quietLogger })
    const figures = Object.keys(run.metrics())
    expect(figures).toContain('totalCompletedBatches')
    await run.stop()
    for (const name of figures) {
      const taken = pipeline('p', options, (ssc) => void ssc.accumulator(name))
      await expect(start(taken)).rejects.toThrow(ConfigError)
    }
  })
})
