import { connect, type Socket } from 'node:net'
import { oneOf, wholeWithin } from '../allowed-values.ts'
import { Lines } from '../batch/lines.ts'
import { type Duration, durationMs, positiveDurationMs } from '../duration.ts'
import { ConfigError, codeOf, messageOf, StreamingError } from '../errors.ts'
import { type CustomReceiverOptions, supervisedOptions } from './custom-receiver.ts'
import { LineSplitter, ON_LONG_LINE } from './line-splitter.ts'
import { NumberedBlock } from './numbered-block.ts'
import type { Source } from './receiver.ts'
import type { ReceiverHooks } from './receiver-life.ts'
import { SupervisedReceiver, type Supervisor } from './supervised-receiver.ts'

/** Which server to read from, and how. */
export interface SocketLinesOptions extends CustomReceiverOptions {
  /** Name or address of the server. */
  readonly host: string
  /** 1 to 65,535. */
  readonly port: number
  /** Time until a connection that was not made is given up. @default '10s' */
  readonly connectTimeout?: Duration
  /** Bytes that a line may have, without its ending, at most 8 MiB. @default 1 MiB */
  readonly lineBytesMax?: number
  /** What a longer line does: stop the pipeline with RECORD_INVALID, or be dropped and counted as
   * `lines-dropped`. @default 'stop' */
  readonly onLongLine?: 'stop' | 'drop'
}

interface SocketSettings {
  readonly host: string
  readonly port: number
  /** What messages call the server. */
  readonly place: string
  readonly restartDelayMs: number
  readonly connectTimeoutMs: number
  readonly lineBytesMax: number
  readonly onLongLine: 'stop' | 'drop'
}

const MIB = 1_048_576

/** The lines that a TCP server sends: Spark's `socketTextStream`.
 *
 * Lines are UTF-8 and end with `\n` or `\r\n`; they come in their order. A connection that fails,
 * or that the server ends, is made again after `restartDelay`, as often as need be, and each time
 * is told as the event `receiver-restarted`. At the bound `bufferBytesMax` the socket is not read,
 * so that the server waits. Not replayable: what was received and not committed ends with the
 * process. Throws ConfigError for options that cannot work; the start does not wait for the server.
 *
 * @example
 * ```ts
 * const source = socketLines({ host: 'localhost', port: 9999 })
 * assert.equal(source.name, 'socketLines:localhost:9999')
 * assert.equal(source.replayable, false)
 * ```
 */
export function socketLines(options: SocketLinesOptions): Source<string> {
  const settings = socketSettings(options)
  const { rateMax, restartDelayMs } = supervisedOptions(options)
  const name = `socketLines:${settings.place}`
  const recordsOf = ({ bytes }: { readonly bytes: Uint8Array }): Lines => new Lines(bytes)
  const hooksOf = (supervisor: Supervisor): ReceiverHooks => new SocketHooks(settings, supervisor)
  return {
    name,
    replayable: false,
    open: (context) =>
      new SupervisedReceiver({ name, restartDelayMs, rateMax, recordsOf, hooksOf }, context),
    fromParcel: (content) => NumberedBlock.fromParcel(content) as NumberedBlock<string>,
  }
}

function socketSettings(options: SocketLinesOptions): SocketSettings {
  const { host, port, lineBytesMax = MIB } = options
  if (typeof host !== 'string' || host === '') {
    throw new ConfigError(`Cannot read from host ${JSON.stringify(host)}: give its name or address`)
  }
  wholeWithin(port, 'port', 1, 65_535)
  wholeWithin(lineBytesMax, 'lineBytesMax', 1, 8 * MIB)
  const onLongLine = oneOf(options.onLongLine ?? 'stop', ON_LONG_LINE, 'onLongLine')
  const connectTimeoutMs = positiveDurationMs(options.connectTimeout ?? '10s', 'connectTimeout')
  const restartDelayMs = durationMs(options.restartDelay ?? '2s', 'restartDelay')
  const limits = { lineBytesMax, onLongLine, connectTimeoutMs, restartDelayMs }
  return { host, port, place: `${host}:${port}`, ...limits }
}

/** One connection at a time. */
class SocketHooks implements ReceiverHooks {
  readonly #settings: SocketSettings
  readonly #supervisor: Supervisor
  #socket: Socket | undefined

  constructor(settings: SocketSettings, supervisor: Supervisor) {
    this.#settings = settings
    this.#supervisor = supervisor
  }

  async onStart(): Promise<void> {
    const { place } = this.#settings
    const socket = this.#connect()
    this.#socket = socket
    try {
      await this.#receive(socket)
      this.#restart(`the server at ${place} ended the connection`, undefined)
    } catch (error) {
      if (codeOf(error) === 'RECORD_INVALID') return
      const why = messageOf(error) || codeOf(error)
      this.#restart(`the connection to ${place} failed: ${why}`, error)
    }
  }

  onStop(): void {
    this.#socket?.destroy()
  }

  #connect(): Socket {
    const { host, port, place, connectTimeoutMs } = this.#settings
    const socket = connect({ host, port, keepAlive: true })
    const give = (): unknown =>
      socket.destroy(new Error(`no answer from ${place} within ${connectTimeoutMs} ms`))
    const cancel = this.#supervisor.clock.after(connectTimeoutMs, give)
    socket.once('connect', cancel).once('close', cancel)
    return socket
  }

  /** Reads to the end of the connection. A piece is read when the one before is stored. */
  async #receive(socket: Socket): Promise<void> {
    const lines = new LineSplitter(this.#settings.lineBytesMax, () => this.#onLongLine())
    try {
      for await (const piece of socket) {
        for (const run of lines.push(piece as Uint8Array)) await this.#supervisor.store(run)
      }
      for (const run of lines.end()) await this.#supervisor.store(run)
    } finally {
      if (lines.keptBytes > 0) this.#supervisor.count('partial-lines-dropped')
    }
  }

  #restart(message: string, error: unknown): void {
    this.#supervisor.restart(message, error, this.#settings.restartDelayMs)
  }

  #onLongLine(): void {
    const { lineBytesMax, onLongLine, place } = this.#settings
    if (onLongLine === 'drop') {
      this.#supervisor.count('lines-dropped')
      return
    }
    const error = new StreamingError(
      'RECORD_INVALID',
      `Cannot read from ${place}: a line is longer than lineBytesMax (${lineBytesMax} bytes); ` +
        `raise it, or set onLongLine to 'drop'`,
    )
    this.#supervisor.fail(error)
    throw error
  }
}
