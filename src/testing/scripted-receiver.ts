// A receiver of one's own whose life is written down.

import type { Cancel } from '../clock.ts'
import { type Duration, durationMs } from '../duration.ts'
import {
  type CustomReceiverOptions,
  customReceiver,
  type ReceiverSupervisor,
} from '../receivers/custom-receiver.ts'
import type { Receiver, ReceiverContext, Source } from '../receivers/receiver.ts'

/** What a scripted receiver does at a time: stores records, reports an error, restarts or stops. */
export type ScriptStep<T> = {
  /** From the first start of the receiver. A batch takes what was stored before its time. */
  readonly at: Duration
} & (
  | { readonly store: readonly T[] }
  | { readonly error: string; readonly cause?: unknown }
  | { readonly restart: string; readonly cause?: unknown; readonly delay?: Duration }
  | { readonly stop: string; readonly cause?: unknown }
)

/** How a scripted receiver runs. */
export interface ScriptedReceiverOptions extends CustomReceiverOptions {
  /** @default 'scripted-receiver' */
  readonly name?: string
}

/** A source that is pushed, as a socket is, and does what a script says on the clock of the run:
 * with a `ManualClock` without real time. The script goes on while the receiver is restarted; a
 * stop and the start after it need a move of the clock each, since `onStop` may take its time.
 *
 * @example
 * ```ts
 * const receiver = new ScriptedReceiver([
 *   { at: 100, store: ['a', 'b'] },
 *   { at: 1_100, error: 'lost the connection' },
 *   { at: 1_900, store: ['c'] },
 * ])
 * const clock = new ManualClock()
 * const sink = new CollectingSink<string>()
 * const p = pipeline('p', { batchInterval: '1s', checkpoint: false }, (ssc) => {
 *   ssc.receive(receiver).writeTo(sink)
 * })
 * const run = await start(p, { clock, logger: quietLogger })
 * const errors: string[] = []
 * run.on('receiver-error', ({ message }) => errors.push(message))
 * for (const _ of [1, 2]) {
 *   const completed = new Promise((resolve) => run.on('batch-completed', resolve))
 *   clock.advance(1_000)
 *   await completed
 * }
 * await run.stop()
 * assert.deepEqual([sink.batches.get(1), sink.batches.get(2)], [[['a', 'b']], [['c']]])
 * assert.deepEqual(errors, ['lost the connection'])
 * ```
 */
export class ScriptedReceiver<T> implements Source<T> {
  readonly name: string
  readonly replayable = false
  readonly #script: readonly ScriptStep<T>[]
  readonly #source: Source<T>
  readonly #refused: unknown[] = []
  readonly #timers: Cancel[] = []
  #starts = 0
  #stops = 0

  constructor(script: readonly ScriptStep<T>[], options: ScriptedReceiverOptions = {}) {
    const { name = 'scripted-receiver' } = options
    this.name = name
    this.#script = script
    this.#source = customReceiver<T>(name, (supervisor) => this.#hooks(supervisor), options)
  }

  /** How often the receiver was started. */
  get starts(): number {
    return this.#starts
  }

  /** How often the receiver was stopped. */
  get stops(): number {
    return this.#stops
  }

  /** The errors of stores that were refused, such as RECEIVER_STOPPED. */
  get refused(): readonly unknown[] {
    return this.#refused
  }

  /** Called by the engine. */
  open(context: ReceiverContext): Receiver {
    context.signal.addEventListener('abort', () => this.#cancel(), { once: true })
    return this.#source.open(context)
  }

  #hooks(supervisor: ReceiverSupervisor<T>) {
    let planned = false
    return {
      onStart: () => {
        this.#starts += 1
        if (planned) return
        planned = true
        for (const step of this.#script) {
          const delayMs = durationMs(step.at, 'at')
          this.#timers.push(supervisor.clock.after(delayMs, () => this.#do(step, supervisor)))
        }
      },
      onStop: () => {
        this.#stops += 1
      },
    }
  }

  #do(step: ScriptStep<T>, supervisor: ReceiverSupervisor<T>): void {
    if ('store' in step) this.#store(step.store, supervisor)
    else if ('error' in step) supervisor.reportError(step.error, step.cause)
    else if ('restart' in step) supervisor.restart(step.restart, step.cause, step.delay)
    else supervisor.stop(step.stop, step.cause)
  }

  #store(records: readonly T[], supervisor: ReceiverSupervisor<T>): void {
    supervisor.storeAll(records).catch((error: unknown) => this.#refused.push(error))
  }

  #cancel(): void {
    for (const cancel of this.#timers.splice(0)) cancel()
  }
}
