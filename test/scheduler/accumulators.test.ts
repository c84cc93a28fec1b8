// Accumulators count each committed batch once, whatever was tried again, redone or died.

import fc from 'fast-check'
import {
  type Accumulator,
  type DStream,
  type EventOf,
  pipeline,
  type StreamingContext,
  start,
} from 'millrace'
import {
  CollectingSink,
  ManualClock,
  MemoryStore,
  quietLogger,
  scriptedSource,
} from 'millrace/testing'
import { describe, expect, test } from 'vitest'
import { StreamGraph } from '../../src/dstream/graph.ts'
import { EventBus } from '../../src/events.ts'
import type { LifePoint } from '../../src/scheduler/batch-runner.ts'
import { Engine } from '../../src/scheduler/engine.ts'
import { settingsOf } from '../../src/scheduler/options.ts'
import { StreamingContext as Context } from '../../src/streaming-context.ts'
import { PushSource, tick } from './push-source.ts'

const options = { batchInterval: 1_000, checkpoint: false } as const
const quiet = () => ({ logger: quietLogger, clock: new ManualClock(0) })

interface Death {
  readonly batch: number
  readonly at: LifePoint
}

class DeathOfProcess extends Error {}

/** Runs `script` batch by batch through a checkpoint, dying where it is told to, and gives the
 * accumulators of the last life. */
async function totals(
  script: readonly (readonly number[])[],
  deaths: readonly Death[],
  build: (ssc: StreamingContext, stream: DStream<number>) => void,
): Promise<Readonly<Record<string, number>>> {
  const store = new MemoryStore()
  const position = { batchId: 1 }
  const left = [...deaths]
  const probe = async (at: LifePoint, batch: number): Promise<void> => {
    const index = left.findIndex((death) => death.at === at && death.batch === batch)
    if (index < 0) return
    left.splice(index, 1)
    throw new DeathOfProcess()
  }
  const clock = new ManualClock(0)
  for (;;) {
    const graph = new StreamGraph(1_000)
    const ssc = new Context(graph)
    build(ssc, ssc.receive(scriptedSource('script', script, 2, position)) as DStream<number>)
    graph.start()
    try {
      const engine = await Engine.open({
        pipeline: 'totals',
        graph,
        settings: settingsOf('totals', { ...options, checkpoint: store, snapshotEvery: 2 }),
        store,
        clock,
        logger: quietLogger,
        events: new EventBus(quietLogger),
        sinks: { print: () => new CollectingSink(), save: () => new CollectingSink() },
        takeover: 'force',
        signal: new AbortController().signal,
        fail: () => undefined,
        zeroTime: () => 0,
        probe,
      })
      while (engine.lastBatchId < script.length) {
        position.batchId = engine.lastBatchId + 1
        await engine.runNext()
      }
      const { accumulators } = engine
      await engine.close()
      return accumulators
    } catch (error) {
      if (!(error instanceof DeathOfProcess)) throw error
      store.crash()
    }
  }
}

const POINTS: readonly LifePoint[] = ['planned', 'ran', 'sinks', 'committed']

/** Counts records in a closure, in state, and in an output operation. */
function counting(ssc: StreamingContext, stream: DStream<number>): void {
  const inMap = ssc.accumulator('in map')
  const inState = ssc.accumulator('in state')
  const inOutput = ssc.accumulator('in output')
  const batches = ssc.accumulator('batches')
  const mapped = stream.map((n): [string, number] => {
    inMap.add(n)
    return ['k', n]
  })
  mapped
    .updateStateByKey((values: number[], sum: number | undefined) => {
      inState.add(values.length)
      return (sum ?? 0) + values.reduce((a, b) => a + b, 0)
    })
    .foreachBatch(() => undefined)
  mapped.foreachBatch(async (batch) => {
    batches.add(1)
    inOutput.add((await batch.collect()).length)
  })
}

const script = [[1, 2, 3], [], [4], [5, 6]]
const expected = { 'in map': 21, 'in state': 6, 'in output': 6, batches: 4 }

describe('accumulators across deaths', () => {
  test('without one', async () => {
    expect(await totals(script, [], counting)).toEqual(expected)
  })

  test.each(POINTS)('of the process after each batch, once it is "%s"', async (at) => {
    const deaths = script.map((_, i) => ({ batch: i + 1, at }))
    expect(await totals(script, deaths, counting)).toEqual(expected)
  })

  test('wherever they strike', async () => {
    const death = fc.record({
      batch: fc.integer({ min: 1, max: script.length }),
      at: fc.constantFrom(...POINTS),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(death, { maxLength: 6 }), async (deaths) => {
        expect(await totals(script, deaths, counting)).toEqual(expected)
      }),
      { numRuns: 60 },
    )
  })

  test('keep float sums to the bit', async () => {
    const floats = [[0.1], [0.2], [0.3], [1e16], [1]]
    const sum = (ssc: StreamingContext, stream: DStream<number>): void => {
      const total = ssc.accumulator('total')
      stream.foreachBatch(async (batch) => {
        for (const n of await batch.collect()) total.add(n)
      })
    }
    const deaths = floats.flatMap((_, i) => POINTS.map((at) => ({ batch: i + 1, at })))
    const plain = await totals(floats, [], sum)
    expect(await totals(floats, deaths, sum)).toEqual(plain)
  })
})

describe('an accumulator', () => {
  test('counts one attempt of a batch that is tried again', async () => {
    let failures = 2
    const described = pipeline('p', options, (ssc) => {
      const seen = ssc.accumulator('seen')
      ssc
        .queue([[1, 2, 3], [4]])
        .map((n) => {
          seen.add(1)
          if (n === 3 && failures > 0) {
            failures -= 1
            throw new Error('again')
          }
          return n
        })
        .foreachBatch(() => undefined)
    })
    const settings = quiet()
    const run = await start(described, settings)
    const completed: EventOf<'batch-completed'>[] = []
    run.on('batch-completed', (event) => completed.push(event))
    await tick(run, settings.clock)
    await tick(run, settings.clock)
    await tick(run, settings.clock)
    expect(completed.map(({ accumulators }) => accumulators)).toEqual([
      { seen: 3 },
      { seen: 1 },
      {},
    ])
    expect(run.metrics()).toMatchObject({ seen: 4, totalTaskRetries: 2 })
    await run.stop()
  })

  test('counts the call of mapAsync that succeeded, not those before it', async () => {
    const tried = new Map<number, number>()
    const described = pipeline('p', options, (ssc) => {
      const calls = ssc.accumulator('calls')
      ssc
        .queue([[1, 2, 3]])
        .mapAsync(
          async (n) => {
            calls.add(1)
            await Promise.resolve()
            calls.add(10)
            const times = (tried.get(n) ?? 0) + 1
            tried.set(n, times)
            if (times < n) throw new Error('again')
            return n
          },
          { concurrency: 2, retries: 2 },
        )
        .foreachBatch(() => undefined)
    })
    const settings = quiet()
    const run = await start(described, settings)
    await tick(run, settings.clock)
    expect([...tried.values()]).toEqual([1, 2, 3])
    expect(run.metrics()).toMatchObject({ calls: 33 })
    await run.stop()
  })

  test('does not count a batch that was dropped', async () => {
    const described = pipeline('p', { ...options, onBatchError: 'continue' }, (ssc) => {
      const written = ssc.accumulator('written')
      ssc.queue([[1], [2], [3]]).foreachBatch(async (batch) => {
        const n = await batch.first()
        written.add(n)
        if (n === 2) throw new Error('dropped')
      })
    })
    const settings = quiet()
    const run = await start(described, settings)
    for (let batch = 0; batch < 3; batch++) await tick(run, settings.clock)
    expect(run.metrics()).toMatchObject({ written: 4, totalFailedBatches: 1 })
    await run.stop()
  })

  test('begins at what the checkpoint has, and at 0 without one', async () => {
    const store = new MemoryStore()
    const source = new PushSource()
    const counted = (checkpoint: MemoryStore | false) =>
      pipeline('counted', { ...options, checkpoint }, (ssc) => {
        const records = ssc.accumulator('records')
        ssc.receive(source).foreachBatch(async (batch) => records.add(await batch.count()))
      })
    const settings = quiet()
    for (const total of [2, 4]) {
      source.push(1, 2)
      const run = await start(counted(store), settings)
      await tick(run, settings.clock)
      expect(run.metrics()).toMatchObject({ records: total })
      await run.stop({ graceful: false })
    }
    const fresh = await start(counted(false), settings)
    expect(fresh.metrics()).toMatchObject({ records: 0 })
    await fresh.stop({ graceful: false })
  })

  test('refuses to be added to outside of a batch', async () => {
    let kept: Accumulator | undefined
    const late = Promise.withResolvers<unknown>()
    const described = pipeline('p', options, (ssc) => {
      kept = ssc.accumulator('n')
      expect(() => kept?.add(1)).toThrow(/outside of a batch/)
      ssc.queue([[1]]).foreachBatch(() => {
        setImmediate(() => {
          try {
            kept?.add(1)
          } catch (error) {
            late.resolve(error)
          }
        })
      })
    })
    const settings = quiet()
    const run = await start(described, settings)
    const outside = expect.objectContaining({ code: 'ACCUMULATOR_OUTSIDE_TASK' })
    expect(() => kept?.add(1)).toThrow(outside)
    await tick(run, settings.clock)
    expect(await late.promise).toMatchObject({ code: 'ACCUMULATOR_OUTSIDE_TASK' })
    expect(run.metrics()).toMatchObject({ n: 0 })
    await run.stop()
  })

  test('of another pipeline is refused in a closure', async () => {
    let foreign: Accumulator | undefined
    const one = pipeline('one', options, (ssc) => {
      foreign = ssc.accumulator('foreign')
      ssc.queue([[1]]).foreachBatch(() => undefined)
    })
    const other = pipeline('other', options, (ssc) => {
      ssc.queue([[1]]).foreachBatch(() => foreign?.add(1))
    })
    const first = await start(one, quiet())
    const settings = quiet()
    const second = await start(other, settings)
    settings.clock.advance(1_000)
    await expect(second.done).rejects.toMatchObject({
      cause: { code: 'ACCUMULATOR_OUTSIDE_TASK' },
    })
    await first.stop()
  })

  test.each([Number.NaN, Number.POSITIVE_INFINITY, '1'])('refuses to add %s', async (n) => {
    const described = pipeline('p', options, (ssc) => {
      const sum = ssc.accumulator('sum')
      ssc.queue([[1]]).foreachBatch(() => sum.add(n as number))
    })
    const settings = quiet()
    const run = await start(described, settings)
    settings.clock.advance(1_000)
    await expect(run.done).rejects.toThrow(`Cannot add ${n} to accumulator "sum"`)
  })

  test.each(['', 'lagMs', 'totalCompletedBatches'])('may not be called "%s"', async (name) => {
    const described = pipeline('p', options, (ssc) => void ssc.accumulator(name))
    await expect(start(described, quiet())).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })

  test('may not have the name of another', async () => {
    const described = pipeline('p', options, (ssc) => {
      ssc.accumulator('n')
      ssc.accumulator('n')
    })
    await expect(start(described, quiet())).rejects.toThrow(/the pipeline has one of that name/)
  })
})
