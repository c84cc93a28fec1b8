// What a mistake of the user gets: an error where it is made, that names the value and says what to
// do.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DStream, type Pipeline, pipeline, start, TaskError } from 'millrace'
import { files } from 'millrace/sinks'
import { CollectingSink, ManualClock, MemoryStore, quietLogger, runBatches } from 'millrace/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-start-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const options = { batchInterval: '1s', checkpoint: false } as const
const quiet = { logger: quietLogger, clock: new ManualClock() }
const idle = (name: string, checkpoint: string | MemoryStore): Pipeline<undefined> =>
  pipeline(name, { ...options, checkpoint }, (ssc) => ssc.queue<string>([]).print())

describe('options', () => {
  test.each([0, -1, 1.5, '0s', '-1s', 'soon'])('a batch interval of %s is refused', (interval) => {
    const bad = { batchInterval: interval as number, checkpoint: false } as const
    expect(() => pipeline('p', bad, () => undefined)).toThrow(String(interval))
  })

  test('a pipeline without a checkpoint must say so', () => {
    const missing = { batchInterval: '1s' } as unknown as typeof options
    expect(() => pipeline('p', missing, () => undefined)).toThrow(/write checkpoint: false/)
  })

  test('dropping failed batches is refused with a checkpoint', () => {
    const bad = { batchInterval: '1s', checkpoint: './x', onBatchError: 'continue' } as const
    expect(() => pipeline('p', bad, () => undefined)).toThrow(/would be lost/)
  })
})

describe('windows', () => {
  const windowed = (length: number, slide: number) =>
    runBatches({ inputs: [[]], batches: 1 }, (_ssc, s: DStream<number>) => s.window(length, slide))

  test('a window off the interval names the nearest that work', async () => {
    await expect(windowed(2_500, 1_000)).rejects.toThrow(/got 2500 ms; use 2000 ms or 3000 ms/)
  })
  test('a slide off the interval names the nearest that works', async () => {
    await expect(windowed(2_000, 300)).rejects.toThrow(/got 300 ms; use 1000 ms/)
  })
  test('streams of different slides cannot be combined', async () => {
    const run = runBatches({ inputs: [[]], batches: 1 }, (_ssc, s: DStream<number>) =>
      s.union(s.window('2s', '2s')),
    )
    await expect(run).rejects.toThrow(/must be the same, got 1000 ms and 2000 ms/)
  })
})

describe('the graph', () => {
  test('a pipeline without an output is refused', async () => {
    const empty = pipeline('p', options, (ssc) => void ssc.queue([[1]]))
    await expect(start(empty, quiet)).rejects.toThrow(/without an output operation/)
  })

  test('operators and outputs after the start are refused', async () => {
    let kept: DStream<number> | undefined
    const leaky = pipeline('p', options, (ssc) => {
      kept = ssc.queue([[1]])
      kept.print()
    })
    const run = await start(leaky, { ...quiet, clock: new ManualClock() })
    expect(() => kept?.map((n) => n)).toThrow(/has been started/)
    expect(() => kept?.print()).toThrow(/has been started/)
    await run.stop()
    expect(() => kept?.print()).toThrow(/has been stopped/)
    await run.stop()
  })

  test('threads are refused for a pipeline object, which they could not import', async () => {
    const described = pipeline('p', { batchInterval: 10, checkpoint: false }, (ssc) =>
      ssc.queue([[1]]).print(),
    )
    const options = { workers: 2 } as object
    await expect(start(described, options)).rejects.toThrow(/give start\(\) the URL/)
  })

  test.each([-1, 1.5, 1_000, Number.NaN])('%d workers are refused', async (workers) => {
    const module = new URL('./fixtures/writer.ts', import.meta.url)
    await expect(start(module, { workers })).rejects.toThrow(/a whole number from 0/)
  })

  test('a module without a pipeline is refused by name', async () => {
    const module = new URL('./fixtures/writer.ts', import.meta.url)
    await expect(start(module, { export: 'nothing' })).rejects.toThrow(/"nothing" is no pipeline/)
  })

  test('an async closure is refused where it is declared', async () => {
    const run = runBatches({ inputs: [[]], batches: 1 }, (_ssc, s: DStream<number>) =>
      s.filter((async () => true) as unknown as () => boolean),
    )
    await expect(run).rejects.toThrow(/async function in filter.*mapAsync/)
  })

  const promise = (() => Promise.reject(new Error('late'))) as unknown as () => never
  type Words = DStream<[string, number]>
  test.each([
    ['map', (s: Words) => s.map(promise)],
    ['filter', (s: Words) => s.filter(promise)],
    ['mapValues', (s: Words) => s.mapValues(promise)],
    ['reduceByKey', (s: Words) => s.reduceByKey(promise)],
  ] as const)('a %s closure that gives a promise stops the pipeline', async (_name, build) => {
    const inputs = [
      [
        [
          ['a', 1],
          ['a', 2],
        ],
      ],
    ]
    const run = runBatches({ inputs, batches: 1, partitions: 1 }, (_ssc, s) => build(s))
    await expect(run).rejects.toThrow(/returned a promise/)
  })
})

describe('a closure that throws on one record', () => {
  const fail = (n: number): number => {
    if (n === 3) throw new Error('three')
    return n
  }

  test('names batch, operator, partition and record, and keeps what was before', async () => {
    const inputs = [
      [
        [1, 2],
        [1, 2, 2, 3],
      ],
    ]
    const failed = runBatches({ inputs, batches: 2 }, (_ssc, s: DStream<number>) => s.map(fail))
    const error = await failed.catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(TaskError)
    expect((error as TaskError).place).toMatchObject({
      time: 2_000,
      operator: 'map-1',
      partition: 1,
      record: 1,
    })
    expect((error as Error).message).toContain('three')
    expect((error as { outputs?: unknown }).outputs).toEqual([[1, 2]])
  })

  test('is tried again as often as the options say, then stops the pipeline', async () => {
    const clock = new ManualClock()
    const sink = new CollectingSink<number>()
    let calls = 0
    const p = pipeline('p', { ...options, batchAttemptsMax: 3 }, (ssc) => {
      const counted = (n: number): number => {
        calls += 1
        return fail(n)
      }
      ssc
        .queue([[3]])
        .map(counted)
        .writeTo(sink)
    })
    const run = await start(p, { logger: quietLogger, clock })
    let retries = 0
    run.on('task-retried', () => {
      retries += 1
    })
    clock.advance(1_000)
    await expect(run.done).rejects.toMatchObject({ code: 'TASK_FAILED' })
    expect([calls, retries, sink.records()]).toEqual([3, 2, []])
  })
})

describe('checkpoints', () => {
  test('a second start in this process is refused, and the first run goes on', async () => {
    const first = await start(idle('one', folder), { ...quiet, clock: new ManualClock() })
    await expect(start(idle('one', folder), quiet)).rejects.toMatchObject({
      code: 'CHECKPOINT_IN_USE',
    })
    await first.stop()
    await (await start(idle('one', folder), { ...quiet, clock: new ManualClock() })).stop()
  })

  test('the folder of another pipeline is refused, and both are named', async () => {
    await (await start(idle('one', folder), { ...quiet, clock: new ManualClock() })).stop()
    const other = start(idle('two', folder), quiet)
    await expect(other).rejects.toMatchObject({ code: 'CHECKPOINT_FOREIGN' })
    await expect(start(idle('two', folder), quiet)).rejects.toThrow(/one.*two|two.*one/s)
  })

  test('a changed window is refused by name', async () => {
    const store = new MemoryStore()
    const windowed = (length: number) =>
      pipeline('w', { ...options, checkpoint: store }, (ssc) => {
        ssc
          .queue([[1]])
          .window(length)
          .named('recent')
          .print()
      })
    await (await start(windowed(2_000), { ...quiet, clock: new ManualClock() })).stop()
    const changed = start(windowed(3_000), quiet)
    await expect(changed).rejects.toMatchObject({ code: 'CHECKPOINT_INCOMPATIBLE' })
  })

  test('a folder that cannot be made is refused, with what to check', async () => {
    const file = join(folder, 'file')
    await writeFile(file, '')
    const below = join(file, 'state')
    await expect(start(idle('one', below), quiet)).rejects.toMatchObject({
      code: 'CHECKPOINT_UNWRITABLE',
    })
    const p = pipeline('p', options, (ssc) => ssc.queue([[1]]).writeTo(files(join(file, 'out'))))
    await expect(start(p, quiet)).rejects.toThrow(/Cannot write to folder.*check/)
  })
})
