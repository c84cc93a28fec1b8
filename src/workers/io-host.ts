// The receivers of a run, in an I/O thread: the driver asks, the blocks go to the workers directly.

import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { BeatRequest } from '../checkpoint/lease.ts'
import type { Logger } from '../events.ts'
import type { CutLimits, PartitionPositions } from '../receivers/receiver.ts'
import { fromWire } from './error-wire.ts'
import type { BatchSources } from './executor.ts'
import type { GraphRecipe, IoNotice, IoOrder, IoRequest, Line } from './protocol.ts'
import type { ContextOf, PlannedSource, ReceiverHost, ReceiverStatus } from './receiver-host.ts'
import { Thread } from './thread.ts'

/** What the I/O thread needs of the driver. */
export interface IoHostOptions {
  readonly recipe: GraphRecipe
  readonly pipeline: string
  readonly workers: number
  readonly bufferBytesMax: number
  readonly semiSpaceMb?: number | undefined
  readonly logger: Logger
  /** What the receivers of each source are told through; the thread forwards their calls. */
  readonly contextOf: ContextOf
  /** The signs of life that the thread gives. */
  readonly beat: BeatRequest | undefined
  /** Aborts when the run ends; the receivers of the thread are told at once. */
  readonly signal: AbortSignal
  /** Called when the thread ends by itself. */
  readonly fail: (error: unknown) => void
}

interface IoAnswer {
  readonly value: unknown
  readonly status: ReceiverStatus
}

/** Keeps the receivers in a thread of their own. */
export class IoHost implements ReceiverHost {
  readonly #options: IoHostOptions
  readonly #thread: Thread<IoRequest, IoOrder, IoNotice>
  /** The workers' ends of the lines that the thread opened with, until they are asked for. */
  readonly #ends: (MessagePort | undefined)[] = []
  #status: ReceiverStatus = { caughtUp: false, bufferedBytes: 0, lagMs: undefined }
  #closed = false

  private constructor(options: IoHostOptions) {
    this.#options = options
    this.#thread = new Thread({
      name: 'the I/O thread',
      entry: entryUrl(),
      replaced: false,
      semiSpaceMb: options.semiSpaceMb,
      onNotice: (notice) => this.#take(notice),
    })
    void this.#thread.ended.then(this.#fail)
    const { signal } = options
    const abort = (): void => this.#thread.tell({ kind: 'abort' })
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
  }

  /** Starts the thread; resolves once it has built the graph. */
  static async start(options: IoHostOptions): Promise<IoHost> {
    const host = new IoHost(options)
    try {
      await host.#open()
      return host
    } catch (error) {
      await host.close()
      throw error
    }
  }

  async #open(): Promise<void> {
    const { recipe, pipeline, workers, bufferBytesMax, beat } = this.#options
    const lines: Line[] = []
    for (let worker = 0; worker < workers; worker++) {
      const { port1, port2 } = new MessageChannel()
      lines.push({ worker, port: port1 })
      this.#ends.push(port2)
    }
    const about = { recipe, pipeline, workers, bufferBytesMax, lines, beat }
    const request = { kind: 'open', ...about } as const
    await this.#thread.call(
      request,
      lines.map(({ port }) => port),
    )
  }

  /** The worker's end of its line: the first is there, later ones are made anew. */
  open(worker: number): MessagePort {
    const first = this.#ends[worker]
    this.#ends[worker] = undefined
    if (first !== undefined) return first
    const { port1, port2 } = new MessageChannel()
    const line = { worker, port: port1 }
    this.#thread.call({ kind: 'line', line }, [port1]).catch(this.#fail)
    return port2
  }

  start(sourceId: number, from: PartitionPositions): Promise<PartitionPositions> {
    return this.#ask({ kind: 'start', sourceId, from })
  }

  run(): void {
    this.#ask({ kind: 'run' }).catch(this.#fail)
  }

  cut(batchId: number, limits: readonly CutLimits[]): Promise<BatchSources> {
    return this.#ask({ kind: 'cut', batchId, limits })
  }

  replay(batchId: number, planned: readonly PlannedSource[]): Promise<BatchSources> {
    return this.#ask({ kind: 'replay', batchId, planned })
  }

  resend(from: number, worker: number): Promise<void> {
    return this.#ask({ kind: 'resend', from, worker })
  }

  setRate(sourceId: number, recordsPerSecond: number): void {
    this.#ask({ kind: 'rate', sourceId, recordsPerSecond }).catch(this.#fail)
  }

  status(): ReceiverStatus {
    return this.#status
  }

  async stop(): Promise<void> {
    if (!this.#closed) await this.#ask({ kind: 'stop' })
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#thread.terminate()
  }

  readonly #fail = (error: unknown): void => {
    if (!this.#closed) this.#options.fail(error)
  }

  async #ask<R>(request: IoRequest): Promise<R> {
    const { value, status } = await this.#thread.call<IoAnswer>(request)
    this.#status = status
    return value as R
  }

  #take(notice: IoNotice): void {
    const { logger, contextOf } = this.#options
    switch (notice.kind) {
      case 'count':
        contextOf(notice.sourceId).count(notice.name, notice.by)
        break
      case 'fail':
        contextOf(notice.sourceId).fail(fromWire(notice.error))
        break
      case 'news': {
        const { news, sourceId } = notice
        const told = 'error' in news ? { ...news, error: fromWire(news.error) } : news
        contextOf(sourceId).tell(told)
        break
      }
      case 'error':
        contextOf(notice.sourceId).reportError(notice.message, fromWire(notice.error))
        break
      case 'log':
        logger[notice.level](notice.fields, notice.message)
        break
    }
  }
}

function entryUrl(): URL {
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return new URL(`./io-entry.${ending}`, import.meta.url)
}
