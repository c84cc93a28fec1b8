// One life of the engine in this process: all that it does to the world is a step (a call to the
// service, the store or a sink), and at a step of a test's choice it dies. From then on no call
// returns and no timer fires; what it would have done between two steps left no trace anyway.

import { KinesisClient } from '@aws-sdk/client-kinesis'
import type { HttpHandler } from '@smithy/core/protocols'
import type { DriverSink, Sink } from 'millrace'
import { type Run, type StreamEvent, start } from 'millrace'
import type { KinesisSimulator, MemoryStore } from 'millrace/testing'
import type { CheckpointStore } from '../../../src/checkpoint/store.ts'
import type { Cancel, Clock } from '../../../src/clock.ts'
import { type Fate, type Step, SteppedWorld } from '../stepped-world.ts'
import { NewsOfLife } from './shard-news.ts'
import { type OutputName, STREAMS, type StreamName, twoStreams } from './two-streams.ts'
import { type CutNews, WatchedStream } from './watched-source.ts'
import type { WrittenOutputs } from './written-outputs.ts'

/** What a life is made of. */
export interface EngineParts {
  readonly simulator: KinesisSimulator
  readonly clock: Clock
  readonly store: MemoryStore
  readonly outputs: WrittenOutputs
  /** Counts from 1. */
  readonly ordinal: number
  readonly takeover: 'wait' | 'force'
  readonly snapshotEvery: number
  readonly batchBytesMax: number
  readonly recordsPerCallMax: number
  /** Where the receivers' jitter comes from. */
  readonly random: () => number
  readonly onCut: (stream: StreamName, news: CutNews) => void
}

/** When to die: so many steps from now on, before the step or after it. */
export interface Death {
  readonly steps: number
  /** Which steps count: all, or those of the checkpoint and the sinks. */
  readonly of: 'all' | 'writes'
  readonly when: 'before' | 'after'
}

type HttpRequest = Parameters<HttpHandler['handle']>[0]
type HttpHandlerOptions = Parameters<HttpHandler['handle']>[1]

const CHANGING = new Set(['createIfAbsent', 'put', 'append', 'sync', 'delete'])
const GOES_ON: Fate = { kind: 'goes on' }
const READING = new Set(['open', 'read', 'exists', 'list', 'close'])

/** An engine that runs until it is told to die. */
export class EngineLife {
  readonly news = new NewsOfLife()
  readonly streams: Readonly<Record<StreamName, WatchedStream>>
  /** How many calls the service had had before. */
  readonly firstCall: number
  /** The last step of a dead one. */
  lastStep = ''
  expiredIterators = 0
  readonly #parts: EngineParts
  readonly #world: SteppedWorld
  readonly #clock: LifeClock
  readonly #run: Promise<Run>
  #death: Death | undefined
  /** Steps that are left until it dies. */
  #left = Number.POSITIVE_INFINITY

  constructor(parts: EngineParts) {
    this.#parts = parts
    this.#clock = new LifeClock(parts.clock)
    const { simulator, onCut } = parts
    this.firstCall = simulator.callCount
    const streamOf = (stream: StreamName) =>
      new WatchedStream(
        (news) => onCut(stream, news),
        () => simulator.callCount,
      )
    this.streams = { orders: streamOf('orders'), payments: streamOf('payments') }
    this.#world = new SteppedWorld((step) => this.#fateOf(step))
    this.#run = this.#start()
    this.#run.catch(() => undefined)
  }

  /** Chooses the step at which it dies, unless it is chosen. */
  die(death: Death): void {
    if (this.#death !== undefined) return
    this.#death = death
    this.#left = death.steps
  }

  /** Resolves once it is dead; rejects with what ended it otherwise. */
  get dead(): Promise<void> {
    const ended = this.#run.then(({ done }) => done)
    return Promise.race([this.#world.stopped, ended])
  }

  async stop(): Promise<void> {
    await (await this.#run).stop({ graceful: false })
  }

  #fateOf({ call }: Step): Fate {
    const death = this.#death
    if (death === undefined || (death.of === 'writes' && !isWrite(call))) return GOES_ON
    this.#left -= 1
    if (this.#left !== 0) return GOES_ON
    this.lastStep = `${death.when} ${call}`
    this.#clock.end()
    return { kind: 'stops', when: death.when }
  }

  #start(): Promise<Run> {
    const { store, ordinal, takeover, snapshotEvery, batchBytesMax } = this.#parts
    const checkpoint = this.#steppedStore(store, ordinal)
    return start(twoStreams, {
      args: {
        sourceOf: (stream) => this.#sourceOf(stream),
        sinkOf: (output) => this.#sinkOf(output),
      },
      overrides: { checkpoint, snapshotEvery, batchBytesMax },
      takeover,
      clock: this.#clock,
      logger: this.news.logger,
      onEvent: (event) => this.#take(event),
    })
  }

  #take(event: StreamEvent): void {
    this.news.take(event)
    const isExpired = event.kind === 'source-counted' && event.name === 'kinesis.expired-iterators'
    if (isExpired) this.expiredIterators += event.by
  }

  #sourceOf(stream: StreamName) {
    const { random, recordsPerCallMax } = this.#parts
    const options = { stream, startAt: 'TRIM_HORIZON', client: this.#client() } as const
    return this.streams[stream].source({ ...options, recordsPerCallMax }, random)
  }

  #client(): KinesisClient {
    const handler = this.#parts.simulator.requestHandler()
    const world = this.#world
    return new KinesisClient({
      region: 'us-east-1',
      credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
      maxAttempts: 1,
      requestHandler: {
        ...handler,
        handle: (request: HttpRequest, options?: HttpHandlerOptions) => {
          const act = () => handler.handle(request, options)
          return world.change(operationOf(request), act) as ReturnType<typeof act>
        },
      },
    })
  }

  /** The store of all lives, its calls as steps; under a name of this life, since a life that never
   * ended holds the one before. */
  #steppedStore(store: MemoryStore, ordinal: number): CheckpointStore {
    const world = this.#world
    return new Proxy(store as CheckpointStore, {
      get(target, property) {
        const value: unknown = Reflect.get(target, property, target)
        if (property === 'location') return `${target.location}#${ordinal}`
        if (typeof value !== 'function') return value
        const name = String(property)
        const call = value.bind(target) as (...args: unknown[]) => Promise<unknown>
        if (CHANGING.has(name))
          return (...args: unknown[]) => world.change(name, () => call(...args))
        if (READING.has(name)) return (...args: unknown[]) => world.pass(() => call(...args))
        return call
      },
    })
  }

  #sinkOf(output: OutputName): Sink<unknown> {
    const { outputs } = this.#parts
    const world = this.#world
    const sink: DriverSink<unknown> = {
      name: output,
      guarantee: 'exactly-once',
      open: () =>
        Promise.resolve({
          recover: () => Promise.resolve(),
          write: async ({ batchId }, partitions) => {
            const records = structuredClone(partitions.flat(1))
            await world.change(`write ${output}`, async () =>
              outputs.write(output, batchId, records),
            )
            return { records: records.length, bytes: 0 }
          },
          close: () => Promise.resolve(),
        }),
    }
    return sink
  }
}

function isWrite(call: string): boolean {
  return CHANGING.has(call) || call.startsWith('write ')
}

function operationOf({ headers, path }: HttpRequest): string {
  const target = headers['x-amz-target'] ?? path
  return target.slice(1 + Math.max(target.lastIndexOf('.'), target.lastIndexOf('/')))
}

/** The clock of all, until the life has ended. */
class LifeClock implements Clock {
  readonly #clock: Clock
  #ended = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  end(): void {
    this.#ended = true
  }

  wallMs(): number {
    return this.#clock.wallMs()
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs()
  }

  after(delayMs: number, fire: () => void): Cancel {
    return this.#clock.after(delayMs, () => {
      if (!this.#ended) fire()
    })
  }
}

/** All streams of a life, by name. */
export function streamsOf(life: EngineLife): (readonly [StreamName, WatchedStream])[] {
  return STREAMS.map((stream) => [stream, life.streams[stream]] as const)
}
