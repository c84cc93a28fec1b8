// A checkpoint in a bucket.
//
// All safety rests on one header, If-None-Match: *, which lets one writer create a key. A service
// that ignores it lets two processes own one log; it is found out when the store is opened.
//
// A PUT may succeed and its answer be lost. Each call carries a nonce of its own as metadata of
// the object, so that the 412 of the next attempt can be told from a slot that another one won.

import { randomUUID } from 'node:crypto'
import PQueue from 'p-queue'
import { wholeWithin } from '../allowed-values.ts'
import { present } from '../assert.ts'
import { type Clock, systemClock } from '../clock.ts'
import { ConfigError, codeOf, messageOf, StreamingError } from '../errors.ts'
import { httpStatusOf } from '../service-calls.ts'
import { SLOTS } from './format.ts'
import { ATTEMPT_MS, type CallTimes, S3Calls } from './s3-calls.ts'
import { placeOf, type S3Place, type S3StoreOptions } from './s3-options.ts'
import type { CheckpointStore, StoreRecipe } from './store.ts'

type Sdk = typeof import('@aws-sdk/client-s3')

/** What a test gives in place of the machine's own. */
export interface S3StoreParts {
  readonly clock?: Clock
  readonly random?: () => number
  readonly load?: () => Promise<Sdk>
}

/** Calls about the log end before the lease of its owner does. */
const LEASE_MS = 10_000

/** A sign of life that comes late is none: the next one follows at once. */
const SIGN_TIMES: CallTimes = { attemptMs: ATTEMPT_MS, allMs: ATTEMPT_MS }

/** Objects may be large: what a slow line carries in a millisecond is added to their time. */
const BYTES_PER_MS_MIN = 1_000
const READ_MS = 60_000

const CONCURRENT_CALLS_MAX = 8

/** Racers for one key when the store is opened. A service that looks and then writes, instead of
 * doing both at once, lets several of them win. */
const RACERS = 8

const NONCE = 'millrace-nonce'
const NOT_FOUND = 404
const NOT_NEW = 412

interface Connection {
  readonly sdk: Sdk
  readonly client: { send(command: object, options: object): Promise<unknown> }
  readonly destroy: () => void
}

/** Keeps a checkpoint in an S3 bucket, or in that of a compatible service which honours conditional
 * writes. Needs the package `@aws-sdk/client-s3`; `checkpoint: 's3://bucket/prefix'` is short for
 * a store with the SDK's own settings.
 *
 * The start rejects with CHECKPOINT_UNSAFE if the service ignores conditional writes, and with
 * CHECKPOINT_UNWRITABLE if it refuses. Throws ConfigError for options that cannot work.
 *
 * @example
 * ```ts
 * const store = new S3Store({ bucket: 'checkpoints', prefix: 'trending', region: 'eu-central-1' })
 * assert.equal(store.location, 's3://checkpoints/trending')
 * ```
 */
export class S3Store implements CheckpointStore {
  readonly kind = 's3'
  readonly appends = false
  readonly location: string
  readonly #options: S3StoreOptions
  readonly #place: S3Place
  readonly #calls: S3Calls
  readonly #load: () => Promise<Sdk>
  readonly #queue: PQueue
  #connection: Connection | undefined
  #isClosed = false

  constructor(options: S3StoreOptions, parts: S3StoreParts = {}) {
    this.#options = options
    this.#place = placeOf(options)
    const { bucket, prefix } = this.#place
    const where = options.endpoint === undefined ? '' : ` at ${options.endpoint}`
    this.location = `s3://${`${bucket}/${prefix}`.replace(/\/$/, '')}${where}`
    this.#calls = new S3Calls(parts.clock ?? systemClock, parts.random ?? Math.random)
    this.#load = parts.load ?? (() => import('@aws-sdk/client-s3'))
    const { concurrentCallsMax = CONCURRENT_CALLS_MAX } = options
    wholeWithin(concurrentCallsMax, 'concurrentCallsMax', 1, 1_000)
    this.#queue = new PQueue({ concurrency: concurrentCallsMax })
  }

  /** A client of one's own stays in its thread. */
  get recipe(): StoreRecipe | undefined {
    if (this.#options.client !== undefined) return undefined
    return { module: import.meta.url, name: 'S3Store', input: this.#options }
  }

  /** Calls that failed and were made again. */
  get retries(): number {
    return this.#calls.retries
  }

  /** Loads the client, and makes sure that the service lets exactly one writer create a key. */
  async open(): Promise<void> {
    this.#isClosed = false
    this.#connection ??= await this.#connect()
    await this.#guarded(async () => {
      await this.#page('', undefined, 1)
      await this.#probe()
    })
  }

  createIfAbsent(name: string, bytes: Uint8Array): Promise<boolean> {
    return this.#guarded(() => this.#inTurn(name, () => this.#create(name, bytes)))
  }

  async put(name: string, bytes: Uint8Array): Promise<void> {
    if (!this.#isClosed) this.#connection ??= await this.#connect()
    if (this.#isClosed) {
      this.#disconnect()
      throw closed(this.location)
    }
    const { sdk } = this.#open()
    const command = new sdk.PutObjectCommand({ ...this.#keyOf(name), Body: bytes })
    await this.#guarded(() => this.#send(command, SIGN_TIMES))
  }

  append(name: string): Promise<void> {
    return Promise.reject(new Error(`millrace bug: "${name}" of an S3 store cannot grow`))
  }

  sync(name: string): Promise<void> {
    return Promise.reject(new Error(`millrace bug: "${name}" of an S3 store cannot grow`))
  }

  read(name: string): Promise<Uint8Array | undefined> {
    const times = { attemptMs: READ_MS, allMs: READ_MS + LEASE_MS }
    return this.#guarded(() =>
      this.#inTurn(name, () =>
        this.#calls.run(times, async (signal) => {
          const { sdk, client } = this.#open()
          const command = new sdk.GetObjectCommand(this.#keyOf(name))
          const begun = this.#calls.begun((late) => {
            return client.send(command, { abortSignal: AbortSignal.any([signal, late]) })
          }, signal)
          const answer = await orUndefined(begun)
          return await (answer as GetAnswer | undefined)?.Body?.transformToByteArray()
        }),
      ),
    )
  }

  exists(name: string): Promise<boolean> {
    return this.#guarded(() =>
      this.#inTurn(name, async () => (await this.#head(name, timesOf(0))) !== undefined),
    )
  }

  list(prefix: string): Promise<string[]> {
    return this.#guarded(async () => {
      const names: string[] = []
      let token: string | undefined
      do {
        const page = await this.#page(prefix, token)
        for (const { Key = '' } of page.Contents ?? []) {
          names.push(Key.slice(this.#place.prefix.length))
        }
        token = page.NextContinuationToken
      } while (token !== undefined)
      return names.sort((a, b) => (a < b ? -1 : Number(a > b)))
    })
  }

  delete(name: string): Promise<void> {
    return this.#guarded(() =>
      this.#inTurn(name, async () => {
        const { sdk } = this.#open()
        await this.#send(new sdk.DeleteObjectCommand(this.#keyOf(name)), timesOf(0))
      }),
    )
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#queue.onIdle()
    this.#disconnect()
  }

  #disconnect(): void {
    this.#connection?.destroy()
    this.#connection = undefined
  }

  async #connect(): Promise<Connection> {
    const sdk = await this.#sdk()
    const { client, region, endpoint, credentials } = this.#options
    if (client !== undefined) {
      return { sdk, client: client as unknown as Connection['client'], destroy: () => undefined }
    }
    const own = new sdk.S3Client({
      ...(region === undefined ? {} : { region }),
      ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
      ...(credentials === undefined ? {} : { credentials }),
      maxAttempts: 1,
      // Services other than AWS's own refuse, or do not know, checksums that are not asked for.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    })
    return { sdk, client: own as unknown as Connection['client'], destroy: () => own.destroy() }
  }

  async #sdk(): Promise<Sdk> {
    try {
      return await this.#load()
    } catch (cause) {
      if (codeOf(cause) !== 'ERR_MODULE_NOT_FOUND') throw cause
      throw new ConfigError(
        `Cannot use checkpoint "${this.location}": the package @aws-sdk/client-s3 must be ` +
          `installed; run \`npm i @aws-sdk/client-s3\``,
        { cause },
      )
    }
  }

  async #create(name: string, bytes: Uint8Array): Promise<boolean> {
    const { sdk, client } = this.#open()
    const nonce = randomUUID()
    const input = {
      ...this.#keyOf(name),
      Body: bytes,
      IfNoneMatch: '*',
      Metadata: { [NONCE]: nonce },
    }
    const times = name.startsWith(SLOTS) ? timesOf(0) : timesOf(bytes.length)
    return this.#calls.run(times, async (signal) => {
      try {
        await client.send(new sdk.PutObjectCommand(input), { abortSignal: signal })
        return true
      } catch (error) {
        if (httpStatusOf(error) !== NOT_NEW) throw error
        const command = new sdk.HeadObjectCommand(this.#keyOf(name))
        const found = await orUndefined(client.send(command, { abortSignal: signal }))
        return (found as HeadAnswer | undefined)?.Metadata?.[NONCE] === nonce
      }
    })
  }

  async #head(name: string, times: CallTimes): Promise<unknown> {
    const { sdk, client } = this.#open()
    return this.#calls.run(times, (signal) =>
      orUndefined(
        client.send(new sdk.HeadObjectCommand(this.#keyOf(name)), { abortSignal: signal }),
      ),
    )
  }

  async #page(prefix: string, token?: string, most?: number): Promise<ListAnswer> {
    const { sdk } = this.#open()
    const command = new sdk.ListObjectsV2Command({
      Bucket: this.#place.bucket,
      Prefix: `${this.#place.prefix}${prefix}`,
      ContinuationToken: token,
      MaxKeys: most,
    })
    return (await this.#send(command, timesOf(0))) as ListAnswer
  }

  #send(command: object, times: CallTimes): Promise<unknown> {
    const { client } = this.#open()
    return this.#calls.run(times, (signal) => client.send(command, { abortSignal: signal }))
  }

  /** Lets many race for one key. */
  async #probe(): Promise<void> {
    const name = `tmp/probe-${randomUUID()}`
    const racers = Array.from({ length: RACERS }, () => this.#create(name, Buffer.from(name)))
    const winners = (await Promise.all(racers)).filter(Boolean).length
    const { sdk } = this.#open()
    await this.#send(new sdk.DeleteObjectCommand(this.#keyOf(name)), timesOf(0))
    if (winners === 1) return
    throw new ConfigError(
      `Cannot use checkpoint "${this.location}": the service must honour If-None-Match: *, and ` +
        `${winners} of ${RACERS} writers that created one key at once were told that they had ` +
        `won; two processes would own the log. Use a service with conditional writes`,
      { code: 'CHECKPOINT_UNSAFE' },
    )
  }

  /** Calls for slots do not wait behind the upload of a snapshot. */
  #inTurn<T>(name: string, work: () => Promise<T>): Promise<T> {
    if (name.startsWith(SLOTS)) return work()
    return this.#queue.add(work)
  }

  #open(): Connection {
    return present(this.#connection, 'the connection of an S3 store that was opened')
  }

  #keyOf(name: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#place.bucket, Key: `${this.#place.prefix}${name}` }
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (error instanceof StreamingError) throw error
      throw refused(this.location, error)
    }
  }
}

interface GetAnswer {
  readonly Body?: { transformToByteArray(): Promise<Uint8Array> }
}

interface HeadAnswer {
  readonly Metadata?: Readonly<Record<string, string>>
}

interface ListAnswer {
  readonly Contents?: readonly { readonly Key?: string }[]
  readonly NextContinuationToken?: string
}

function timesOf(bytes: number): CallTimes {
  const moreMs = bytes / BYTES_PER_MS_MIN
  return { attemptMs: ATTEMPT_MS + moreMs, allMs: LEASE_MS + 3 * moreMs }
}

/** A missing object is an answer; a missing bucket is not. */
async function orUndefined<T>(pending: Promise<T>): Promise<T | undefined> {
  try {
    return await pending
  } catch (error) {
    const isBucket = error instanceof Error && error.name === 'NoSuchBucket'
    if (httpStatusOf(error) === NOT_FOUND && !isBucket) return undefined
    throw error
  }
}

function refused(location: string, cause: unknown): StreamingError {
  const status = httpStatusOf(cause)
  return new StreamingError(
    'CHECKPOINT_UNWRITABLE',
    `Cannot use checkpoint "${location}": ${adviceFor(cause, status)} (${messageOf(cause)})`,
    { cause, retryable: status === undefined || status >= 500 },
  )
}

function closed(location: string): StreamingError {
  return new StreamingError(
    'CHECKPOINT_UNWRITABLE',
    `Cannot use checkpoint "${location}": its store was closed; open it again before`,
  )
}

/** What S3 and STS say of temporary credentials whose time is over. */
const EXPIRED = new Set(['ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired'])

function adviceFor(cause: unknown, status: number | undefined): string {
  const name = cause instanceof Error ? cause.name : ''
  if (name === 'NoSuchBucket') return 'the bucket must exist; create it, or use another'
  if (name === 'CredentialsProviderError') {
    return 'the AWS SDK must find credentials; give some, or set them in the environment'
  }
  if (EXPIRED.has(name)) {
    return 'credentials must be valid, and these have expired; renew them, then start again'
  }
  if (status === 403) {
    return (
      'whoever runs the pipeline must be allowed s3:PutObject, s3:GetObject, s3:DeleteObject and ' +
      's3:ListBucket on it; change the policy, or use another bucket'
    )
  }
  if (status === undefined || status >= 500) {
    return 'the service gave no answer in time; check network and service, then start again'
  }
  return `the service refused with status ${status}; check bucket, region and endpoint`
}
