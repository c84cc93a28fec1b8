import { encode } from '../batch/codec.ts'
import type { Clock } from '../clock.ts'
import { type Duration, durationMs } from '../duration.ts'
import { ConfigError } from '../errors.ts'
import { NumberedBlock } from './numbered-block.ts'
import type { Source } from './receiver.ts'
import type { ReceiverHooks } from './receiver-life.ts'
import { EncodedRecords, type Frames } from './records-block.ts'
import { SupervisedReceiver, type Supervisor } from './supervised-receiver.ts'

/** What a receiver of one's own works with: the methods of Spark's `Receiver`. */
export interface ReceiverSupervisor<T> {
  /** The time of the pipeline; in tests it is moved by hand. */
  readonly clock: Clock
  /** Stores one record: a value that a checkpoint could keep, copied as it is now.
   *
   * The promise resolves once the record is in the buffer: when there was room for it, and the rate
   * allowed it. Wait for it before the next record, and the source is slowed down. Rejects with
   * RECEIVER_STOPPED outside of the receiver's life, BUFFER_FULL if as many bytes wait already as
   * the buffer may hold, and VALUE_NOT_STORABLE. */
  store(record: T): Promise<void>
  /** Stores records in their order, as `store` does one; if one is refused, none is stored. */
  storeAll(records: Iterable<T>): Promise<void>
  /** Tells of an error that the receiver lives with: as the event `receiver-error`, and in the
   * log. */
  reportError(message: string, error?: unknown): void
  /** Stops the receiver and starts it again after `delay` (by default the option `restartDelay`).
   * Returns at once; counted as `receiver-restarts`, and told as the event `receiver-restarted`.
   * Records may be stored meanwhile. Nothing happens while a stop is under way already. */
  restart(message: string, error?: unknown, delay?: Duration): void
  /** Stops the receiver: no record is taken after `onStop`. As in Spark a receiver that stops
   * itself is started again; here after `restartDelay`. */
  stop(message: string, error?: unknown): void
  /** True from a start to the stop after it. */
  isStarted(): boolean
  /** True once a stop has begun, until the next start. */
  isStopped(): boolean
}

/** How a receiver of one's own runs. */
export interface CustomReceiverOptions {
  /** Time between the stop and the start of a restart. @default '2s', as in Spark */
  readonly restartDelay?: Duration
  /** Records a second that may be stored. @default no limit of its own */
  readonly rateMax?: number
}

/** Records that a receiver of one's own stores: Spark's `receiverStream`.
 *
 * `make` is called at the first start of each run and gives the receiver's hooks. Not replayable:
 * what was stored and not committed ends with the process. What is stored waits in a buffer of
 * `bufferBytesMax` bytes, and a store waits for room in it.
 * Throws ConfigError for options that cannot work.
 *
 * @example
 * ```ts
 * const ticks = customReceiver<number>('ticks', (supervisor) => ({
 *   onStart: () => supervisor.storeAll([1, 2, 3]),
 * }))
 * const sink = new CollectingSink<number>()
 * const p = pipeline('p', { batchInterval: 10, checkpoint: false }, (ssc) => {
 *   ssc.receive(ticks).map((n) => n * 2).writeTo(sink)
 * })
 * await (await start(p)).stop()
 * assert.deepEqual(sink.records(), [2, 4, 6])
 * ```
 */
export function customReceiver<T>(
  name: string,
  make: (supervisor: ReceiverSupervisor<T>) => ReceiverHooks,
  options: CustomReceiverOptions = {},
): Source<T> {
  const settings = { name, ...supervisedOptions(options) }
  const restartDelayMs = settings.restartDelayMs
  return {
    name,
    replayable: false,
    open: (context) =>
      new SupervisedReceiver<T>(
        {
          ...settings,
          recordsOf: (frames) => new EncodedRecords<T>(frames),
          hooksOf: (supervisor) => make(publicSupervisor<T>(supervisor, name, restartDelayMs)),
        },
        context,
      ),
    fromParcel: (content) => NumberedBlock.fromParcel(content) as NumberedBlock<T>,
  }
}

/** Checks the options that all supervised receivers have. */
export function supervisedOptions({ restartDelay = '2s', rateMax }: CustomReceiverOptions): {
  readonly restartDelayMs: number
  readonly rateMax: number | undefined
} {
  if (rateMax !== undefined && !(rateMax > 0 && Number.isFinite(rateMax))) {
    throw new ConfigError(
      `Cannot use ${rateMax} as rateMax: it must be greater than 0, in records a second`,
    )
  }
  return { restartDelayMs: durationMs(restartDelay, 'restartDelay'), rateMax }
}

function publicSupervisor<T>(
  supervisor: Supervisor,
  name: string,
  restartDelayMs: number,
): ReceiverSupervisor<T> {
  const what = `a record of receiver "${name}"`
  const { clock, reportError, isStarted, isStopped } = supervisor
  return {
    clock,
    reportError,
    isStarted,
    isStopped,
    // Copied before the promise is given: the caller may change the record then.
    async store(record) {
      const bytes = encode(record, what)
      await supervisor.store({ bytes, starts: [0, bytes.length] })
    },
    async storeAll(records) {
      await supervisor.store(framesOf(records, what))
    },
    restart: (message, error, delay = restartDelayMs) =>
      supervisor.restart(message, error, durationMs(delay, 'the delay of a restart')),
    stop: (message, error) => supervisor.stop(message, error),
  }
}

function framesOf(records: Iterable<unknown>, what: string): Frames {
  const encoded = Array.from(records, (record) => encode(record, what))
  const starts = [0]
  for (const { length } of encoded) starts.push((starts.at(-1) as number) + length)
  return { bytes: Buffer.concat(encoded), starts }
}
