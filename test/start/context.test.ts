// The rules of a context: what may be declared when, what a start checks, what its failure leaves,
// and how the error of a closure comes out.

import { type DStream, pipeline, type Sink, type StreamingContext, start } from 'millrace'
import { CollectingSink, ManualClock, MemoryStore, quietLogger } from 'millrace/testing'
import { describe, expect, test } from 'vitest'
import { PushSource, tick } from '../scheduler/push-source.ts'

const options = { batchInterval: 1_000, checkpoint: false } as const
const quiet = () => ({ logger: quietLogger, clock: new ManualClock(0) })

describe('declaring', () => {
  test('anything after the start and after the stop is refused, and says which it is', async () => {
    let ssc: StreamingContext | undefined
    let stream: DStream<number> | undefined
    const leaky = pipeline('leaky', options, (context) => {
      ssc = context
      stream = context.queue([[1]])
      stream.foreachBatch(() => undefined)
    })
    const run = await start(leaky, quiet())
    const declare: Record<string, () => unknown> = {
      input: () => ssc?.queue([[1]]),
      operator: () => stream?.map((n) => n),
      output: () => stream?.print(),
      broadcast: () => ssc?.broadcast(() => 1),
      accumulator: () => ssc?.accumulator('n'),
      remember: () => ssc?.remember('1s'),
      cache: () => stream?.cache(),
      checkpoint: () => stream?.checkpoint('10s'),
      name: () => stream?.named('n'),
    }
    for (const use of Object.values(declare)) {
      expect(use).toThrow(expect.objectContaining({ code: 'CONTEXT_CLOSED' }))
      expect(use).toThrow(/has been started/)
    }
    await run.stop()
    for (const use of Object.values(declare)) expect(use).toThrow(/has been stopped/)
  })

  test('in a build function that is async is refused', async () => {
    const late = pipeline('late', options, (async (ssc: StreamingContext) => {
      ssc.queue([[1]]).print()
    }) as unknown as () => void)
    await expect(start(late, quiet())).rejects.toThrow(/its build function is async/)
  })

  test('an input that no output needs is allowed', async () => {
    const unused = new PushSource()
    unused.push(1)
    const described = pipeline('unused', options, (ssc) => {
      ssc.receive(unused)
      ssc.queue([[1]]).foreachBatch(() => undefined)
    })
    const settings = quiet()
    const run = await start(described, settings)
    await tick(run, settings.clock)
    expect(unused.waiting).toBe(0)
    await run.stop()
  })

  test('describing starts nothing', () => {
    const source = new PushSource()
    pipeline('described', options, (ssc) => ssc.receive(source).print())
    expect(() => source.context).toThrow(/not open/)
  })
})

describe('a start', () => {
  test('that fails stops receivers, closes sinks and lets go of the checkpoint', async () => {
    const store = new MemoryStore()
    const source = new PushSource({ name: 'good' })
    let broken = true
    const bad = new PushSource({
      name: 'bad',
      onStart: async () => {
        if (broken) throw new Error('no such stream')
      },
    })
    let open = 0
    const sink: Sink<number> = {
      name: 'counted',
      guarantee: 'exactly-once',
      async open() {
        open += 1
        return {
          recover: async () => undefined,
          write: async () => ({ records: 0, bytes: 0 }),
          close: async () => {
            open -= 1
          },
        }
      },
    }
    let stream: DStream<number> | undefined
    const described = pipeline('two', { ...options, checkpoint: store }, (ssc) => {
      stream = ssc.union(ssc.receive(source), ssc.receive(bad))
      stream.writeTo(sink)
    })
    const failed = start(described, quiet())
    await expect(failed).rejects.toThrow('no such stream')
    expect([source.stopped, bad.stopped, open]).toEqual([1, 1, 0])
    expect(source.context.signal.aborted).toBe(true)
    expect(() => stream?.print()).toThrow(/has been stopped/)

    broken = false
    const run = await start(described, { ...quiet(), takeover: 'refuse' })
    await run.stop()
  })

  test('whose clean-up fails rejects with what failed first, and logs the rest', async () => {
    const logged: unknown[] = []
    const logger = { ...quietLogger, warn: (fields: object) => void logged.push(fields) }
    const bad = new PushSource({
      onStart: () => Promise.reject(new Error('first')),
      onStop: () => Promise.reject(new Error('second')),
    })
    const described = pipeline('p', options, (ssc) => ssc.receive(bad).print())
    await expect(start(described, { ...quiet(), logger })).rejects.toThrow('first')
    expect(logged).toEqual([{ err: new Error('second') }])
  })

  test('of a pipeline that runs is a run of its own', async () => {
    const sums: number[] = []
    const described = pipeline('twice', options, (ssc, n: number) => {
      ssc.queue([[n]]).foreachBatch(async (batch) => void sums.push(...(await batch.collect())))
    })
    const settings = [quiet(), quiet()] as const
    const first = await start(described, { ...settings[0], args: 1 })
    const second = await start(described, { ...settings[1], args: 2 })
    await tick(second, settings[1].clock)
    await second.stop()
    await tick(first, settings[0].clock)
    await first.stop()
    expect(sums).toEqual([2, 1])
  })

  test('after a stop goes on from the checkpoint', async () => {
    const store = new MemoryStore()
    const source = new PushSource()
    const sink = new CollectingSink<number>()
    const described = pipeline('again', { ...options, checkpoint: store }, (ssc) => {
      ssc
        .receive(source)
        .count()
        .reduceByWindow((a, b) => a + b, '10s')
        .writeTo(sink)
    })
    const settings = quiet()
    for (const n of [1, 2]) {
      const run = await start(described, settings)
      source.push(n)
      await tick(run, settings.clock)
      await run.stop({ graceful: false })
    }
    expect(sink.records()).toEqual([1, 2])
  })

  test('from the checkpoint of a queue is refused', async () => {
    const store = new MemoryStore()
    const described = pipeline('q', { ...options, checkpoint: store }, (ssc) => {
      ssc.queue([[1], [2]]).foreachBatch(() => undefined)
    })
    const settings = quiet()
    const run = await start(described, settings)
    await tick(run, settings.clock)
    await run.stop({ graceful: false })
    await expect(start(described, settings)).rejects.toMatchObject({
      code: 'SOURCE_NOT_REPLAYABLE',
      message: expect.stringContaining('Cannot resume a queue stream from a checkpoint'),
    })
  })
})

describe('done', () => {
  test('is pending while the run goes on, and resolves with the stop', async () => {
    const described = pipeline('p', options, (ssc) => {
      ssc.queue([[1]]).foreachBatch(() => undefined)
    })
    const settings = quiet()
    const run = await start(described, settings)
    const pending = Symbol('pending')
    await tick(run, settings.clock)
    expect(await Promise.race([run.done, Promise.resolve(pending)])).toBe(pending)
    await run.stop()
    await run.done
  })

  class MapError extends Error {}

  type Closures = Record<string, (stream: DStream<number>) => DStream<unknown>>
  const fail = (): never => {
    throw new MapError('map task')
  }
  const closures: Closures = {
    map: (s) => s.map(fail),
    flatMap: (s) => s.flatMap(fail),
    filter: (s) => s.filter(fail),
    mapPartitions: (s) => s.mapPartitions(fail),
    mapAsync: (s) => s.mapAsync(async () => fail(), { concurrency: 1 }),
    transform: (s) => s.transform(fail),
    transformWith: (s) => s.transformWith(s, fail),
    reduce: (s) => s.flatMap((n) => [n, n]).reduce(fail),
    updateStateByKey: (s) => s.map((n): [string, number] => ['k', n]).updateStateByKey(fail),
    mapWithState: (s) => s.map((n): [string, number] => ['k', n]).mapWithState(fail),
  }

  test.each(Object.entries(closures))(
    'rejects with the error that %s threw as the cause, its message kept',
    async (_operator, build) => {
      const described = pipeline('p', options, (ssc) => {
        build(ssc.queue([[1]])).foreachBatch(() => undefined)
      })
      const settings = quiet()
      const run = await start(described, settings)
      settings.clock.advance(1_000)
      const error = await run.done.catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'TASK_FAILED' })
      expect((error as Error).message).toContain('map task')
      expect((error as Error).cause).toBeInstanceOf(MapError)
    },
  )

  test('names the operator of a transform and no partition', async () => {
    const described = pipeline('p', options, (ssc) => {
      ssc
        .queue([[1]])
        .transform(fail)
        .foreachBatch(() => undefined)
    })
    const settings = quiet()
    const run = await start(described, settings)
    settings.clock.advance(1_000)
    await expect(run.done).rejects.toThrow(
      'Cannot run operator "transform-1" on batch 1000 ms: map task; mend the closure',
    )
  })

  test('goes on after a failed batch where the options say so', async () => {
    const sink = new CollectingSink<number>()
    const described = pipeline('p', { ...options, onBatchError: 'continue' }, (ssc) => {
      ssc
        .queue([[1], [2], [3]])
        .map((n) => (n === 2 ? fail() : n))
        .writeTo(sink)
    })
    const settings = quiet()
    const run = await start(described, settings)
    for (let batch = 0; batch < 3; batch++) await tick(run, settings.clock)
    await run.stop()
    expect(sink.records()).toEqual([1, 3])
    expect(run.metrics()).toMatchObject({ totalFailedBatches: 1 })
  })
})

describe('remember and checkpoint(interval)', () => {
  const starting = (
    build: (stream: DStream<number>, ssc: StreamingContext) => void,
    store = true,
  ) => {
    const checkpoint = store ? new MemoryStore() : (false as const)
    const described = pipeline('p', { ...options, checkpoint }, (ssc) => {
      const stream = ssc.receive(new PushSource())
      build(stream, ssc)
      stream.foreachBatch(() => undefined)
    })
    return start(described, quiet())
  }

  test('an interval that is no multiple of the slide is refused', async () => {
    await expect(starting((s) => s.checkpoint(1_500))).rejects.toThrow(
      /Cannot use 1500 as the checkpoint interval/,
    )
  })

  test('an interval without a checkpoint is refused', async () => {
    await expect(starting((s) => s.checkpoint('2s'), false)).rejects.toThrow(
      /every 2000 ms: the pipeline has checkpoint: false/,
    )
  })

  test('a stream that is not remembered for longer than its interval is refused', async () => {
    const build = (s: DStream<number>, ssc: StreamingContext): void => {
      ssc.remember('2s')
      s.checkpoint('2s')
    }
    await expect(starting(build)).rejects.toThrow(/must be remembered for longer, got 2000 ms/)
  })

  test('a stream that a window needs is remembered for longer by the window', async () => {
    const run = await starting((s, ssc) => {
      ssc.remember('2s')
      s.checkpoint('2s')
      s.window('3s').foreachBatch(() => undefined)
    })
    await run.stop()
  })

  test('to remember twice, or for no time, is refused', async () => {
    const twice = starting((_s, ssc) => {
      ssc.remember('2s')
      ssc.remember('3s')
    })
    await expect(twice).rejects.toThrow(/it has been set to 2000 ms/)
    await expect(starting((_s, ssc) => ssc.remember(0))).rejects.toThrow(/remember duration/)
  })
})
