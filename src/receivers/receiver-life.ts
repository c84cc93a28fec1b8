// When a receiver of the user is started and stopped. As in Spark, a receiver that is told to
// restart, stops itself, or fails to start, is started again after a delay, as often as need be.

import { type Clock, sleep } from '../clock.ts'
import type { Logger } from '../events.ts'
import type { ReceiverContext } from './receiver.ts'

/** What a receiver does; made once for each run of the pipeline. */
export interface ReceiverHooks {
  /** Begins to receive: opens what it needs and returns; or receives until the promise that it
   * gives resolves. What it throws restarts the receiver. */
  onStart(): void | Promise<void>
  /** Ends what `onStart` began. Records may be stored until it has returned, or until the promise
   * that it gives has resolved: a graceful stop waits for it. */
  onStop?(): void | Promise<void>
}

/** `restarting` waits to be started again and takes records meanwhile; `stopped` takes none. */
type State = 'initialized' | 'started' | 'stopping' | 'restarting' | 'stopped'

interface Restart {
  readonly message: string
  readonly error: unknown
  readonly delayMs: number
  readonly meanwhile: 'restarting' | 'stopped'
}

/** What the life of a receiver depends on. */
export type LifeContext = Pick<ReceiverContext, 'tell' | 'reportError' | 'count'> & {
  readonly clock: Clock
  readonly logger: Logger
  readonly name: string
  readonly restartDelayMs: number
}

/** Starts, stops and restarts one receiver. */
export class ReceiverLife {
  readonly #make: () => ReceiverHooks
  readonly #context: LifeContext
  readonly #ending = new AbortController()
  #hooks: ReceiverHooks | undefined
  #state: State = 'initialized'
  #starts = 0
  #refuses = false
  /** Ends when a stop that is under way is over, with the wait for the next start. */
  #pause: Promise<void> = Promise.resolve()
  #ended: Promise<void> | undefined

  /** `make` is called once, at the first start. */
  constructor(make: () => ReceiverHooks, context: LifeContext) {
    this.#make = make
    this.#context = context
  }

  get isStarted(): boolean {
    return this.#state === 'started'
  }

  /** True once a stop has begun, until the next start. */
  get isStopped(): boolean {
    return this.#state !== 'started' && this.#state !== 'initialized'
  }

  /** True while records may be stored. */
  get accepts(): boolean {
    return !this.#refuses && this.#state !== 'stopped' && this.#state !== 'initialized'
  }

  /** Starts the receiver for the first time. */
  begin(): void {
    if (this.#ended === undefined) this.#start()
  }

  /** Stops the receiver and starts it again, not before this has returned. Nothing happens unless
   * the receiver is started. */
  restart(restart: Restart): void {
    if (this.#state !== 'started' || this.#ended !== undefined) return
    this.#state = 'stopping'
    const { message, error, delayMs } = restart
    this.#context.count('receiver-restarts')
    this.#context.logger.warn(
      { err: error, source: this.#context.name, delayMs },
      `A receiver is restarted: ${message}`,
    )
    this.#context.tell({ kind: 'receiver-restarted', message, error, delayMs })
    this.#pause = this.#stopAndStart(restart)
  }

  /** Stops the receiver for good. Resolves once `onStop` is over. */
  end(): Promise<void> {
    this.#ended ??= this.#end()
    return this.#ended
  }

  /** No record is taken from now on. */
  refuse(): void {
    this.#refuses = true
  }

  async #end(): Promise<void> {
    const wasStarted = this.#state === 'started'
    if (wasStarted) this.#state = 'stopping'
    this.#ending.abort()
    if (wasStarted) await this.#callOnStop()
    else await this.#pause
    this.#state = 'stopped'
  }

  async #stopAndStart({ delayMs, meanwhile }: Restart): Promise<void> {
    // Whoever asked for it may be in the middle of something.
    await Promise.resolve()
    await this.#callOnStop()
    this.#state = meanwhile
    this.#context.tell({ kind: 'receiver-stopped' })
    await sleep(this.#context.clock, delayMs, this.#ending.signal).catch(() => undefined)
    if (this.#ending.signal.aborted) return
    this.#context.tell({ kind: 'receiver-started' })
    this.#start()
  }

  #start(): void {
    this.#state = 'started'
    this.#starts += 1
    const start = this.#starts
    try {
      this.#hooks ??= this.#make()
      Promise.resolve(this.#hooks.onStart()).catch((error: unknown) => this.#failed(error, start))
    } catch (error) {
      this.#failed(error, start)
    }
  }

  /** `onStart` threw. Once the receiver is being stopped, that is how it ends. */
  #failed(error: unknown, start: number): void {
    if (start !== this.#starts || this.#state !== 'started') {
      const { logger, name } = this.#context
      logger.debug({ err: error, source: name }, 'onStart of a receiver failed as it was stopped')
      return
    }
    this.#context.reportError('onStart of the receiver failed', error)
    this.restart({
      message: 'onStart failed',
      error,
      delayMs: this.#context.restartDelayMs,
      meanwhile: 'restarting',
    })
  }

  async #callOnStop(): Promise<void> {
    try {
      await this.#hooks?.onStop?.()
    } catch (error) {
      this.#context.reportError('onStop of the receiver failed', error)
    }
  }
}
