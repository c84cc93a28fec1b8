// The simulated Kinesis service inside the demo's process, with its data on disk.

import { KinesisClient } from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { ConfigError } from 'millrace'
import { KinesisSimulator } from 'millrace/testing'

export const STREAM = 'speeches'
export const REGION = 'us-east-1'
/** The server takes any key; without one the client would look for a real one. */
export const CREDENTIALS = { accessKeyId: 'demo', secretAccessKey: 'demo' }

const SHARDS = 4
const RETENTION_HOURS = 168

/** Another process holds the stream's store. */
export class StoreHeldError extends Error {
  override readonly name = 'StoreHeldError'
}

/** Holds the stream `speeches`. */
export class StreamServer {
  readonly #simulator: KinesisSimulator
  readonly endpoint: string

  private constructor(simulator: KinesisSimulator, endpoint: string) {
    this.#simulator = simulator
    this.endpoint = endpoint
  }

  /** Opens the store at `path`, listens on a free port and makes the stream if it is not there. */
  static async open(path: string): Promise<StreamServer> {
    const simulator = openStore(path)
    makeStream(simulator)
    return new StreamServer(simulator, await simulator.listen())
  }

  /** A client that asks once: the producer decides itself what to do about a put without an
   * answer. */
  client(): KinesisClient {
    return new KinesisClient({
      endpoint: this.endpoint,
      region: REGION,
      credentials: CREDENTIALS,
      maxAttempts: 1,
      requestHandler: new NodeHttpHandler(),
    })
  }

  /** Closes port and store. */
  close(): Promise<void> {
    return this.#simulator.close()
  }
}

/** Says early, and in words, what is wrong with the store at `path`. */
export async function checkStore(path: string): Promise<void> {
  await openStore(path).close()
}

function openStore(path: string): KinesisSimulator {
  try {
    // The demo is about kills, and its producer asks once: nothing is throttled.
    return new KinesisSimulator({ path, region: REGION, limits: 'off' })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw storeError(path, error)
  }
}

function storeError(path: string, cause: Error): Error {
  const cannot = `Cannot open the stream's store "${path}":`
  return /has it open/.test(cause.message)
    ? new StoreHeldError(
        `${cannot} another demo holds it; stop that one, or name another folder with --folder`,
        { cause },
      )
    : new Error(`${cannot} ${cause.message}; start with --fresh`, { cause })
}

function makeStream(simulator: KinesisSimulator): void {
  const { StreamNames } = simulator.call('ListStreams', {})
  if ((StreamNames as readonly string[]).includes(STREAM)) return
  simulator.call('CreateStream', { StreamName: STREAM, ShardCount: SHARDS })
  const retention = { StreamName: STREAM, RetentionPeriodHours: RETENTION_HOURS }
  simulator.call('IncreaseStreamRetentionPeriod', retention)
}
