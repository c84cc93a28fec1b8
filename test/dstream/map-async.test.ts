// mapAsync: order, bounds, time limit, retries, and what an error says.

import { type DStream, type MapAsyncOptions, pipeline, type Run, start, TaskError } from 'millrace'
import { CollectingSink, ManualClock, quietLogger, runBatches } from 'millrace/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const unhandled: unknown[] = []
const note = (error: unknown): void => void unhandled.push(error)
beforeEach(() => void process.on('unhandledRejection', note))
afterEach(async () => {
  await new Promise(setImmediate)
  process.off('unhandledRejection', note)
  expect(unhandled.splice(0)).toEqual([])
})

/** Lets `n` turns of the event loop pass. */
async function turns(n: number): Promise<void> {
  for (let i = 0; i < n; i++) await new Promise(setImmediate)
}

describe('the calls of a batch', () => {
  test.each([1, 3, 100])('keep the order, at most %d at a time over all partitions', async (n) => {
    const records = Array.from({ length: 20 }, (_, i) => i)
    let pending = 0
    let most = 0
    const outputs = await runBatches(
      { inputs: [[records]], batches: 1, partitions: 4 },
      (_ssc, numbers: DStream<number>) =>
        numbers.mapAsync(
          async (i) => {
            pending += 1
            most = Math.max(most, pending)
            await turns((i * 7) % 5)
            pending -= 1
            return `result ${i}`
          },
          { concurrency: n },
        ),
    )
    expect(outputs).toEqual([records.map((i) => `result ${i}`)])
    expect(most).toBe(Math.min(n, records.length))
  })

  test('keep the partitions', async () => {
    const outputs = await runBatches(
      { inputs: [[[1, 2, 3]]], batches: 1, partitions: 2 },
      (_ssc, numbers: DStream<number>) =>
        numbers.mapAsync((n) => Promise.resolve(-n), { concurrency: 2 }).glom(),
    )
    expect(outputs).toEqual([[[-1], [-2, -3]]])
  })

  test('may give what is no promise', async () => {
    const plain = ((n: number) => n * 2) as unknown as (n: number) => Promise<number>
    const outputs = await runBatches(
      { inputs: [[[1, 2]]], batches: 1 },
      (_ssc, numbers: DStream<number>) =>
        numbers.mapAsync(plain, { concurrency: 2, timeout: '1s' }),
    )
    expect(outputs).toEqual([[2, 4]])
  })
})

/** Runs one batch of 1 to 4 in two partitions, once, and gives its error. */
async function failure(
  f: (n: number) => Promise<unknown>,
  options: MapAsyncOptions = { concurrency: 2 },
): Promise<TaskError> {
  const { run } = await startOne(f, options)
  const error: unknown = await run.stop().catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(TaskError)
  return error as TaskError
}

async function startOne(
  f: (n: number) => Promise<unknown>,
  options: MapAsyncOptions,
): Promise<{ run: Run; clock: ManualClock; sink: CollectingSink<unknown> }> {
  const clock = new ManualClock()
  const sink = new CollectingSink<unknown>()
  const once = { batchInterval: 1_000, checkpoint: false, batchAttemptsMax: 1 } as const
  const p = pipeline('one', once, (ssc) => {
    ssc
      .queue([[1, 2, 3, 4]])
      .repartition(2)
      .mapAsync(f, options)
      .writeTo(sink)
  })
  return { run: await start(p, { clock, logger: quietLogger }), clock, sink }
}

describe('a call that fails', () => {
  test('fails the batch, by its operator, partition and record', async () => {
    const { code, place, message } = await failure((n) =>
      n === 4 ? Promise.reject(new Error('no fours')) : Promise.resolve(n),
    )
    expect(code).toBe('TASK_FAILED')
    expect(place).toMatchObject({ time: 1_000, partition: 1, record: 1 })
    expect(place.operator).toMatch(/^mapAsync-\d+$/)
    expect(message).toContain('no fours')
  })

  test('by throwing does so too', async () => {
    const error = await failure(
      (n) => {
        if (n === 2) throw new Error('no twos')
        return Promise.resolve(n)
      },
      { concurrency: 1, timeout: '1s' },
    )
    expect(error.message).toContain('no twos')
  })

  test('lets no other begin', async () => {
    const begun: number[] = []
    await failure((n) => {
      begun.push(n)
      return n === 1 ? Promise.reject(new Error('no ones')) : turns(3)
    })
    expect(begun).toEqual([1, 2])
  })

  test('leaves no rejection of a pending one behind', async () => {
    const error = await failure(async (n) => {
      await turns(n)
      throw new Error(`no ${n}`)
    })
    expect(error.message).toContain('no 1')
  })
})

describe('retries', () => {
  test('go on until a call succeeds, and are counted', async () => {
    const left = new Map([
      [1, 2],
      [3, 1],
    ])
    const calls: number[] = []
    const { run, sink } = await startOne(
      (n) => {
        calls.push(n)
        const failures = left.get(n) ?? 0
        left.set(n, failures - 1)
        return failures > 0 ? Promise.reject(new Error('not yet')) : Promise.resolve(n * 10)
      },
      { concurrency: 1, retries: 2 },
    )
    await run.stop()
    expect(sink.records()).toEqual([10, 20, 30, 40])
    expect(calls).toEqual([1, 1, 1, 2, 3, 3, 4])
    expect(run.metrics()['totalCallRetries']).toBe(3)
  })

  test('end with the last failure, and are counted then too', async () => {
    let calls = 0
    const { run } = await startOne(
      () => {
        calls += 1
        return Promise.reject(new Error(`failure ${calls}`))
      },
      { concurrency: 1, retries: 2 },
    )
    await expect(run.stop()).rejects.toThrow('failure 3')
    expect(run.metrics()['totalCallRetries']).toBe(2)
  })

  test('get the record as it was', async () => {
    const seen: number[][] = []
    await runBatches({ inputs: [[[[1]]]], batches: 1 }, (_ssc, lists: DStream<number[]>) =>
      lists.mapAsync(
        (list) => {
          seen.push([...list])
          list.push(9)
          return seen.length === 1 ? Promise.reject(new Error('not yet')) : Promise.resolve(list)
        },
        { concurrency: 1, retries: 1 },
      ),
    )
    expect(seen).toEqual([[1], [1]])
  })
})

describe('the time limit', () => {
  test('fails a call that does not answer', async () => {
    const { run, clock } = await startOne(() => new Promise(() => undefined), {
      concurrency: 1,
      timeout: '200ms',
    })
    const stopped = expect(run.stop()).rejects.toThrow(/record 0: no answer within 200 ms/)
    await turns(10)
    clock.advance(200)
    await stopped
  })

  test('is that of one attempt', async () => {
    let calls = 0
    const { run, clock, sink } = await startOne(
      (n) => {
        calls += 1
        return n === 1 && calls < 3 ? new Promise(() => undefined) : Promise.resolve(n)
      },
      { concurrency: 1, timeout: '200ms', retries: 2 },
    )
    const stopped = run.stop()
    await turns(10)
    clock.advance(200)
    await turns(10)
    clock.advance(199)
    await turns(10)
    expect(calls).toBe(2)
    clock.advance(1)
    await stopped
    expect(sink.records()).toEqual([1, 2, 3, 4])
    expect(run.metrics()['totalCallRetries']).toBe(2)
  })

  test('drops an answer or a rejection that comes later', async () => {
    const late: PromiseWithResolvers<number>[] = []
    const { run, clock, sink } = await startOne(
      (n) => {
        if (late.length === 2 || n > 2) return Promise.resolve(n)
        late.push(Promise.withResolvers<number>())
        return (late.at(-1) as PromiseWithResolvers<number>).promise
      },
      { concurrency: 2, timeout: '200ms', retries: 1 },
    )
    const stopped = run.stop()
    await turns(10)
    clock.advance(200)
    await stopped
    late[0]?.resolve(99)
    late[1]?.reject(new Error('too late'))
    await turns(2)
    expect(sink.records()).toEqual([1, 2, 3, 4])
  })
})
