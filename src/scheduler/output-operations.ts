// The output operations of a batch, in order of declaration. One that fails does not keep the
// others from the batch: they have it, and have it again when it is redone. Only a run that was
// taken over stops at once, since it may not write any more.

import { recordsOf } from '../batch/record-columns.ts'
import type { Output } from '../dstream/graph.ts'
import { codeOf, messageOf, StreamingError } from '../errors.ts'
import type { EventBus, OutputOperationInfo } from '../events.ts'
import type { SinkBatch, SinkReceipt, SinkWriter } from '../sinks/sink.ts'
import type { OutputPartitions } from '../workers/executor.ts'

/** What output operations work with. */
export interface OutputOperationsParts {
  readonly outputs: readonly Output[]
  /** One for each output. */
  readonly writers: readonly SinkWriter<unknown>[]
  readonly events: EventBus
  /** Epoch milliseconds that never go back. */
  readonly now: () => number
}

type Partitions = OutputPartitions
type BatchName = Pick<SinkBatch, 'batchId' | 'time'>

/** Runs what an output operation does as a task of the batch. */
export type InTask = (work: () => Promise<SinkReceipt>) => Promise<SinkReceipt>

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

  /** Hands each output its partitions (undefined: its stream has no batch now), each in a task;
   * gives their receipts. Rejects with the first failure when all have been tried. */
  async write(
    batch: SinkBatch,
    results: readonly (Partitions | undefined)[],
    inTask: InTask,
  ): Promise<SinkReceipt[]> {
    const receipts: SinkReceipt[] = []
    const failures: Failure[] = []
    for (const [outputId, partitions] of results.entries()) {
      const writer = this.#parts.writers[outputId]
      if (partitions === undefined || writer === undefined) {
        receipts.push(NOTHING)
        continue
      }
      const write = () =>
        inTask(() =>
          writer.write(
            batch,
            partitions.map((records) => recordsOf([records])),
          ),
        )
      receipts.push(await this.#writeOne(batch, outputId, partitions, write, failures))
    }
    if (failures.length > 0) throw failureOf(batch, failures)
    return receipts
  }

  /** Tells that the records of an output could not be computed: nothing of the batch is written. */
  notComputed(batch: BatchName, outputId: number, error: unknown): void {
    this.#failed(this.#started(batch, outputId), error)
  }

  async #writeOne(
    batch: SinkBatch,
    outputId: number,
    partitions: Partitions,
    write: () => Promise<SinkReceipt>,
    failures: Failure[],
  ): Promise<SinkReceipt> {
    const info = this.#started(batch, outputId)
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

function nameOf(output: Output): string {
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
