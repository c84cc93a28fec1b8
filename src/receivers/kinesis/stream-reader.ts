// The calls to the service that the receiver makes: within its limits, with their retries and
// timeouts on the clock of the run, and counted.

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
import { answerWithin, fullJitterMs } from '../../service-calls.ts'
import type { Position, ReceiverContext } from '../receiver.ts'
import type { CallCounts } from './call-counts.ts'
import { decodeRecords } from './decoded-records.ts'
import { type FailureKind, kindOf, unreachable } from './failures.ts'
import type { ReceivedRecord } from './kinesis-record.ts'
import type { KinesisSettings } from './options.ts'
import { type Pace, type ShardPace, turnOf } from './shard-pace.ts'

/** A shard as the service lists it. */
export interface ListedShard {
  readonly id: string
  readonly parents: readonly string[]
  /** True if it takes no more records. */
  readonly closed: boolean
}

/** What the service says of a stream. */
export interface StreamSummary {
  /** How long it keeps records. */
  readonly retentionMs: number
  /** When it was made, epoch milliseconds; undefined where the service does not say. */
  readonly createdMs: number | undefined
}

/** What one read of a shard gave. */
export interface Page {
  readonly records: readonly ReceivedRecord[]
  /** Undefined when the shard has ended. */
  readonly next: string | undefined
  readonly behindMs: number
  /** True if it has as many records as were asked for. */
  readonly isFull: boolean
  /** Data and partition keys of the records. */
  readonly bytes: number
  /** When it was asked for, epoch milliseconds. */
  readonly askedAt: number
  /** The children of a shard that has ended; empty where the service does not tell them. */
  readonly children: readonly ListedShard[]
}

const START_ATTEMPTS = 3
/** So many pages are read to find the oldest record: the service gives empty ones before it. */
const EMPTY_PAGES_MAX = 500
/** Some ten seconds. */
const RENEW_ATTEMPTS = 10
/** A call that fails for the so manieth time is told. */
const TELL_ATTEMPT = 10
const CALL_TIMEOUT_MS = 10_000
/** A page of 10 MiB over a slow line takes its time. */
const READ_TIMEOUT_MS = 30_000
// Some servers leave a request for an iterator at a timestamp unanswered until a record follows it.
const ITERATOR_TIMEOUT_MS = 2_000

const NOT_YET = Symbol('another call came first')

interface CallOptions {
  readonly attemptsMax?: number
  readonly timeoutMs?: number
  readonly pace?: Pace
  /** Waited for before each attempt. */
  readonly prepare?: (() => Promise<void>) | undefined
}

/** Reads one stream. */
export class StreamReader {
  readonly #settings: KinesisSettings
  readonly #context: ReceiverContext
  readonly #counts: CallCounts
  readonly #client: KinesisClient
  readonly #random: () => number
  readonly #queue: PQueue
  readonly #name: { StreamName: string } | { StreamARN: string }
  /** For reads, which name it by an iterator: an ARN tells the SDK the endpoint of the account. */
  readonly #arn: { StreamARN?: string }

  /** `random`: where the jitter of retries comes from. */
  constructor(
    settings: KinesisSettings,
    context: ReceiverContext,
    counts: CallCounts,
    random: () => number,
  ) {
    const { options } = settings
    this.#random = random
    this.#settings = settings
    this.#context = context
    this.#counts = counts
    this.#client = options.client ?? makeClient(settings)
    this.#queue = new PQueue({ concurrency: settings.concurrentCallsMax })
    const { streamARN } = options
    this.#name = streamARN ? { StreamARN: streamARN } : { StreamName: settings.stream }
    this.#arn = streamARN ? { StreamARN: streamARN } : {}
  }

  /** Asks for the stream. `atStart`: what does not answer soon is an error. */
  async describe(atStart: boolean): Promise<StreamSummary> {
    const command = new DescribeStreamSummaryCommand(this.#name)
    const options = atStart ? { attemptsMax: START_ATTEMPTS } : {}
    const answer = await this.#call((abort) => this.#client.send(command, abort), options)
    const summary = answer.StreamDescriptionSummary
    return {
      retentionMs: (summary?.RetentionPeriodHours ?? 24) * 3_600_000,
      createdMs: summary?.StreamCreationTimestamp?.getTime(),
    }
  }

  /** All shards that the stream still has, closed ones too. */
  async shards(): Promise<readonly ListedShard[]> {
    for (;;) {
      try {
        return await this.#listing()
      } catch (error) {
        // The listing took longer than its token lives: from the beginning.
        if (kindOf(error) !== 'expired') throw error
        this.#context.count('kinesis.retries')
      }
    }
  }

  async #listing(): Promise<ListedShard[]> {
    const shards: Shard[] = []
    let token: string | undefined
    do {
      // A token stands for its stream: the service refuses it beside a name or an ARN.
      const input = token === undefined ? this.#name : { NextToken: token }
      const command = new ListShardsCommand(input)
      const page = await this.#call((abort) => this.#client.send(command, abort))
      shards.push(...(page.Shards ?? []))
      token = page.NextToken
    } while (token !== undefined)
    return shards.map(listed)
  }

  /** An iterator after a position. */
  async iterator(shardId: string, after: Position, pace: ShardPace): Promise<string> {
    const input = { ...this.#name, ShardId: shardId, ...iteratorType(after) }
    const command = new GetShardIteratorCommand(input)
    const answer = await this.#call((abort) => this.#client.send(command, abort), {
      timeoutMs: ITERATOR_TIMEOUT_MS,
      pace: pace.iterators,
    })
    return answer.ShardIterator ?? ''
  }

  /** One read of at most `limit` records, when the pace of the shard allows it. Undefined: the
   * iterator has expired. */
  async read(
    iterator: string,
    limit: number,
    pace: ShardPace,
    prepare?: () => Promise<void>,
  ): Promise<Page | undefined> {
    const { clock } = this.#context
    const Limit = Math.max(1, Math.min(limit, this.#settings.recordsPerCallMax))
    const input = { ShardIterator: iterator, Limit, ...this.#arn }
    const command = decodeRecords(new GetRecordsCommand(input))
    let askedAt = clock.wallMs()
    try {
      const answer = await this.#call(
        (abort) => {
          askedAt = clock.wallMs()
          return this.#client.send(command, abort)
        },
        { timeoutMs: READ_TIMEOUT_MS, pace, prepare },
      )
      const records = (answer.Records ?? []).map((record): ReceivedRecord => {
        return {
          data: record.Data ?? new Uint8Array(0),
          partitionKey: record.PartitionKey ?? '',
          sequenceNumber: record.SequenceNumber ?? '',
          arrivalMs: record.ApproximateArrivalTimestamp?.getTime() ?? 0,
        }
      })
      const bytes = records.reduce((n, record) => {
        return n + record.data.length + Buffer.byteLength(record.partitionKey)
      }, 0)
      const behindMs = answer.MillisBehindLatest ?? 0
      pace.gave({ records: records.length, bytes, behindMs })
      this.#counts.read(records.length, bytes)
      const next = answer.NextShardIterator ?? undefined
      const children = (answer.ChildShards ?? []).map((child): ListedShard => {
        return { id: child.ShardId ?? '', parents: child.ParentShards ?? [], closed: false }
      })
      const isFull = records.length >= Limit
      return { records, next, behindMs, isFull, bytes, askedAt, children }
    } catch (error) {
      if (kindOf(error) !== 'expired') throw error
      this.#context.count('kinesis.expired-iterators')
      return undefined
    }
  }

  /** True if the stream still holds the record of a shard: nothing after it has been dropped. */
  async holds(shardId: string, sequence: string, pace: ShardPace): Promise<boolean> {
    let iterator: string | undefined
    for (let pages = 0; pages < EMPTY_PAGES_MAX; pages++) {
      iterator ??= await this.iterator(shardId, { kind: 'TRIM_HORIZON' }, pace)
      const page = await this.read(iterator, 1, pace)
      const oldest = page?.records[0]?.sequenceNumber
      if (oldest !== undefined) return BigInt(oldest) <= BigInt(sequence)
      // An empty page with records behind it says nothing, and one that did not come neither.
      if (page !== undefined && (page.behindMs === 0 || page.next === undefined)) return false
      iterator = page?.next
    }
    return false
  }

  /** Closes the client, if it is ours. */
  close(): void {
    this.#queue.clear()
    if (this.#settings.options.client === undefined) this.#client.destroy()
  }

  async #call<R>(send: Send<R>, options: CallOptions = {}): Promise<R> {
    const { clock, signal } = this.#context
    const { attemptsMax = Number.POSITIVE_INFINITY, pace } = options
    let throttledAt: number | undefined
    /** Failures of the kinds that may not come for ever. */
    let retried = 0
    let renewed = 0
    const answered = (): void => {
      if (throttledAt !== undefined) this.#counts.throttled(clock.monotonicMs() - throttledAt)
    }
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await this.#inTurn(send, options)
        answered()
        return answer
      } catch (error) {
        const kind = kindOf(error)
        if (signal.aborted) throw error
        if (kind === 'expired') {
          answered()
          throw error
        }
        if (kind === 'retry') retried += 1
        if (kind === 'renew') renewed += 1
        const isOver = retried >= attemptsMax || renewed >= Math.min(attemptsMax, RENEW_ATTEMPTS)
        if (kind === 'fatal' || isOver) throw unreachable(this.#settings, error)
        this.#failed(kind, error, attempt)
        if (kind === 'throttled') throttledAt ??= clock.monotonicMs()
        if (kind === 'throttled' && pace !== undefined) pace.throttled()
        else await sleep(clock, fullJitterMs(attempt, this.#random), signal)
      }
    }
  }

  #failed(kind: FailureKind, error: unknown, attempt: number): void {
    const { count, logger, reportError } = this.#context
    count(kind === 'throttled' ? 'kinesis.throttled' : 'kinesis.retries')
    logger.debug({ err: messageOf(error), attempt }, 'A call to Kinesis is made again')
    if (attempt !== TELL_ATTEMPT) return
    const { stream } = this.#settings
    reportError(`A call to Kinesis stream "${stream}" has failed ${attempt} times`, error)
  }

  /** Makes a call when its pace and the bound on calls in flight allow it. */
  async #inTurn<R>(send: Send<R>, options: CallOptions): Promise<R> {
    const { clock, signal } = this.#context
    const { pace, prepare, timeoutMs = CALL_TIMEOUT_MS } = options
    for (;;) {
      if (pace !== undefined) await turnOf(pace, clock, signal)
      await prepare?.()
      const answer = await this.#queue.add(async () => {
        signal.throwIfAborted()
        // While this one stood in line, another call for the shard was made.
        if (pace !== undefined && pace.waitMs > 0) return NOT_YET
        pace?.began()
        this.#counts.called()
        return answerWithin(clock, timeoutMs, (abortSignal) => send({ abortSignal }), signal)
      })
      if (answer !== NOT_YET) return answer
    }
  }
}

type Send<R> = (options: { readonly abortSignal: AbortSignal }) => Promise<R>

function makeClient({ options, region, concurrentCallsMax }: KinesisSettings): KinesisClient {
  const agent = { keepAlive: true, maxSockets: concurrentCallsMax }
  const client = new KinesisClient({
    ...(region === undefined ? {} : { region }),
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: 5_000,
      httpAgent: agent,
      httpsAgent: agent,
    }),
  })
  // It copies each answer, record by record, for a log that nobody reads.
  client.middlewareStack.remove('loggerMiddleware')
  return client
}

function listed(shard: Shard): ListedShard {
  const { ShardId, ParentShardId, AdjacentParentShardId, SequenceNumberRange: range } = shard
  return {
    id: ShardId ?? '',
    parents: [ParentShardId, AdjacentParentShardId].filter((id) => id !== undefined),
    closed: range?.EndingSequenceNumber !== undefined,
  }
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
