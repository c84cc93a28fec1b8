// What the engine tells the outside while it runs: typed events, a logger and counters.

/** The part of a pino logger that millrace uses; any logger with these methods will do. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** Figures of one batch; times in milliseconds. */
export interface BatchInfo {
  readonly batchId: number
  /** Batch time, epoch milliseconds. */
  readonly time: number
  readonly epoch: number
  /** Records cut from all sources. */
  readonly records: number
  /** Bytes cut from all sources. */
  readonly bytes: number
  /** True if the batch was planned before a restart and is run again. */
  readonly redo: boolean
}

/** Everything that can be listened to. */
export type StreamEvent =
  | { readonly kind: 'pipeline-started'; readonly epoch: number; readonly zeroTime: number }
  | {
      readonly kind: 'checkpoint-recovered'
      readonly epoch: number
      readonly lastBatchId: number
      readonly redoBatchIds: readonly number[]
      /** Bytes cut from the end of the log because their record was not whole. */
      readonly cutBytes: number
    }
  | ({ readonly kind: 'batch-started' } & BatchInfo)
  | ({ readonly kind: 'batch-planned' } & BatchInfo)
  | ({ readonly kind: 'batch-ran' } & BatchInfo)
  | ({ readonly kind: 'batch-written' } & BatchInfo)
  | ({
      readonly kind: 'batch-completed'
      /** From the batch time (or the end of the batch before) to its start. */
      readonly schedulingDelayMs: number
      readonly processingMs: number
      readonly lagMs: number | undefined
      /** True if the batch has a record in the log. */
      readonly logged: boolean
    } & BatchInfo)
  | ({ readonly kind: 'batch-failed'; readonly error: unknown } & BatchInfo)
  | { readonly kind: 'task-retried'; readonly time: number; readonly error: unknown }
  | { readonly kind: 'batches-skipped'; readonly from: number; readonly to: number }
  | { readonly kind: 'snapshot-written'; readonly batchId: number; readonly bytes: number }
  | { readonly kind: 'receiver-started'; readonly sourceId: number; readonly name: string }
  | {
      readonly kind: 'receiver-error'
      readonly sourceId: number
      readonly name: string
      readonly message: string
      readonly error: unknown
    }
  | { readonly kind: 'receiver-stopped'; readonly sourceId: number; readonly name: string }
  | { readonly kind: 'source-counted'; readonly name: string; readonly by: number }
  | { readonly kind: 'pipeline-stopped'; readonly error: unknown }

/** The event of a given kind. */
export type EventOf<K extends StreamEvent['kind']> = Extract<StreamEvent, { kind: K }>

const QUEUED_EVENTS_MAX = 1_000

/** Delivers events to listeners at once and to async readers through a bounded queue.
 * A reader that falls more than 1,000 events behind loses the oldest; `dropped` counts them. */
export class EventBus implements AsyncIterable<StreamEvent> {
  readonly #listeners = new Map<string, Set<(event: never) => void>>()
  readonly #readers = new Set<EventReader>()
  readonly #logger: Logger
  #closed = false

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** Calls `listener` for each event of `kind` and gives the function that takes it off again.
   * An error in a listener is logged and does not stop the pipeline. */
  on<K extends StreamEvent['kind']>(kind: K, listener: (event: EventOf<K>) => void): () => void {
    const set = this.#listeners.get(kind) ?? new Set()
    this.#listeners.set(kind, set)
    set.add(listener as (event: never) => void)
    return () => set.delete(listener as (event: never) => void)
  }

  emit(event: StreamEvent): void {
    if (this.#closed) return
    for (const listener of this.#listeners.get(event.kind) ?? []) {
      try {
        listener(event as never)
      } catch (error) {
        this.#logger.error({ err: error, event: event.kind }, 'An event listener threw')
      }
    }
    for (const reader of this.#readers) reader.push(event)
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
  dropped = 0

  constructor(detach: () => void) {
    this.#detach = detach
  }

  push(event: StreamEvent): void {
    const waiting = this.#waiting.shift()
    if (waiting !== undefined) {
      waiting({ done: false, value: event })
      return
    }
    if (this.#queue.length === QUEUED_EVENTS_MAX) {
      this.#queue.shift()
      this.dropped += 1
    }
    this.#queue.push(event)
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
