// What the engine tells the outside while it runs: typed events, a logger and counters.

/** The part of a pino logger that millrace uses; any logger with these methods will do. */
export interface Logger {
  /** What helps to follow the engine's steps. */
  debug(fields: object, message: string): void
  /** What an operator wants to know of a healthy run. */
  info(fields: object, message: string): void
  /** What went wrong and was made up for. */
  warn(fields: object, message: string): void
  /** What went wrong and was not. */
  error(fields: object, message: string): void
}

/** What a batch has of one source. */
export interface SourceInfo {
  /** Ordinal of the source, in the order of declaration. */
  readonly sourceId: number
  /** The source's own name, for example `kinesis:lines`. */
  readonly name: string
  /** Records cut from the source. */
  readonly records: number
  /** Bytes cut from the source. */
  readonly bytes: number
}

/** Figures of one batch; times in epoch milliseconds. */
export interface BatchInfo {
  /** Counts from 1. */
  readonly batchId: number
  /** Batch time. */
  readonly time: number
  /** Grows with each start on the checkpoint; 0 without one. */
  readonly epoch: number
  /** Records cut from all sources. */
  readonly records: number
  /** Bytes cut from all sources. */
  readonly bytes: number
  /** The records of each source. */
  readonly sources: readonly SourceInfo[]
  /** True if the batch was planned before a restart and is run again. */
  readonly redo: boolean
  /** When the batch could have begun at the earliest: its batch time, or the end of the start of
   * the run if that was later. */
  readonly submissionTime: number
}

/** A batch that has begun. */
export interface StartedBatchInfo extends BatchInfo {
  /** When the batch began to run. */
  readonly processingStartTime: number
  /** From submission to the start of processing: how long the batch waited for earlier ones. */
  readonly schedulingDelayMs: number
}

/** A batch that has ended. */
export interface EndedBatchInfo extends StartedBatchInfo {
  /** When the batch was committed, or had failed. */
  readonly processingEndTime: number
  /** From the start of processing to its end. */
  readonly processingDelayMs: number
  /** From submission to the end of processing. */
  readonly totalDelayMs: number
}

/** One output operation on one batch; times in epoch milliseconds. */
export interface OutputOperationInfo {
  /** Ordinal of the output operation, in the order of declaration. */
  readonly outputId: number
  /** Name of the sink, the prefix of saved files, `print` or `foreachBatch`. */
  readonly name: string
  /** The batch: counts from 1. */
  readonly batchId: number
  /** Batch time. */
  readonly time: number
  /** When the output operation began. */
  readonly startTime: number
}

type LifeEvent =
  | { readonly kind: 'pipeline-started'; readonly epoch: number; readonly zeroTime: number }
  | {
      readonly kind: 'checkpoint-recovered'
      readonly epoch: number
      readonly lastBatchId: number
      readonly redoBatchIds: readonly number[]
      /** Bytes cut from the end of the log because their record was not whole. */
      readonly cutBytes: number
    }
  | { readonly kind: 'batches-skipped'; readonly from: number; readonly to: number }
  /** A worker's thread ended, and another took its place and its partitions. */
  | { readonly kind: 'worker-replaced'; readonly worker: number; readonly error: unknown }
  /** A worker has run one batch for longer than `stuckAfter`; `stack` is undefined if it waits. */
  | {
      readonly kind: 'worker-stuck'
      readonly worker: number
      readonly stack: string | undefined
    }
  /** Plans and commits became durable, by one fsync or one object. */
  | { readonly kind: 'log-flushed'; readonly bytes: number; readonly latencyMs: number }
  | { readonly kind: 'snapshot-written'; readonly batchId: number; readonly bytes: number }
  /** A snapshot was given up half-way: a worker ended, or the run does. The next one is begun after
   * the next batch. */
  | { readonly kind: 'snapshot-abandoned'; readonly batchId: number; readonly error: unknown }
  | { readonly kind: 'pipeline-stopped'; readonly error: unknown }

type BatchEvent =
  | ({ readonly kind: 'batch-submitted' } & BatchInfo)
  | ({ readonly kind: 'batch-started' } & StartedBatchInfo)
  | ({ readonly kind: 'batch-planned' } & BatchInfo)
  | ({ readonly kind: 'batch-ran' } & BatchInfo)
  | ({ readonly kind: 'batch-written' } & BatchInfo)
  | ({
      readonly kind: 'batch-completed'
      readonly lagMs: number | undefined
      /** True if the batch has a record in the log. */
      readonly logged: boolean
      /** What the batch added to each accumulator that it added to. */
      readonly accumulators: Readonly<Record<string, number>>
    } & EndedBatchInfo)
  | ({ readonly kind: 'batch-failed'; readonly error: unknown } & EndedBatchInfo)
  | { readonly kind: 'task-retried'; readonly time: number; readonly error: unknown }
  | {
      /** Calls of mapAsync that failed and were made again, in one attempt at a batch. */
      readonly kind: 'calls-retried'
      readonly time: number
      readonly calls: number
    }

type OutputEvent =
  | ({ readonly kind: 'output-operation-started' } & OutputOperationInfo)
  | ({
      readonly kind: 'output-operation-completed'
      readonly endTime: number
      readonly records: number
    } & OutputOperationInfo)
  | ({
      readonly kind: 'output-operation-failed'
      readonly endTime: number
      /** The message of `error`. */
      readonly failureReason: string
      readonly error: unknown
    } & OutputOperationInfo)

interface SinkEvent {
  /** Calls of a sink to its place that failed and were made again. */
  readonly kind: 'sink-retried'
  /** Ordinal of the output operation, in the order of declaration. */
  readonly outputId: number
  readonly name: string
  readonly retries: number
  /** What the call failed with; undefined where a task made it. */
  readonly error: unknown
}

interface SourceName {
  readonly sourceId: number
  /** The source's own name, for example `kinesis:lines`. */
  readonly name: string
}

/** What happens to the shards of a stream while it is read. */
export type ShardNews =
  | {
      /** A shard that was not known: it is read once its parents have ended. */
      readonly kind: 'shard-found'
      readonly shard: string
      readonly parents: readonly string[]
    }
  | {
      /** All records of a shard were read, and no more will come. */
      readonly kind: 'shard-ended'
      readonly shard: string
    }
  | {
      readonly kind: 'shard-split'
      readonly shard: string
      readonly children: readonly string[]
    }
  | {
      readonly kind: 'shards-merged'
      readonly shards: readonly string[]
      readonly child: string
    }
  | {
      /** The stream has dropped an ended shard, and so does the checkpoint. */
      readonly kind: 'shard-forgotten'
      readonly shard: string
    }
  | {
      /** Records were lost unread, and `onGap` lets the pipeline go on. */
      readonly kind: 'gap-passed'
      readonly shard: string
      /** What arrived from `fromTime` to `toTime`, epoch milliseconds, may be missing. */
      readonly fromTime: number
      readonly toTime: number
      readonly message: string
    }

type SourceEvent =
  | ({ readonly kind: 'receiver-started' } & SourceName)
  | ({
      readonly kind: 'receiver-error'
      readonly message: string
      readonly error: unknown
    } & SourceName)
  | ({ readonly kind: 'receiver-stopped' } & SourceName)
  | ({
      /** A receiver stops, and starts again after a delay. */
      readonly kind: 'receiver-restarted'
      readonly message: string
      readonly error: unknown
      readonly delayMs: number
    } & SourceName)
  | ({
      readonly kind: 'rate-updated'
      /** What the source may give from now on, records a second. */
      readonly recordsPerSecond: number
    } & SourceName)
  | (ShardNews & SourceName)
  | {
      /** Something was counted: `run.metrics()` has the sum of each name. */
      readonly kind: 'source-counted'
      /** What is counted, such as `kinesis.throttled`. */
      readonly name: string
      readonly by: number
      /** The source's own name, for example `kinesis:lines`. */
      readonly source: string
    }

/** Everything that can be listened to. */
export type StreamEvent = LifeEvent | BatchEvent | OutputEvent | SinkEvent | SourceEvent

/** The event of a given kind. */
export type EventOf<K extends StreamEvent['kind']> = Extract<StreamEvent, { kind: K }>

const QUEUED_EVENTS_MAX = 1_000

type Listener = (event: never) => unknown

/** Delivers events to listeners at once and to async readers through a bounded queue.
 * A reader that falls more than 1,000 events behind loses the oldest, which are counted. */
export class EventBus implements AsyncIterable<StreamEvent> {
  readonly #listeners = new Map<string, Set<Listener>>()
  readonly #readers = new Set<EventReader>()
  readonly #logger: Logger
  readonly #all: ((event: StreamEvent) => unknown) | undefined
  #delivering = 0
  #dropped = 0
  #closed = false

  /** `onEvent` is called for every event, before the listeners of its kind. */
  constructor(logger: Logger, onEvent?: (event: StreamEvent) => unknown) {
    this.#logger = logger
    this.#all = onEvent
  }

  /** True while a listener is being called. */
  get delivering(): boolean {
    return this.#delivering > 0
  }

  /** Events that readers have lost because they were too far behind. */
  get dropped(): number {
    return this.#dropped
  }

  /** Calls `listener` for each event of `kind` and gives the function that takes it off again.
   * An error in a listener is logged and does not stop the pipeline. */
  on<K extends StreamEvent['kind']>(kind: K, listener: (event: EventOf<K>) => unknown): () => void {
    const set = this.#listeners.get(kind) ?? new Set()
    this.#listeners.set(kind, set)
    set.add(listener as Listener)
    return () => set.delete(listener as Listener)
  }

  emit(event: StreamEvent): void {
    if (this.#closed) return
    if (this.#all !== undefined) this.#call(this.#all, event)
    for (const listener of this.#listeners.get(event.kind) ?? []) this.#call(listener, event)
    for (const reader of this.#readers) if (!reader.push(event)) this.#dropped += 1
  }

  #call(listener: Listener, event: StreamEvent): void {
    this.#delivering += 1
    const logIt = (error: unknown): void =>
      this.#logger.error({ err: error, event: event.kind }, 'An event listener threw')
    try {
      const result = listener(event as never)
      if (result instanceof Promise) result.catch(logIt)
    } catch (error) {
      logIt(error)
    } finally {
      this.#delivering -= 1
    }
  }

  /** Ends every reader; later events go nowhere. */
  close(): void {
    this.#closed = true
    for (const reader of this.#readers) reader.end()
  }

  [Symbol.asyncIterator](): AsyncIterator<StreamEvent> {
    const reader = new EventReader(() => this.#readers.delete(reader))
    if (this.#closed) reader.end()
    else this.#readers.add(reader)
    return reader
  }
}

class EventReader implements AsyncIterator<StreamEvent> {
  readonly #queue: StreamEvent[] = []
  readonly #waiting: ((result: IteratorResult<StreamEvent>) => void)[] = []
  readonly #detach: () => void
  #ended = false

  constructor(detach: () => void) {
    this.#detach = detach
  }

  /** Gives false if an older event had to go for this one. */
  push(event: StreamEvent): boolean {
    const waiting = this.#waiting.shift()
    if (waiting !== undefined) {
      waiting({ done: false, value: event })
      return true
    }
    const hasRoom = this.#queue.length < QUEUED_EVENTS_MAX
    if (!hasRoom) this.#queue.shift()
    this.#queue.push(event)
    return hasRoom
  }

  end(): void {
    this.#ended = true
    for (const waiting of this.#waiting.splice(0)) waiting({ done: true, value: undefined })
  }

  next(): Promise<IteratorResult<StreamEvent>> {
    const event = this.#queue.shift()
    if (event !== undefined) return Promise.resolve({ done: false, value: event })
    if (this.#ended) return Promise.resolve({ done: true, value: undefined })
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  return(): Promise<IteratorResult<StreamEvent>> {
    this.#detach()
    this.end()
    return Promise.resolve({ done: true, value: undefined })
  }
}
