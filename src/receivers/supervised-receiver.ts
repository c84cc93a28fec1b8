// A receiver that is pushed: what the user's hooks store waits in a bounded buffer until a batch
// takes it. Nothing of it is kept: it cannot be read again.

import type { Clock } from '../clock.ts'
import { StreamingError } from '../errors.ts'
import type { RecordsOf } from './numbered-block.ts'
import { RateLimiter } from './rate-limiter.ts'
import type {
  CutLimits,
  PartitionPositions,
  RangeData,
  Receiver,
  ReceiverContext,
  SourceRange,
} from './receiver.ts'
import { type ReceiverHooks, ReceiverLife } from './receiver-life.ts'
import type { Frames } from './records-block.ts'
import { StoreQueue } from './store-queue.ts'

const PARTITION = 'stored'

/** What the hooks of a receiver can do, whatever its records are. */
export interface Supervisor {
  readonly clock: Clock
  /** Stores records. See `StoreQueue.store`; throws RECEIVER_STOPPED outside of the receiver's
   * life. */
  store(frames: Frames): Promise<void>
  reportError(message: string, error?: unknown): void
  restart(message: string, error: unknown, delayMs: number): void
  stop(message: string, error: unknown): void
  /** Ends the pipeline with an error. */
  fail(error: unknown): void
  count(name: string, by?: number): void
  isStarted(): boolean
  isStopped(): boolean
}

/** How a supervised receiver is made. */
export interface SupervisedSettings<T> {
  readonly name: string
  readonly restartDelayMs: number
  readonly rateMax: number | undefined
  readonly recordsOf: RecordsOf<T>
  readonly hooksOf: (supervisor: Supervisor) => ReceiverHooks
}

/** Receives what hooks store, for one run. */
export class SupervisedReceiver<T> implements Receiver {
  readonly #name: string
  readonly #limiter: RateLimiter
  readonly #queue: StoreQueue<T>
  readonly #life: ReceiverLife

  constructor(settings: SupervisedSettings<T>, context: ReceiverContext) {
    const { name, restartDelayMs, recordsOf } = settings
    const { clock, logger, bufferBytesMax: bytesMax } = context
    this.#name = name
    this.#limiter = new RateLimiter(clock, settings.rateMax)
    const limiter = this.#limiter
    this.#queue = new StoreQueue({
      clock,
      limiter,
      bytesMax,
      name,
      partition: PARTITION,
      recordsOf,
    })
    const { tell, reportError, count } = context
    const life = { clock, logger, name, restartDelayMs, tell, reportError, count }
    const make = (): ReceiverHooks => settings.hooksOf(this.#supervisor(settings, context))
    this.#life = new ReceiverLife(make, life)
    context.signal.addEventListener('abort', () => this.#giveUp(), { once: true })
  }

  start(from: PartitionPositions): Promise<PartitionPositions> {
    const known = from.find(({ partition }) => partition === PARTITION)
    if (known !== undefined) {
      this.#queue.resume(known.position)
      return Promise.resolve(from)
    }
    const { position } = this.#queue
    return Promise.resolve([
      ...from,
      { partition: PARTITION, position, caughtUpAt: 0, parents: [] },
    ])
  }

  run(): void {
    this.#life.begin()
  }

  cut(limits: CutLimits): readonly RangeData[] {
    return this.#queue.take(limits)
  }

  setRate(recordsPerSecond: number): void {
    this.#limiter.setRate(recordsPerSecond)
    this.#queue.retry()
  }

  /** Nothing is left of a batch that was not committed. */
  replay(ranges: readonly SourceRange[]): Promise<readonly RangeData[]> {
    return Promise.resolve(ranges.map((range) => ({ range, blocks: [] })))
  }

  /** Nothing arrives before the start. */
  caughtUp(): boolean {
    return true
  }

  bufferedBytes(): number {
    return this.#queue.bytes
  }

  lagMs(): number | undefined {
    return undefined
  }

  /** Refuses records once `onStop` is over; those that wait then enter the buffer. */
  async stop(): Promise<void> {
    await this.#life.end()
    this.#queue.flush()
  }

  /** The run has ended: no batch will take what waits, and nobody is to wait for that. */
  #giveUp(): void {
    this.#life.refuse()
    this.#queue.flush()
  }

  #supervisor(settings: SupervisedSettings<T>, context: ReceiverContext): Supervisor {
    const { restartDelayMs } = settings
    return {
      clock: context.clock,
      store: (frames) => {
        if (!this.#life.accepts) throw this.#stopped()
        return this.#queue.store(frames)
      },
      reportError: (message, error) => context.reportError(message, error),
      restart: (message, error, delayMs) =>
        this.#life.restart({ message, error, delayMs, meanwhile: 'restarting' }),
      stop: (message, error) =>
        this.#life.restart({ message, error, delayMs: restartDelayMs, meanwhile: 'stopped' }),
      fail: (error) => context.fail(error),
      count: (name, by) => context.count(name, by),
      isStarted: () => this.#life.isStarted,
      isStopped: () => this.#life.isStopped,
    }
  }

  #stopped(): StreamingError {
    return new StreamingError(
      'RECEIVER_STOPPED',
      `Cannot store a record in receiver "${this.#name}": it is stopped; store between onStart ` +
        `and the end of onStop, and look at isStopped()`,
    )
  }
}
