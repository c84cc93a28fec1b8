// The calls to the service that the receiver makes, with their retries: full jitter, counted.

import {
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
  type Shard,
} from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import PQueue from 'p-queue'
import { sleep } from '../../clock.ts'
import { messageOf } from '../../errors.ts'
import type { Position, ReceiverContext } from '../receiver.ts'
import { kindOf, unreachable } from './failures.ts'
import type { ReceivedRecord } from './kinesis-record.ts'
import type { KinesisSettings } from './options.ts'

/** What one read of a shard gave. */
export interface Page {
  readonly records: readonly ReceivedRecord[]
  /** Undefined when the shard has ended. */
  readonly next: string | undefined
  readonly behindMs: number
}

const BACKOFF_BASE_MS = 100
const BACKOFF_MAX_MS = 5_000
const START_ATTEMPTS = 3
const CALL_TIMEOUT_MS = 10_000
// Some servers leave a request for an iterator at a timestamp unanswered until a record follows it.
const ITERATOR_TIMEOUT_MS = 2_000

/** Reads one stream. */
export class StreamReader {
  readonly #settings: KinesisSettings
  readonly #context: ReceiverContext
  readonly #client: KinesisClient
  readonly #queue: PQueue
  readonly #name: { StreamName: string } | { StreamARN: string }

  constructor(settings: KinesisSettings, context: ReceiverContext) {
    const { options } = settings
    this.#settings = settings
    this.#context = context
    this.#client = options.client ?? makeClient(settings)
    this.#queue = new PQueue({ concurrency: settings.concurrentCallsMax })
    const { streamARN } = options
    this.#name = streamARN ? { StreamARN: streamARN } : { StreamName: settings.stream }
  }

  /** Asks for the stream; gives how long it keeps records, in milliseconds. */
  async describe(): Promise<number> {
    const summary = await this.#call(START_ATTEMPTS, () =>
      this.#client.send(new DescribeStreamSummaryCommand(this.#name), abortAfter()),
    )
    return (summary.StreamDescriptionSummary?.RetentionPeriodHours ?? 24) * 3_600_000
  }

  /** All shards that the stream still has, closed ones too. */
  async shards(): Promise<Shard[]> {
    const shards: Shard[] = []
    let token: string | undefined
    do {
      const input = token === undefined ? this.#name : { NextToken: token }
      const page = await this.#call(Number.POSITIVE_INFINITY, () =>
        this.#client.send(new ListShardsCommand(input), abortAfter()),
      )
      shards.push(...(page.Shards ?? []))
      token = page.NextToken
    } while (token !== undefined)
    return shards
  }

  /** An iterator after a position. */
  async iterator(shardId: string, after: Position): Promise<string> {
    const input = { ...this.#name, ShardId: shardId, ...iteratorType(after) }
    const answer = await this.#call(Number.POSITIVE_INFINITY, () =>
      this.#client.send(new GetShardIteratorCommand(input), abortAfter(ITERATOR_TIMEOUT_MS)),
    )
    return answer.ShardIterator ?? ''
  }

  /** One read. Undefined: the iterator has expired. */
  async read(iterator: string): Promise<Page | undefined> {
    const input = { ShardIterator: iterator, Limit: this.#settings.recordsPerCallMax }
    try {
      const page = await this.#call(Number.POSITIVE_INFINITY, () =>
        this.#client.send(new GetRecordsCommand(input), abortAfter()),
      )
      const records = (page.Records ?? []).map((record) => ({
        data: record.Data ?? new Uint8Array(0),
        partitionKey: record.PartitionKey ?? '',
        sequenceNumber: record.SequenceNumber ?? '',
        arrivalMs: record.ApproximateArrivalTimestamp?.getTime() ?? 0,
      }))
      const next = page.NextShardIterator ?? undefined
      return { records, next, behindMs: page.MillisBehindLatest ?? 0 }
    } catch (error) {
      if (kindOf(error) !== 'expired') throw error
      this.#context.count('kinesis.expired-iterators')
      return undefined
    }
  }

  /** Closes the client, if it is ours. */
  close(): void {
    this.#queue.clear()
    if (this.#settings.options.client === undefined) this.#client.destroy()
  }

  async #call<R>(attemptsMax: number, send: () => Promise<R>): Promise<R> {
    const { clock, signal, count, logger } = this.#context
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#queue.add(send)
      } catch (error) {
        const kind = kindOf(error)
        if (signal.aborted || kind === 'expired') throw error
        if (kind === 'fatal' || attempt >= attemptsMax) throw unreachable(this.#settings, error)
        count(kind === 'throttled' ? 'kinesis.throttled' : 'kinesis.retries')
        logger.debug({ err: messageOf(error), attempt }, 'A call to Kinesis is made again')
        const limit = Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 2 ** (attempt - 1))
        await sleep(clock, Math.random() * limit, signal)
      }
    }
  }
}

function makeClient({ options }: KinesisSettings): KinesisClient {
  return new KinesisClient({
    ...(options.region === undefined ? {} : { region: options.region }),
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({ connectionTimeout: 5_000, requestTimeout: 30_000 }),
  })
}

function abortAfter(timeoutMs = CALL_TIMEOUT_MS): { abortSignal: AbortSignal } {
  return { abortSignal: AbortSignal.timeout(timeoutMs) }
}

function iteratorType(after: Position) {
  switch (after.kind) {
    case 'TRIM_HORIZON':
    case 'END':
      return { ShardIteratorType: 'TRIM_HORIZON' } as const
    case 'timestamp':
      return {
        ShardIteratorType: 'AT_TIMESTAMP',
        Timestamp: new Date(after.timestampMs),
      } as const
    case 'sequence':
      return {
        ShardIteratorType: 'AFTER_SEQUENCE_NUMBER',
        StartingSequenceNumber: after.sequence,
      } as const
  }
}
