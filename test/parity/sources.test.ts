// The cases of Spark's suites about sources, with the data that the cases hold.

import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Source } from 'millrace'
import {
  binaryRecords,
  customReceiver,
  queue,
  type ReceiverSupervisor,
  socketLines,
  textFiles,
} from 'millrace/sources'
import { CollectingSink, ManualClock, MemoryStore } from 'millrace/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { RateLimiter } from '../../src/receivers/rate-limiter.ts'
import { DrivenRun } from '../receivers/driven-run.ts'
import { put } from '../receivers/written-files.ts'
import cases from './operators.json' with { type: 'json' }

// biome-ignore lint/suspicious/noExplicitAny: a case is data; its types are known to the case only
type Any = any

/** A case by its id. */
function caseOf(id: string): Any {
  const found = cases.find((one) => one.id === id)
  expect(found, id).toBeDefined()
  return found
}

let folder: string
let run: DrivenRun<Any> | undefined

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-parity-'))
})
afterEach(async () => {
  await run?.run.stop({ graceful: false })
  run = undefined
  await rm(folder, { recursive: true, force: true })
})

async function running<T>(
  source: Source<T>,
  batchInterval: number,
  clock = new ManualClock(),
): Promise<DrivenRun<T>> {
  const options = { batchInterval, checkpoint: false } as const
  const started = await DrivenRun.start<T, T>({
    sources: [source],
    build: ([stream]) => stream as Any,
    options,
    clock,
  })
  run = started
  return started
}

describe('socket', () => {
  test('inputstreamssuite-socket-input-stream', async () => {
    const { params, expected, batchIntervalMs } = caseOf('inputstreamssuite-socket-input-stream')
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const connection = once(server, 'connection') as Promise<[Socket]>
    const driven = await running(socketLines({ host: '127.0.0.1', port }), batchIntervalMs)
    const [socket] = await connection
    for (const [i, line] of params.lines.entries()) {
      socket.write(`${line}\n`)
      await expect.poll(() => driven.run.metrics()['bufferedBytes']).toBeGreaterThan(0)
      await driven.nextBatch(batchIntervalMs)
      expect(driven.sink.records()).toHaveLength(i + 1)
    }
    // A batch without data is an empty batch.
    await driven.nextBatch(batchIntervalMs)
    expect(driven.sink.records()).toEqual(expected.flattenedOutput)
    expect(driven.run.metrics()).toMatchObject({
      totalReceivedRecords: expected.totalReceivedRecords,
      totalProcessedRecords: expected.totalProcessedRecords,
    })
    server.close()
  })
})

describe('receiver', () => {
  test('inputstreamssuite-multi-thread-receiver', async () => {
    const { params, expected, batchIntervalMs } = caseOf('inputstreamssuite-multi-thread-receiver')
    let produced: Promise<unknown> = Promise.resolve()
    const produce = async (supervisor: ReceiverSupervisor<number>): Promise<void> => {
      for (let i = 0; i < params.recordsPerProducer; i++) {
        await supervisor.store(i)
        if (i % 97 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
    }
    const source = customReceiver<number>('producers', (supervisor) => ({
      onStart() {
        produced = Promise.all(Array.from({ length: params.producers }, () => produce(supervisor)))
      },
    }))
    const driven = await running(source, batchIntervalMs)
    for (let i = 0; i < 5; i++) await driven.nextBatch(batchIntervalMs)
    await produced
    await driven.nextBatch(batchIntervalMs)
    const counts = driven.eventsOf('batch-completed').map(({ records }) => records)
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(expected.sumOfCounts)
    expect(driven.sink.records()).toHaveLength(expected.sumOfCounts)
  })

  test('ratelimitersuite-all-four', () => {
    const { input, expected } = caseOf('ratelimitersuite-all-four')
    const rates = input.map(([rateMax, rate]: [number | null, number]) => {
      const limiter = new RateLimiter(new ManualClock(), rateMax ?? undefined)
      limiter.setRate(rate)
      return limiter.rate
    })
    expect(rates).toEqual(expected)
  })
})

describe('files', () => {
  /** Puts a file in the middle of each batch, and runs the batch. */
  async function oneFileEachBatch(
    driven: DrivenRun<Any>,
    batchIntervalMs: number,
    files: readonly { readonly path: string; readonly content: string | Uint8Array }[],
  ): Promise<void> {
    for (const { path, content } of files) {
      driven.clock.advance(batchIntervalMs / 2)
      await put(folder, path, content, driven.clock.wallMs())
      await driven.nextBatch(batchIntervalMs / 2)
    }
  }

  test('inputstreamssuite-file-input-stream-newfilesonly-true', async () => {
    const { params, expected, batchIntervalMs } = caseOf(
      'inputstreamssuite-file-input-stream-newfilesonly-true',
    )
    const { name, content, mtimeMs } = params.preExistingFile
    await put(folder, name, content, mtimeMs)
    const clock = new ManualClock(params.startClockMs)
    const source = textFiles(folder, { newFilesOnly: params.newFilesOnly })
    const driven = await running(source, batchIntervalMs, clock)
    const files = params.files.map((file: string) => ({ path: file, content: `${file}\n` }))
    await oneFileEachBatch(driven, batchIntervalMs, files)
    expect(driven.sink.records()).toEqual(expected.set)
    expect(driven.outputs()).toEqual(expected.set.map((one: string) => [one]))
  })

  test('the same with newFilesOnly: false reads what is there too', async () => {
    const { params, expected, batchIntervalMs } = caseOf(
      'inputstreamssuite-file-input-stream-newfilesonly-true',
    )
    const { name, content, mtimeMs } = params.preExistingFile
    await put(folder, name, content, mtimeMs)
    const clock = new ManualClock(params.startClockMs)
    const driven = await running(textFiles(folder, { newFilesOnly: false }), batchIntervalMs, clock)
    const files = params.files.map((file: string) => ({ path: file, content: `${file}\n` }))
    await oneFileEachBatch(driven, batchIntervalMs, files)
    expect(driven.sink.records()).toEqual([content, ...expected.set])
  })

  test('inputstreamssuite-file-input-stream-wildcard', async () => {
    const { params, expected, batchIntervalMs } = caseOf(
      'inputstreamssuite-file-input-stream-wildcard',
    )
    await put(folder, params.preExistingFileInParent, 'in the parent', 500)
    for (const name of ['one', 'two']) await mkdir(join(folder, name))
    const clock = new ManualClock(10_000)
    const driven = await running(textFiles(`${folder}/*/`), batchIntervalMs, clock)
    const files = params.files.map((file: string, i: number) => ({
      path: `${i % 2 === 0 ? 'one' : 'two'}/${file}`,
      content: `${file}\n`,
    }))
    await oneFileEachBatch(driven, batchIntervalMs, files)
    expect(driven.sink.records()).toEqual(expected.set)
  })

  test('inputstreamssuite-binary-records-stream', async () => {
    const { params, expected, batchIntervalMs } = caseOf('inputstreamssuite-binary-records-stream')
    const clock = new ManualClock(12_000)
    await put(folder, 'old', new Uint8Array([9]), 10_000)
    const source = binaryRecords(folder, { recordBytes: params.recordLength })
    const driven = await running(source, batchIntervalMs, clock)
    const files = params.files.map((bytes: number[], i: number) => ({
      path: `${i}`,
      content: new Uint8Array(bytes),
    }))
    await oneFileEachBatch(driven, batchIntervalMs, files)
    const outputs = driven.outputs().map((records) => records.flatMap((bytes) => [...bytes]))
    expect(outputs).toEqual(expected)
  })

  test('pyspark-test-context-test-text-file-stream', async () => {
    const { expected, batchIntervalMs } = caseOf('pyspark-test-context-test-text-file-stream')
    const clock = new ManualClock(1_000)
    const driven = await running(textFiles(folder), batchIntervalMs, clock)
    const content = Array.from({ length: 10 }, (_, i) => `${i}\n`).join('')
    const files = ['a', 'b'].map((path) => ({ path, content }))
    await oneFileEachBatch(driven, batchIntervalMs, files)
    const outputs = driven.outputs().map((lines) => lines.map((line) => Number.parseInt(line, 10)))
    expect(outputs).toEqual(expected)
  })

  test('go to the batch of their time where batches are late and the clock was set', async () => {
    class SetClock extends ManualClock {
      aheadMs = 0
      override wallMs(): number {
        return super.wallMs() + this.aheadMs
      }
    }
    const clock = new SetClock(10_000)
    const driven = await running(textFiles(folder), 1_000, clock)
    await driven.nextBatch(1_000)
    clock.aheadMs = 3_600_000
    for (const [i, name] of ['a', 'b', 'c'].entries()) {
      await put(folder, name, name, clock.wallMs() + i * 1_000 + 500)
    }
    await driven.nextBatch(3_000)
    await expect.poll(() => driven.sink.batches.size).toBe(4)
    expect(driven.outputs()).toEqual([['a'], ['b'], ['c']])
  })

  test('javaapisuite-testtextfilestream', async () => {
    const { params, expected, batchIntervalMs } = caseOf('javaapisuite-testtextfilestream')
    const { name, content, mtimeMs } = params.preExistingFile
    await put(folder, name, content, mtimeMs)
    const driven = await running(textFiles(folder), batchIntervalMs)
    await driven.nextBatch(batchIntervalMs)
    expect(driven.outputs()).toEqual(expected)
  })
})

describe('queue', () => {
  test('inputstreamssuite-queue-input-stream-oneatatime-true', async () => {
    const { params, expected, batchIntervalMs } = caseOf(
      'inputstreamssuite-queue-input-stream-oneatatime-true',
    )
    const batches = params.enqueuePerBatch.flat(1).map((value: string) => [value])
    const source = queue<string>(batches, { oneAtATime: params.oneAtATime })
    const driven = await running(source, batchIntervalMs)
    for (const _ of batches) await driven.nextBatch(batchIntervalMs)
    expect(driven.outputs()).toEqual(expected)
  })

  test('all at once: what is in the queue is one batch', async () => {
    const source = queue([['1', '2'], ['3'], []], { oneAtATime: false })
    const driven = await running(source, 1_000)
    await driven.nextBatch(1_000)
    await driven.nextBatch(1_000)
    expect(driven.outputs()).toEqual([['1', '2', '3']])
  })

  test('resuming from a checkpoint is refused (behaviour 53)', async () => {
    const checkpoint = new MemoryStore()
    const clock = new ManualClock()
    const sink = new CollectingSink<number>()
    const options = { batchInterval: 1_000, checkpoint }
    const build = ([stream]: Any[]): Any => stream
    const what = { sources: [queue([[1], [2]])], build, options, clock, sink }
    const first = await DrivenRun.start<number, number>(what)
    await first.nextBatch(1_000)
    await first.run.stop()
    const again = DrivenRun.start<number, number>(what)
    await expect(again).rejects.toMatchObject({ code: 'SOURCE_NOT_REPLAYABLE' })
    await expect(again).rejects.toThrow(/queue stream from a checkpoint: its records are not kept/)
  })

  test('sources have ids from 0 on in order of their declaration (behaviour 76)', async () => {
    const idle = customReceiver<number>('idle', () => ({ onStart: () => undefined }))
    const options = { batchInterval: 1_000, checkpoint: false } as const
    const sources = [queue<number>([]), idle, queue<number>([[1]])]
    const build = ([a, b, c]: Any[]): Any => a.union(b).union(c)
    run = await DrivenRun.start<number, number>({
      sources,
      build,
      options,
      clock: new ManualClock(),
    })
    const started = run.eventsOf('receiver-started').map(({ sourceId, name }) => [sourceId, name])
    expect(started).toEqual([
      [0, 'queue'],
      [1, 'idle'],
      [2, 'queue'],
    ])
  })
})
