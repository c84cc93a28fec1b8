// A Kinesis-compatible server inside the demo's process, with its data on disk.

import { once } from 'node:events'
import type { IncomingMessage, Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import {
  CreateStreamCommand,
  DeleteStreamCommand,
  DescribeStreamSummaryCommand,
  IncreaseStreamRetentionPeriodCommand,
  KinesisClient,
} from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { pause } from './pause.ts'

export const STREAM = 'speeches'
export const REGION = 'us-east-1'
/** The server takes any key; without one the client would look for a real one. */
export const CREDENTIALS = { accessKeyId: 'demo', secretAccessKey: 'demo' }

const SHARDS = 4
const RETENTION_HOURS = 168
const STATUS_WAIT_MS = 3_000
const LAST_REQUESTS_MS = 100

const require = createRequire(import.meta.url)

type Kinesalite = (options: {
  readonly path: string
  readonly createStreamMs: number
  readonly deleteStreamMs: number
}) => Server

interface NativeStore {
  open(done: (error: Error | null) => void): void
  close(done: (error: Error | null) => void): void
}

/** Another process holds the stream's store. */
export class StoreHeldError extends Error {
  override readonly name = 'StoreHeldError'
}

/** Holds the stream `speeches`. */
export class StreamServer {
  readonly #server: Server
  readonly endpoint: string

  private constructor(server: Server) {
    this.#server = server
    this.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  /** Opens the store at `path`, listens on a free port and makes the stream if it is not there. */
  static async open(path: string): Promise<StreamServer> {
    await checkStore(path)
    const kinesalite = require('kinesalite') as Kinesalite
    const server = kinesalite({ path, createStreamMs: 0, deleteStreamMs: 0 })
    server.on('request', ignoreLostClient)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const opened = new StreamServer(server)
    await opened.#makeStream()
    return opened
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

  /** Closes port and store. The server throws on a request that meets a closed store, hence the
   * wait. */
  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await pause(LAST_REQUESTS_MS)
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  async #makeStream(): Promise<void> {
    const client = this.client()
    try {
      const status = await settledStatus(client)
      if (status === 'ACTIVE') return
      // A process that died within the creation leaves a stream that never becomes active.
      if (status !== undefined) await client.send(new DeleteStreamCommand({ StreamName: STREAM }))
      await waitForStatus(client, undefined)
      await client.send(new CreateStreamCommand({ StreamName: STREAM, ShardCount: SHARDS }))
      await waitForStatus(client, 'ACTIVE')
      const retention = { StreamName: STREAM, RetentionPeriodHours: RETENTION_HOURS }
      await client.send(new IncreaseStreamRetentionPeriodCommand(retention))
    } finally {
      client.destroy()
    }
  }
}

/** Says early, and in words, what would otherwise end the process from within the server. */
export async function checkStore(path: string): Promise<void> {
  const store = loadNativeStore(path)
  await new Promise<void>((resolve, reject) => {
    store.open((error) => {
      if (error === null || error === undefined) store.close(() => resolve())
      else reject(storeError(path, error))
    })
  })
}

function loadNativeStore(path: string): NativeStore {
  try {
    const fromServer = createRequire(require.resolve('kinesalite'))
    return (fromServer('leveldown') as (path: string) => NativeStore)(path)
  } catch (error) {
    throw new Error(
      `Cannot keep the stream on disk: the store "leveldown" of kinesalite does not load (` +
        `${(error as Error).message}); run \`npm rebuild leveldown\`, which needs python3 and a ` +
        `C++ compiler where no ready build fits`,
      { cause: error },
    )
  }
}

function storeError(path: string, cause: Error): Error {
  const cannot = `Cannot open the stream's store "${path}":`
  return /lock/i.test(cause.message)
    ? new StoreHeldError(
        `${cannot} another demo holds it; stop that one, or name another folder with --folder`,
        { cause },
      )
    : new Error(`${cannot} ${cause.message}; start with --fresh`, { cause })
}

/** The server rethrows a request's error, and an engine that is killed leaves requests without a
 * client. */
function ignoreLostClient(request: IncomingMessage): void {
  request.removeAllListeners('error')
  request.on('error', () => undefined)
}

async function statusOf(client: KinesisClient): Promise<string | undefined> {
  try {
    const answer = await client.send(new DescribeStreamSummaryCommand({ StreamName: STREAM }))
    return answer.StreamDescriptionSummary?.StreamStatus
  } catch (error) {
    if ((error as Error).name === 'ResourceNotFoundException') return undefined
    throw error
  }
}

/** The status once it is not between two, or after a while the one it is stuck in. */
async function settledStatus(client: KinesisClient): Promise<string | undefined> {
  const until = performance.now() + STATUS_WAIT_MS
  let status = await statusOf(client)
  while (status !== undefined && status !== 'ACTIVE' && performance.now() < until) {
    await pause(50)
    status = await statusOf(client)
  }
  return status
}

async function waitForStatus(client: KinesisClient, wanted: string | undefined): Promise<void> {
  const until = performance.now() + STATUS_WAIT_MS
  while ((await statusOf(client)) !== wanted) {
    if (performance.now() > until) {
      throw new Error(`Cannot make the stream "${STREAM}": it does not become ${wanted ?? 'free'}`)
    }
    await pause(10)
  }
}
