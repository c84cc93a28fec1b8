// One side, in a process of its own: a main thread that asks, and a thread that reads. It reads a
// stream from its beginning, says how long that took and what it cost, and ends.

import { Worker } from 'node:worker_threads'
import { quietLogger } from 'millrace/testing'
import { IoHost } from '../../src/workers/io-host.ts'
import { quantile } from '../harness.ts'
import { figuresMemory, figuresOf, type ReadTask } from './measured-reads.ts'

/** Which side reads what. */
export interface ReaderTask extends Omit<ReadTask, 'memory'> {
  readonly side: 'receiver' | 'sdk'
  /** Records in the stream. */
  readonly records: number
}

/** What one side needed. */
export interface ReaderFigures {
  readonly recordsPerSecond: number
  /** Processor time of the process. */
  readonly cpuMsPerThousand: number
  readonly cpuMsPerMb: number
  readonly p99Ms: number
  readonly reads: number
}

const CUT_INTERVAL_MS = 100
const BUFFER_BYTES_MAX = 128 * 1_048_576
const CUT = { bytesMax: 64 * 1_048_576, recordsMax: Number.POSITIVE_INFINITY }

const task = JSON.parse(process.argv[2] as string) as ReaderTask
const memory = figuresMemory()
const begin = task.side === 'sdk' ? await sdk() : await receiver()
const before = process.cpuUsage()
const cutOne = begin()
const timer = setInterval(() => {
  cutOne()
  const { records, bytes, ms, delays, reads } = figuresOf(memory)
  if (records < task.records) return
  clearInterval(timer)
  const { user, system } = process.cpuUsage(before)
  const cpuMs = (user + system) / 1_000
  const figures: ReaderFigures = {
    recordsPerSecond: (records / ms) * 1_000,
    cpuMsPerThousand: (cpuMs / records) * 1_000,
    cpuMsPerMb: (cpuMs / bytes) * 1e6,
    p99Ms: quantile(delays, 0.99),
    reads,
  }
  process.send?.(figures, () => process.exit())
}, CUT_INTERVAL_MS)

async function sdk(): Promise<() => () => void> {
  const workerData = { ...task, memory }
  const thread = new Worker(new URL('sdk-thread.ts', import.meta.url), { workerData })
  await new Promise((resolve) => thread.once('message', resolve))
  return () => {
    thread.postMessage('go')
    return () => undefined
  }
}

async function receiver(): Promise<() => () => void> {
  const module = new URL('receiver-graph.ts', import.meta.url).href
  const fail = (error: unknown): never => {
    throw error
  }
  const nothing = () => undefined
  const host = await IoHost.start({
    recipe: { module, input: { ...task, memory } },
    pipeline: 'bench',
    beat: undefined,
    workers: 1,
    bufferBytesMax: BUFFER_BYTES_MAX,
    logger: quietLogger,
    contextOf: (sourceId) => ({
      pipeline: 'bench',
      sourceId,
      clock: { wallMs: Date.now, monotonicMs: () => performance.now(), after: () => nothing },
      logger: quietLogger,
      signal: new AbortController().signal,
      bufferBytesMax: BUFFER_BYTES_MAX,
      fail,
      reportError: (message) => fail(new Error(message)),
      tell: nothing,
      count: nothing,
    }),
    signal: new AbortController().signal,
    fail,
  })
  // The worker's end: blocks arrive, as they would at a worker.
  host.open(0).on('message', nothing)
  await host.start(0, [])
  return () => {
    host.run()
    let cuts = 0
    return () => void host.cut(++cuts, [CUT]).catch(fail)
  }
}
