// How a run ends: gracefully, with all that was received; at once; by mistake from within.

import { type PipelineOptions, pipeline, type Run, StreamingError, start } from 'millrace'
import { CollectingSink, ManualClock, MemoryStore, quietLogger } from 'millrace/testing'
import { describe, expect, test } from 'vitest'
import { PushSource, tick } from './push-source.ts'

const options = { batchInterval: 1_000, checkpoint: false } as const

async function collecting(source: PushSource, more: Partial<PipelineOptions> = {}) {
  const clock = new ManualClock(0)
  const sink = new CollectingSink<number>()
  const described = pipeline('collecting', { ...options, ...more }, (ssc) => {
    ssc.receive(source).writeTo(sink)
  })
  const run = await start(described, { clock, logger: quietLogger })
  return { run, clock, sink }
}

const count = (n: number, from = 0): number[] => Array.from({ length: n }, (_, i) => from + i)

describe('a graceful stop', () => {
  test('processes exactly what was stored, round after round', async () => {
    for (let round = 0; round < 4; round++) {
      let stored = 0
      let storing = true
      const source: PushSource = new PushSource({
        onRun: () => {
          const store = (): void => {
            if (!storing) return
            source.push(stored++)
            setImmediate(store)
          }
          store()
        },
        onStop: async () => {
          storing = false
        },
      })
      const { run, clock, sink } = await collecting(source)
      for (let batch = 0; batch <= round; batch++) {
        while (source.waiting < 5) await new Promise(setImmediate)
        await tick(run, clock)
      }
      await run.stop()
      expect(stored).toBeGreaterThanOrEqual(5)
      expect(sink.records()).toEqual(count(stored))
    }
  })

  test('right after the start ends', async () => {
    const source = new PushSource({ onRun: () => undefined })
    source.push(1, 2)
    const { run, sink } = await collecting(source)
    await run.stop()
    expect(sink.records()).toEqual([1, 2])
    expect(source.stopped).toBeGreaterThan(0)
  })

  test('waits for a receiver that still takes records in while it stops', async () => {
    const source: PushSource = new PushSource({
      onStop: async () => {
        for (const n of count(15)) {
          await new Promise(setImmediate)
          if (source.stopped === 0) source.push(n)
        }
      },
    })
    const { run, sink } = await collecting(source)
    await run.stop()
    expect(sink.records()).toEqual(count(15))
  })

  test('takes what waits in as many batches as the bound of bytes asks for', async () => {
    const source = new PushSource()
    source.push(...count(1_000))
    const { run, sink } = await collecting(source, { rateMax: 1 })
    await run.stop()
    expect(sink.records()).toEqual(count(1_000))
  })

  test('while missed batches are caught up ends early, with all records', async () => {
    const store = new MemoryStore()
    const source = new PushSource()
    source.push(1)
    const first = await collecting(source, { checkpoint: store })
    await tick(first.run, first.clock)
    await first.run.stop({ graceful: false })

    const clock = new ManualClock(100_000)
    const sink = new CollectingSink<number>()
    const stopping = new AbortController()
    const described = pipeline('collecting', { ...options, checkpoint: store }, (ssc) => {
      const stream = ssc.receive(source)
      stream.foreachBatch((_batch, { batchId }) => {
        if (batchId === 5) {
          source.push(3, 4)
          stopping.abort()
        }
      })
      stream.writeTo(sink)
    })
    source.push(2)
    const run = await start(described, { clock, logger: quietLogger, signal: stopping.signal })
    await run.done
    expect(sink.records()).toEqual([2, 3, 4])
    expect(run.metrics()).toMatchObject({ lastBatchId: 6 })
  })

  test('fails if a receiver fails meanwhile: what it had is not complete', async () => {
    const lost = new Error('the last records are lost')
    const source: PushSource = new PushSource({
      onStop: async () => source.context.fail(lost),
    })
    const { run } = await collecting(source)
    await expect(run.stop()).rejects.toBe(lost)
    await expect(run.done).rejects.toBe(lost)
  })

  test('gives way to a stop at once', async () => {
    const gate = Promise.withResolvers<void>()
    const source = new PushSource({ onStop: () => gate.promise })
    source.push(1)
    const { run, sink } = await collecting(source)
    const graceful = run.stop()
    const atOnce = run.stop({ graceful: false })
    gate.resolve()
    await Promise.all([graceful, atOnce])
    expect(sink.records()).toEqual([])
  })
})

describe('a stop', () => {
  test('may be asked for twice, and after the end', async () => {
    const { run } = await collecting(new PushSource())
    await Promise.all([run.stop(), run.stop()])
    await run.stop()
    await run.stop({ graceful: false })
    await run.done
  })

  test('after a failure rejects with it', async () => {
    const clock = new ManualClock(0)
    const failure = new Error('gone')
    const source = new PushSource()
    source.push(1)
    const failing = pipeline('f', options, (ssc) => {
      ssc.receive(source).foreachBatch(() => Promise.reject(failure))
    })
    const run = await start(failing, { clock, logger: quietLogger })
    clock.advance(1_000)
    await expect(run.done).rejects.toMatchObject({ cause: failure })
    await expect(run.stop()).rejects.toMatchObject({ cause: failure })
  })

  test('after a failure that nobody awaits is told in the log, once', async () => {
    const logged: [unknown, string][] = []
    const error = ({ err }: { err?: unknown }, text: string) => void logged.push([err, text])
    const clock = new ManualClock(0)
    const failing = pipeline('f', options, (ssc) => {
      ssc.queue([[1]]).foreachBatch(() => Promise.reject(new Error('gone')))
    })
    const run = await start(failing, { clock, logger: { ...quietLogger, error } })
    await tick(run, clock)
    const failure = await run.done.catch((thrown: unknown) => thrown)
    expect(logged).toEqual([[failure, 'The pipeline has ended with an error']])
  })

  test('at once leaves what no batch has taken, and the next start takes it', async () => {
    const store = new MemoryStore()
    const source = new PushSource()
    const first = await collecting(source, { checkpoint: store })
    source.push(1, 2)
    await first.run.stop({ graceful: false })
    expect(first.sink.records()).toEqual([])
    const second = await collecting(source, { checkpoint: store })
    await tick(second.run, second.clock)
    expect(second.sink.records()).toEqual([1, 2])
    await second.run.stop()
  })

  test('in a listener is refused and stops nothing', async () => {
    const { run, clock } = await collecting(new PushSource())
    const stops: Promise<void>[] = []
    const off = run.on('batch-completed', () => void stops.push(run.stop()))
    await tick(run, clock)
    off()
    const refused = await stops[0]?.catch((thrown: unknown) => thrown)
    expect(refused).toBeInstanceOf(StreamingError)
    expect(refused).toMatchObject({ code: 'STOP_NOT_ALLOWED' })
    expect((refused as Error).message).toMatch(/within an event listener.*abort the signal/)
    await tick(run, clock)
    expect(run.metrics()).toMatchObject({ totalCompletedBatches: 2 })
    await run.stop()
  })

  test('in a listener that nobody waits for is logged', async () => {
    const logged: string[] = []
    const logger = { ...quietLogger, error: (_: object, text: string) => void logged.push(text) }
    const clock = new ManualClock(0)
    const described = pipeline('p', options, (ssc) => {
      ssc.queue([[1]]).foreachBatch(() => undefined)
    })
    const run = await start(described, { clock, logger })
    const off = run.on('batch-completed', () => void run.stop())
    await tick(run, clock)
    off()
    expect(logged).toEqual([expect.stringContaining('Cannot stop a run within an event listener')])
    await run.stop()
  })

  test('in an output operation is refused instead of waiting for itself', async () => {
    const clock = new ManualClock(0)
    let run: Run | undefined
    const described = pipeline('p', options, (ssc) => {
      ssc.queue([[1]]).foreachBatch(async () => {
        await run?.stop()
      })
    })
    run = await start(described, { clock, logger: quietLogger })
    clock.advance(1_000)
    const error = await run.done.catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'SINK_FAILED', cause: { code: 'STOP_NOT_ALLOWED' } })
  })

  test('by the signal works in a listener and in an output operation', async () => {
    for (const where of ['listener', 'output']) {
      const stopping = new AbortController()
      const clock = new ManualClock(0)
      const described = pipeline('p', options, (ssc) => {
        ssc.queue([[1]]).foreachBatch(() => {
          if (where === 'output') stopping.abort()
        })
      })
      const run = await start(described, { clock, logger: quietLogger, signal: stopping.signal })
      if (where === 'listener') run.on('batch-started', () => stopping.abort())
      clock.advance(1_000)
      await run.done
      expect(run.metrics()).toMatchObject({ totalCompletedBatches: 2 })
    }
  })

  test('of another run is allowed in an output operation', async () => {
    const { run: other } = await collecting(new PushSource())
    const clock = new ManualClock(0)
    const described = pipeline('p', options, (ssc) => {
      ssc.queue([[1]]).foreachBatch(() => other.stop())
    })
    const run = await start(described, { clock, logger: quietLogger })
    await tick(run, clock)
    await other.done
    await run.stop()
  })

  test('soon after an output operation has returned is allowed', async () => {
    const clock = new ManualClock(0)
    let run: Run | undefined
    const stopped = Promise.withResolvers<void>()
    const described = pipeline('p', options, (ssc) => {
      ssc.queue([[1]]).foreachBatch(() => {
        setImmediate(() => {
          run?.stop().then(stopped.resolve, stopped.reject)
        })
      })
    })
    run = await start(described, { clock, logger: quietLogger })
    clock.advance(1_000)
    await stopped.promise
    await run.done
  })

  test('by a signal that has aborted before the start lets no run begin', async () => {
    const source = new PushSource()
    source.push(1)
    const sink = new CollectingSink<number>()
    const described = pipeline('p', options, (ssc) => ssc.receive(source).writeTo(sink))
    const clock = new ManualClock(0)
    const starting = start(described, { clock, logger: quietLogger, signal: AbortSignal.abort() })
    await expect(starting).rejects.toMatchObject({ code: 'START_STOPPED', retryable: true })
    expect(sink.records()).toEqual([])
  })
})

describe("until 'caught-up'", () => {
  test('ends where more comes with every batch', async () => {
    const clock = new ManualClock(0)
    const source = new PushSource({ onStop: async () => void source.push(4) })
    const seen: number[] = []
    const described = pipeline('p', options, (ssc) => {
      ssc.receive(source).foreachBatch(async (batch) => {
        seen.push(...(await batch.collect()))
        if (source.stopped === 0) source.push(seen.length + 1)
      })
    })
    source.push(1)
    const run = await start(described, { clock, logger: quietLogger, until: 'caught-up' })
    clock.advance(1_000)
    await run.done
    expect(seen).toEqual([1, 2, 4])
  })
})

describe('a run that falls behind', () => {
  test('skips none of its batch times, however many it misses', async () => {
    const clock = new ManualClock(0)
    let skipped = 0
    const described = pipeline('p', { ...options, catchUpBatchesMax: 2 }, (ssc) => {
      ssc.queue([[1]]).foreachBatch((_batch, { batchId }) => {
        if (batchId === 1) clock.advance(10_000)
      })
    })
    const run = await start(described, { clock, logger: quietLogger })
    run.on('batches-skipped', () => {
      skipped += 1
    })
    clock.advance(1_000)
    while (run.metrics()['lastBatchId'] !== 11) await new Promise(setImmediate)
    await run.stop({ graceful: false })
    expect(skipped).toBe(0)
    expect(run.completedBatches().map(({ batchId }) => batchId)).toEqual(count(11, 1))
  })
})
