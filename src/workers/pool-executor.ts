// Runs batches on a pool of workers. All workers run each batch, each its partitions; an attempt
// that fails in one is given up in all.

import { ColumnRecords } from '../batch/record-columns.ts'
import { type Cancel, type Clock, systemClock } from '../clock.ts'
import { codeOf, StreamingError } from '../errors.ts'
import type { WrittenPartition } from '../sinks/sink.ts'
import { type EntryOperator, joinEntries } from '../state/graph-changes.ts'
import { AttemptFailure } from './attempt-failure.ts'
import { CountedRecords } from './counted-records.ts'
import { fromWire } from './error-wire.ts'
import type {
  BatchInput,
  BatchSources,
  Committed,
  Executor,
  FrozenState,
  OutputPartitions,
  Ran,
} from './executor.ts'
import type { KeptColumns, OutputColumns, PartNotice, RanColumns, RunFailed } from './protocol.ts'
import { resultsTooLarge } from './result-bound.ts'
import type { SinkWrite } from './sink-tasks.ts'
import type { WorkerPool } from './worker-pool.ts'
import { FrozenPool, restoreWorker } from './worker-state.ts'

/** What the executor needs beside its pool. */
export interface PoolExecutorParts {
  readonly pool: WorkerPool
  /** The operators that keep something. */
  readonly operators: readonly EntryOperator[]
  /** Batches say what they changed. */
  readonly logged: boolean
  /** The pool serves other runs after this one. */
  readonly shared: boolean
  /** Reads what is committed; undefined where nothing is kept outside of the workers. */
  readonly committed: () => Promise<Committed | undefined>
  /** Sends the blocks of a batch, and of those that were cut after it, to a worker once more. */
  readonly resend: (batchId: number, worker: number) => Promise<void>
  /** Told of each worker that was replaced. */
  readonly replaced: (worker: number, error: StreamingError) => void
  readonly stuck: StuckPolicy
  /** Bytes of the records that one attempt may bring to the driver. */
  readonly resultBytesMax: number
  readonly clock: Clock
}

/** What is done about a worker that does not come back. */
export interface StuckPolicy {
  readonly afterMs: number
  /** Ends its thread, which counts as a failed attempt. */
  readonly cancel: boolean
  /** Told of each worker that is stuck, with its call stack; undefined if it waits, or if `error`
   * says why it could not be read. */
  readonly report: (worker: number, stack: string | undefined, error?: unknown) => void
}

/** How long a worker may take to close the places that its tasks write to. */
const CLOSE_SINKS_MS = 5_000

/** Runs batches on workers. */
export class PoolExecutor implements Executor {
  readonly overlaps = true
  readonly #parts: PoolExecutorParts
  readonly #pool: WorkerPool
  readonly #dead = new Map<number, StreamingError>()
  #attempt = 0
  #closed = false
  #tasksOpened = false

  constructor(parts: PoolExecutorParts) {
    this.#parts = parts
    this.#pool = parts.pool
    for (let worker = 0; worker < this.#pool.size; worker++) this.#watch(worker)
  }

  async restore(committed: Committed): Promise<void> {
    const { pool } = this.#parts
    await Promise.all(
      Array.from({ length: pool.size }, (_, worker) => this.#restoreOne(worker, committed)),
    )
  }

  async run(input: BatchInput, traced: boolean): Promise<Ran> {
    const { batchId, time } = input
    await this.#revive(batchId)
    const attempt = ++this.#attempt
    const sources = input.sources.map((parts) => parts?.map(noticeOf))
    const { logged } = this.#parts
    const request = { kind: 'run', attempt, batchId, time, traced, logged, sources } as const
    const failures: AttemptFailure[] = []
    const ran: RanColumns[] = []
    const give = async (worker: number): Promise<void> => {
      try {
        ran[worker] = succeeded(await this.#pool.call<RanColumns | RunFailed>(worker, request))
      } catch (error) {
        failures.push(
          error instanceof AttemptFailure ? error : new AttemptFailure(undefined, { cause: error }),
        )
        this.#pool.tellAll({ kind: 'abort', attempt })
      }
    }
    await this.#askAll(give)
    const failure = failures.find(({ cause }) => !isAborted(cause)) ?? failures[0]
    if (failure === undefined) return together(ran, this.#parts)
    const { outputId, cause } = failure
    throw new AttemptFailure(outputId, { cause, retriedCalls: retriesOf([...failures, ...ran]) })
  }

  async write(write: SinkWrite): Promise<WrittenPartition[]> {
    this.#tasksOpened = true
    const request = { kind: 'write', ...write } as const
    const written: WrittenPartition[] = []
    const failures: unknown[] = []
    await this.#askAll(async (worker) => {
      try {
        written.push(...(await this.#pool.call<WrittenPartition[]>(worker, request)))
      } catch (error) {
        failures.push(error)
      }
    })
    if (failures.length === 0) return written
    throw failures.find((error) => codeOf(error) === 'WORKER_DIED') ?? failures[0]
  }

  merge(): void {
    this.#pool.tellAll({ kind: 'merge' })
  }

  /** The workers freeze between this batch and the next: they take requests in order. */
  freeze(): FrozenState {
    return new FrozenPool(this.#pool)
  }

  async slice(nodeId: number, from: number, to: number): Promise<readonly OutputPartitions[]> {
    const request = { kind: 'slice', nodeId, from, to } as const
    const [first = [], ...others] = await this.#pool.callAll<KeptColumns[]>(request)
    return first.flatMap(({ time, columns }) => {
      const rest = others.map((kept) => kept.find((batch) => batch.time === time)?.columns)
      return rest.includes(undefined)
        ? []
        : [partitionsOf([columns, ...rest.filter((part) => part !== undefined)])]
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#tasksOpened) await this.#closeSinks()
    if (!this.#parts.shared) await this.#pool.close()
  }

  /** Asks every worker; those that do not come back for long are reported. */
  async #askAll(ask: (worker: number) => Promise<void>): Promise<void> {
    const open = new Set(Array.from({ length: this.#pool.size }, (_, worker) => worker))
    const cancel = this.#watchStuck(open)
    await Promise.all([...open].map((worker) => ask(worker).finally(() => open.delete(worker))))
    cancel()
  }

  /** Looks after workers that do not come back; again and again where they are to be ended, since a
   * look may have been too short for a machine that has other work. */
  #watchStuck(open: ReadonlySet<number>): Cancel {
    const { stuck, clock } = this.#parts
    let cancel: Cancel = clock.after(stuck.afterMs, () => {
      void this.#reportStuck(open).then(() => {
        if (stuck.cancel && open.size > 0) cancel = this.#watchStuck(open)
      })
    })
    return () => cancel()
  }

  /** Lets tasks say goodbye to their places: not those of a worker that died or does not answer. */
  async #closeSinks(): Promise<void> {
    const closing = Promise.all(
      Array.from({ length: this.#pool.size }, (_, worker) =>
        this.#pool.call(worker, { kind: 'close-sinks' }).catch(() => undefined),
      ),
    )
    await new Promise<void>((resolve) => {
      const cancel = systemClock.after(CLOSE_SINKS_MS, resolve)
      void closing.then(() => {
        cancel()
        resolve()
      })
    })
  }

  /** Says where the workers are that have not come back. Those that run something are to blame, the
   * others wait for them. */
  async #reportStuck(open: ReadonlySet<number>): Promise<void> {
    const { stuck } = this.#parts
    for (const worker of [...open]) {
      const { stack, error } = await this.#pool.stackOf(worker).then(
        (read) => ({ stack: read, error: undefined }),
        (failure: unknown) => ({ stack: undefined, error: failure }),
      )
      if (!open.has(worker)) continue
      stuck.report(worker, stack, error)
      if (!stuck.cancel || stack === undefined) continue
      const why = new Error(`it ran one batch for longer than ${stuck.afterMs} ms`)
      why.stack = `${why.message}\n${stack}`
      await this.#pool.terminate(worker, why)
    }
  }

  #watch(worker: number): void {
    void this.#pool.endOf(worker).then((error) => {
      if (!this.#closed) this.#dead.set(worker, error)
    })
  }

  #restoreOne(worker: number, committed: Committed): Promise<void> {
    const { pool, operators } = this.#parts
    return restoreWorker({ pool, operators }, worker, committed)
  }

  /** Puts new workers in the place of those that ended, with what is committed and with the blocks
   * of the batch. One that did not get them all is replaced again: it would wait for the rest. */
  async #revive(batchId: number): Promise<void> {
    if (this.#dead.size === 0) return
    const committed = await this.#parts.committed()
    for (const [worker, error] of this.#dead) {
      if (committed === undefined) throw stateLost(error)
      // The batch was given up meanwhile: nobody would end a new thread.
      if (this.#closed) throw error
      await this.#pool.replace(worker)
      await this.#restoreOne(worker, committed)
      await this.#parts.resend(batchId, worker)
      this.#dead.delete(worker)
      this.#watch(worker)
      this.#parts.replaced(worker, error)
    }
  }
}

function stateLost(cause: StreamingError): StreamingError {
  return new StreamingError(
    'WORKER_DIED',
    `Cannot go on after a worker's death: its state is lost, since the pipeline has no ` +
      `checkpoint (${cause.message}); give it a checkpoint, and mend what ended the thread`,
    { cause },
  )
}

function noticeOf({ range, owner }: NonNullable<BatchSources[number]>[number]): PartNotice {
  return { partition: range.partition, owner }
}

function succeeded(answer: RanColumns | RunFailed): RanColumns {
  if (!('failed' in answer)) return answer
  const { outputId, failed, retriedCalls } = answer
  throw new AttemptFailure(outputId, { cause: fromWire(failed), retriedCalls })
}

function isAborted(error: unknown): boolean {
  return error instanceof Error && error.name === 'AttemptAborted'
}

/** The answers of all workers as one. */
function together(
  answers: readonly RanColumns[],
  { resultBytesMax, operators }: Pick<PoolExecutorParts, 'resultBytesMax' | 'operators'>,
): Ran {
  const bytes = answers.reduce((n, answer) => n + answer.bytes, 0)
  if (bytes > resultBytesMax) {
    const cause = resultsTooLarge(bytes, resultBytesMax)
    throw new AttemptFailure(undefined, { cause, retriedCalls: retriesOf(answers) })
  }
  const outputs = (answers[0]?.outputs ?? []).map(
    (first, i) => first && partitionsOf(answers.flatMap((answer) => answer.outputs[i] ?? [])),
  )
  const entries = answers.flatMap(({ changes }) => (changes === undefined ? [] : [changes]))
  const added = answers.flatMap((answer) => answer.added)
  const changes = joinEntries(entries, operators)
  return { outputs, changes, added, retriedCalls: retriesOf(answers) }
}

function retriesOf(all: readonly (Pick<Ran, 'retriedCalls'> | undefined)[]): number {
  return all.reduce((n, one) => n + (one?.retriedCalls ?? 0), 0)
}

function partitionsOf(columns: readonly OutputColumns[]): OutputPartitions {
  const partitions: (ColumnRecords | CountedRecords)[] = []
  for (const { parts } of columns) {
    for (const [partition, part] of parts) {
      partitions[partition] =
        typeof part === 'number' ? new CountedRecords(part) : new ColumnRecords(part)
    }
  }
  return partitions
}
