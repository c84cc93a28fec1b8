// A stop at once waits for nothing for long, and what was given up does no more.

import {
  type BatchContext,
  type DriverSink,
  type PipelineOptions,
  pipeline,
  type Run,
  start,
} from 'millrace'
import { CollectingSink, ManualClock, MemoryStore, quietLogger } from 'millrace/testing'
import { describe, expect, test } from 'vitest'
import { settle } from '../checkpoint/logs.ts'
import { PushSource, tick } from './push-source.ts'

const never = (): Promise<never> => new Promise(() => undefined)

/** The log that the run writes. */
function logged() {
  const lines: string[] = []
  const line = (_fields: object, text: string): void => void lines.push(text)
  return { lines, logger: { ...quietLogger, warn: line, error: line } }
}

interface Life {
  readonly run: Run
  readonly clock: ManualClock
  readonly lines: string[]
  readonly failed: { readonly batchId: number; readonly error: unknown }[]
}

async function live(
  build: Parameters<typeof pipeline>[2],
  options: Partial<PipelineOptions> = {},
): Promise<Life> {
  const clock = new ManualClock(0)
  const { lines, logger } = logged()
  const all = { batchInterval: 1_000, checkpoint: false, ...options } as const
  const failed: Life['failed'] = []
  const run = await start(pipeline('p', all, build), { clock, logger })
  run.on('batch-failed', (batch) => void failed.push(batch))
  return { run, clock, lines, failed }
}

/** Lets all go on that waits for promises, a while after time has passed. */
async function pass(clock: ManualClock, ms: number): Promise<void> {
  clock.advance(ms)
  for (let turn = 0; turn < 4; turn += 1) await settle()
}

/** Moves the clock on until the run has ended; gives how long that took. */
async function msUntil(end: Promise<void>, clock: ManualClock): Promise<number> {
  let isOver = false
  const over = (): void => {
    isOver = true
  }
  end.then(over, over)
  let ms = 0
  for (; !isOver && ms < 60_000; ms += 100) await pass(clock, 100)
  expect(isOver).toBe(true)
  return ms
}

/** Whom a test lets hang, and what hung writes. */
class Hanging {
  readonly seen: [batchId: number, epoch: number, records: readonly number[]][] = []
  readonly gate = Promise.withResolvers<void>()
  hangs = true

  readonly see = async (
    batch: { collect(): Promise<number[]> },
    { batchId, epoch }: BatchContext,
  ): Promise<void> => {
    this.seen.push([batchId, epoch, await batch.collect()])
    if (this.hangs) await this.gate.promise
  }
}

describe('a stop at once', () => {
  test('waits for the batch under way, which is committed if it ends soon', async () => {
    const hanging = new Hanging()
    const { run, clock, lines, failed } = await live((ssc) => {
      ssc.queue([[1]]).foreachBatch(hanging.see)
    })
    await pass(clock, 1_000)
    const stopped = run.stop({ graceful: false })
    await pass(clock, 900)
    hanging.gate.resolve()
    await stopped
    expect(run.metrics()).toMatchObject({ lastBatchId: 1, totalCompletedBatches: 1 })
    expect([lines, failed]).toEqual([[], []])
  })

  test('gives up an output operation that does not end, and says so', async () => {
    const { run, clock, lines, failed } = await live((ssc) => {
      ssc.queue([[1]]).foreachBatch(never)
    })
    await pass(clock, 1_000)
    expect(await msUntil(run.stop({ graceful: false }), clock)).toBeLessThanOrEqual(1_100)
    await run.done
    expect(failed).toMatchObject([{ batchId: 1, error: { code: 'BATCH_GIVEN_UP' } }])
    expect(lines).toEqual([expect.stringMatching(/^Cannot wait for batch 1: the run ends at once/)])
    expect(run.metrics()).toMatchObject({ runningBatches: 0, totalFailedBatches: 1 })
    expect(run.healthy()).toBe(true)
  })

  test('leaves that batch to the next start, and what was given up does no more', async () => {
    const checkpoint = new MemoryStore()
    const source = new PushSource()
    const hanging = new Hanging()
    const sink = new CollectingSink<number>()
    const build: Parameters<typeof pipeline>[2] = (ssc) => {
      const numbers = ssc.receive(source)
      numbers.foreachBatch(hanging.see)
      numbers.writeTo(sink)
    }
    source.push(1, 2)
    const first = await live(build, { checkpoint })
    await pass(first.clock, 1_000)
    await msUntil(first.run.stop({ graceful: false }), first.clock)
    expect(first.run.metrics()).toMatchObject({ lastBatchId: 0 })

    hanging.gate.resolve()
    await pass(first.clock, 1_000)
    expect([...sink.batches]).toEqual([])
    hanging.hangs = false
    const second = await live(build, { checkpoint })
    expect(hanging.seen).toEqual([
      [1, 1, [1, 2]],
      [1, 2, [1, 2]],
    ])
    expect(sink.records()).toEqual([1, 2])
    source.push(3)
    await tick(second.run, second.clock, 2_000)
    await second.run.stop()
    expect(sink.records()).toEqual([1, 2, 3])
  })

  test('commits nothing that ends while it closes what is open', async () => {
    const checkpoint = new MemoryStore()
    const hanging = new Hanging()
    const source = new PushSource({ onStop: never })
    source.push(1)
    const { run, clock, lines } = await live(
      (ssc) => {
        ssc.receive(source).foreachBatch(hanging.see)
      },
      { checkpoint },
    )
    await pass(clock, 1_000)
    const stopped = run.stop({ graceful: false })
    await settle()
    await pass(clock, 1_000)
    hanging.gate.resolve()
    await pass(clock, 500)
    await msUntil(stopped, clock)
    expect(run.metrics()).toMatchObject({ lastBatchId: 0, totalCompletedBatches: 0 })
    expect(lines).toEqual([
      expect.stringMatching(/^Cannot wait for batch 1/),
      'The run ends at once, and leaves a receiver that does not stop behind',
    ])
  })

  test('gives up the batches that are written while later ones run', async () => {
    const source = new PushSource()
    const { run, clock, failed } = await live(
      (ssc) => {
        ssc
          .receive(source)
          .foreachBatch((_batch, { batchId }) => (batchId < 2 ? undefined : never()))
      },
      { batchInterval: 100, commitInterval: 1_000, checkpoint: new MemoryStore() },
    )
    for (let batch = 1; batch <= 4; batch += 1) {
      source.push(batch)
      await pass(clock, 100)
    }
    await msUntil(run.stop({ graceful: false }), clock)
    expect(failed.map(({ batchId }) => batchId)).toEqual([2, 3, 4])
  })

  test('leaves a receiver behind whose stop does not end', async () => {
    const { run, clock } = await live((ssc) => {
      ssc.receive(new PushSource({ onStop: never })).foreachBatch(() => undefined)
    })
    const graceful = run.stop()
    await pass(clock, 10_000)
    expect(await msUntil(run.stop({ graceful: false }), clock)).toBeLessThanOrEqual(1_100)
    await graceful
  })

  test('leaves a sink behind whose close does not end, and lets the checkpoint go', async () => {
    const checkpoint = new MemoryStore()
    const inner = new CollectingSink<number>()
    let closes = never
    const sink: DriverSink<number> = {
      name: 'closing',
      guarantee: 'at-least-once',
      open: async (context) => {
        const writer = await inner.open(context)
        return {
          recover: (ids) => writer.recover(ids),
          write: (batch, partitions) => writer.write(batch, partitions),
          close: () => closes(),
        }
      },
    }
    const build: Parameters<typeof pipeline>[2] = (ssc) => {
      ssc.receive(new PushSource()).writeTo(sink)
    }
    const first = await live(build, { checkpoint })
    const graceful = first.run.stop()
    await pass(first.clock, 10_000)
    await msUntil(first.run.stop({ graceful: false }), first.clock)
    await graceful
    closes = () => Promise.resolve() as Promise<never>
    await (await live(build, { checkpoint })).run.stop()
  })

  test('leaves a source behind that is asked for a batch and does not answer', async () => {
    const source = new PushSource()
    const asked: PushSource['open'] = source.open.bind(source)
    source.open = (context) => ({ ...asked(context), prepare: never })
    const { run, clock, lines } = await live((ssc) => {
      ssc.receive(source).foreachBatch(() => undefined)
    })
    await pass(clock, 1_000)
    await msUntil(run.stop({ graceful: false }), clock)
    expect(lines).toEqual([expect.stringMatching(/^Cannot wait for the next batch: /)])
  })
})

test('an error ends a run though a batch does not end', async () => {
  const source = new PushSource()
  source.push(1)
  const { run, clock } = await live((ssc) => {
    ssc.receive(source).foreachBatch(never)
  })
  await pass(clock, 1_000)
  const failure = new Error('the source is gone')
  source.context.fail(failure)
  await msUntil(run.done, clock)
  await expect(run.done).rejects.toBe(failure)
})

test('a graceful stop waits for the batch under way, however long it takes', async () => {
  const hanging = new Hanging()
  const { run, clock } = await live((ssc) => {
    ssc.queue([[1]]).foreachBatch(hanging.see)
  })
  await pass(clock, 1_000)
  let ended = false
  const stopped = run.stop().then(() => {
    ended = true
  })
  await pass(clock, 3_600_000)
  expect(ended).toBe(false)
  hanging.hangs = false
  hanging.gate.resolve()
  await stopped
  expect(hanging.seen[0]).toEqual([1, 0, [1]])
})
