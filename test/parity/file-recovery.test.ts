// Spark's case of a file stream that is killed in a batch and recovers from its checkpoint.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DStream, Sink } from 'millrace'
import { pipeline, type Run, type StreamEvent, start } from 'millrace'
import { textFiles } from 'millrace/sources'
import { ManualClock, MemoryStore, quietLogger } from 'millrace/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { put } from '../receivers/written-files.ts'
import cases from './operators.json' with { type: 'json' }

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-recovery-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

interface Case {
  readonly params: { readonly batchMs: number; readonly window: number }
  readonly input: Readonly<Record<'beforeFailure' | 'whileDown' | 'afterRestart', number[]>>
  readonly expected: {
    readonly completedBatchesBefore: number
    readonly startedBatchesBefore: number
    readonly outputsBefore: number[]
    readonly clockAfterStartMs: number
    readonly batchesCaughtUpOnRestart: number
    readonly allOutputsSet: number[]
  }
}

const { params, input, expected } = cases.find(
  ({ id }) => id === 'checkpointsuite-recovery-with-file-input-stream',
) as unknown as Case
const { batchMs } = params

/** Keeps the sum of each batch by its time; the process is killed while it writes `killedAt`. */
function sums(outputs: Map<number, number>, killedAt?: number): Sink<number> {
  return {
    name: 'sums',
    guarantee: 'at-least-once',
    open: () =>
      Promise.resolve({
        recover: () => Promise.resolve(),
        write: ({ time }, partitions) => {
          if (time === killedAt) return Promise.reject(new Error('killed'))
          for (const sum of partitions.flat(1)) outputs.set(time, sum)
          return Promise.resolve({ records: 1, bytes: 0 })
        },
        close: () => Promise.resolve(),
      }),
  }
}

function described(checkpoint: MemoryStore, sink: Sink<number>) {
  return pipeline('sums', { batchInterval: batchMs, checkpoint }, (ssc) => {
    const numbers: DStream<number> = ssc.receive(textFiles(folder)).map((line) => Number(line))
    numbers.reduceByWindow((a, b) => a + b, params.window * batchMs, batchMs).writeTo(sink)
  })
}

/** Files of the given numbers, one in the middle of each batch from `firstMs` on. */
async function putMidBatch(numbers: readonly number[], firstMs: number): Promise<void> {
  for (const [i, n] of numbers.entries()) await put(folder, `${n}`, `${n}\n`, firstMs + i * batchMs)
}

async function tick(run: Run, clock: ManualClock, time: number): Promise<void> {
  const completed = new Promise((resolve) => run.on('batch-completed', resolve))
  clock.advance(time - clock.wallMs())
  await Promise.race([completed, run.done])
}

test('checkpointsuite-recovery-with-file-input-stream', async () => {
  const store = new MemoryStore()
  const outputs = new Map<number, number>()
  const clock = new ManualClock()
  const killedAt = input.beforeFailure.length * batchMs
  const events: StreamEvent[] = []
  const first = await start(described(store, sums(outputs, killedAt)), {
    clock,
    logger: quietLogger,
    onEvent: (event) => events.push(event),
  })
  for (const [i, n] of input.beforeFailure.entries()) {
    await putMidBatch([n], i * batchMs + batchMs / 2)
    await tick(first, clock, (i + 1) * batchMs).catch(() => undefined)
  }
  await expect(first.done).rejects.toMatchObject({ code: 'SINK_FAILED' })
  const count = (kind: string) => events.filter((event) => event.kind === kind).length
  expect(count('batch-started')).toBe(expected.startedBatchesBefore)
  expect(count('batch-completed')).toBe(expected.completedBatchesBefore)
  expect([...outputs.values()]).toEqual(expected.outputsBefore)

  await putMidBatch(input.whileDown, killedAt + batchMs / 2)
  const later = new ManualClock(expected.clockAfterStartMs)
  const again: number[] = []
  const second = await start(described(store, sums(outputs)), {
    clock: later,
    logger: quietLogger,
    onEvent: (event) => event.kind === 'batch-completed' && again.push(event.time),
  })
  const caughtUp = expected.batchesCaughtUpOnRestart
  await expect.poll(() => again.length).toBe(caughtUp)
  expect(again).toEqual(Array.from({ length: caughtUp }, (_, i) => killedAt + i * batchMs))

  const next = killedAt + caughtUp * batchMs
  for (const [i, n] of input.afterRestart.entries()) {
    await putMidBatch([n], next + i * batchMs - batchMs / 2)
    await tick(second, later, next + i * batchMs)
  }
  await second.stop()
  expect([...new Set(outputs.values())]).toEqual(expected.allOutputsSet)
})
