// The output operations of a batch, in order of declaration. One that fails does not keep the
// others from the batch: they have it, and have it again when it is redone. Only a run that was
// taken over stops at once, since it may not write any more.
//
// Where tasks write, they do so first, for all such outputs: a worker that dies then makes the
// batch run again, and nothing has been committed to a sink.

import { recordsOf } from '../batch/record-columns.ts'
import type { Output } from '../dstream/graph.ts'
import { codeOf, messageOf, StreamingError } from '../errors.ts'
import type { EventBus, OutputOperationInfo } from '../events.ts'
import type { SinkBatch, SinkCommitter, SinkReceipt, WrittenPartition } from '../sinks/sink.ts'
import type { OutputPartitions } from '../workers/executor.ts'
import type { SinkWrite } from '../workers/sink-tasks.ts'
import type { OpenOutput } from './outputs.ts'

/** What output operations work with. */
export interface OutputOperationsParts {
  readonly outputs: readonly Output[]
  /** One for each output. */
  readonly opened: readonly OpenOutput[]
  /** Lets tasks write the partitions of an output of the last attempt. */
  readonly inTasks: (write: SinkWrite) => Promise<WrittenPartition[]>
  readonly events: EventBus
  /** Epoch milliseconds that never go back. */
  readonly now: () => number
  /** Aborts when nothing may be written any more. */
  readonly givenUp: AbortSignal
}

type BatchName = Pick<SinkBatch, 'batchId' | 'time'>
type Results = readonly (OutputPartitions | undefined)[]

/** Runs what an output operation does as a task of the batch. */
export type InTask = (work: () => Promise<SinkReceipt>) => Promise<SinkReceipt>

/** What tasks have written of one output, or why they could not. */
export type Staged =
  | {
      readonly kind: 'written'
      readonly info: OutputOperationInfo
      readonly written: readonly WrittenPartition[]
    }
  | { readonly kind: 'failed'; readonly failure: Failure }

interface Failure {
  readonly name: string
  readonly error: unknown
}

const NOTHING: SinkReceipt = { records: 0, bytes: 0 }

/** Runs the output operations of one run. */
export class OutputOperations {
  readonly #parts: OutputOperationsParts

  constructor(parts: OutputOperationsParts) {
    this.#parts = parts
  }

  /** True if some output of a batch with these results is written by tasks. */
  hasTasks(results: Results): boolean {
    return results.some((partitions, i) => this.#committerOf(i, partitions) !== undefined)
  }

  /** True if some output is told of a batch without records, and may go by its id. */
  tellsOf(results: Results): boolean {
    return results.some((partitions, i) => {
      const output = this.#parts.outputs[i]
      if (partitions === undefined || this.#parts.opened[i]?.kind !== 'driver') return false
      if (output?.kind === 'sink') return output.sink.guarantee === 'exactly-once'
      return output?.kind === 'foreachBatch'
    })
  }

  /** Lets tasks write; gives what came of it, by output. Rejects where another attempt may mend it
   * (a worker died), and where the run was taken over. */
  async stage(batch: SinkBatch, results: Results): Promise<(Staged | undefined)[]> {
    const staged: (Staged | undefined)[] = []
    for (const [outputId, partitions] of results.entries()) {
      this.#parts.givenUp.throwIfAborted()
      const committer = this.#committerOf(outputId, partitions)
      staged.push(committer && (await this.#stageOne(batch, outputId, committer)))
    }
    return staged
  }

  /** Hands each output its partitions (undefined: its stream has no batch now), or lets it commit
   * what its tasks have written, each in a task; gives their receipts. Rejects with the first
   * failure when all have been tried. */
  async write(
    batch: SinkBatch,
    results: Results,
    staged: readonly (Staged | undefined)[],
    inTask: InTask,
  ): Promise<SinkReceipt[]> {
    const receipts: SinkReceipt[] = []
    const failures: Failure[] = []
    for (const [outputId, partitions] of results.entries()) {
      this.#parts.givenUp.throwIfAborted()
      const one = staged[outputId]
      if (one?.kind === 'failed') failures.push(one.failure)
      const write = this.#writeOf(batch, outputId, partitions, one)
      if (partitions === undefined || write === undefined) {
        receipts.push(NOTHING)
        continue
      }
      const info = one?.kind === 'written' ? one.info : this.#started(batch, outputId)
      receipts.push(await this.#writeOne(info, partitions, () => inTask(write), failures))
    }
    if (failures.length > 0) throw failureOf(batch, failures)
    return receipts
  }

  /** Tells that the records of an output could not be computed: nothing of the batch is written. */
  notComputed(batch: BatchName, outputId: number, error: unknown): void {
    this.#failed(this.#started(batch, outputId), error)
  }

  /** The committer of an output whose tasks have something to write. */
  #committerOf(
    outputId: number,
    partitions: OutputPartitions | undefined,
  ): SinkCommitter | undefined {
    const output = this.#parts.opened[outputId]
    const filled = partitions?.some((part) => part.length > 0) ?? false
    return filled && output?.kind === 'tasks' ? output.writer : undefined
  }

  async #stageOne(batch: SinkBatch, outputId: number, committer: SinkCommitter): Promise<Staged> {
    const info = this.#started(batch, outputId)
    try {
      const ticket = await committer.prepare(batch)
      const written = await this.#parts.inTasks({ outputId, batch, ticket })
      this.#tellRetries(info, written)
      return { kind: 'written', info, written: written.sort((a, b) => a.partition - b.partition) }
    } catch (error) {
      this.#failed(info, error)
      const code = codeOf(error)
      if (code === 'FENCED' || code === 'WORKER_DIED') throw error
      return { kind: 'failed', failure: { name: info.name, error } }
    }
  }

  /** What is to be done with a batch; undefined if nothing is. */
  #writeOf(
    batch: SinkBatch,
    outputId: number,
    partitions: OutputPartitions | undefined,
    staged: Staged | undefined,
  ): (() => Promise<SinkReceipt>) | undefined {
    const output = this.#parts.opened[outputId]
    if (partitions === undefined || output === undefined) return undefined
    if (output.kind === 'driver') {
      return () =>
        output.writer.write(
          batch,
          partitions.map((records) => recordsOf([records])),
        )
    }
    if (staged?.kind === 'written') return () => output.writer.commit(batch, staged.written)
    return staged === undefined ? () => Promise.resolve(NOTHING) : undefined
  }

  async #writeOne(
    info: OutputOperationInfo,
    partitions: OutputPartitions,
    write: () => Promise<SinkReceipt>,
    failures: Failure[],
  ): Promise<SinkReceipt> {
    const { events, now } = this.#parts
    try {
      const receipt = await write()
      const records = partitions.reduce((n, part) => n + part.length, 0)
      const endTime = now()
      events.emit({ kind: 'output-operation-completed', ...info, endTime, records })
      return receipt
    } catch (error) {
      this.#failed(info, error)
      if (codeOf(error) === 'FENCED') throw error
      failures.push({ name: info.name, error })
      return NOTHING
    }
  }

  #tellRetries({ outputId, name }: OutputOperationInfo, written: WrittenPartition[]): void {
    const retries = written.reduce((n, part) => n + (part.retries ?? 0), 0)
    if (retries === 0) return
    this.#parts.events.emit({ kind: 'sink-retried', outputId, name, retries, error: undefined })
  }

  #started({ batchId, time }: BatchName, outputId: number): OutputOperationInfo {
    const name = nameOf(this.#parts.outputs[outputId] as Output)
    const info = { outputId, name, batchId, time, startTime: this.#parts.now() }
    this.#parts.events.emit({ kind: 'output-operation-started', ...info })
    return info
  }

  #failed(info: OutputOperationInfo, error: unknown): void {
    const { events, now } = this.#parts
    const failureReason = messageOf(error)
    const endTime = now()
    events.emit({ kind: 'output-operation-failed', ...info, endTime, failureReason, error })
  }
}

/** What events and messages call an output. */
export function nameOf(output: Output): string {
  switch (output.kind) {
    case 'sink':
      return output.sink.name
    case 'save':
      return output.save.prefix
    default:
      return output.kind
  }
}

function failureOf({ batchId, time }: SinkBatch, failures: readonly Failure[]): StreamingError {
  const [first, ...others] = failures as [Failure, ...Failure[]]
  const rest = others.map(({ name, error }) => `; and to "${name}": ${messageOf(error)}`).join('')
  return new StreamingError(
    'SINK_FAILED',
    `Cannot write batch ${batchId} (${time} ms) to "${first.name}": ${messageOf(first.error)}` +
      `${rest}; mend the sink and start again: the batch is written again under the same id`,
    { cause: first.error, retryable: true },
  )
}
