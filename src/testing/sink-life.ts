// A process that holds a sink, as the sink sees it: one driver, and the tasks of two threads.

import {
  type DriverSink,
  isTaskSink,
  type Sink,
  type SinkBatch,
  type SinkCommitter,
  type SinkReceipt,
  type SinkTaskWriter,
  type SinkWriter,
  type WrittenPartition,
} from '../sinks/sink.ts'
import { quietLogger } from './quiet-logger.ts'

/** A batch that a test writes. */
export interface TestBatch {
  readonly batchId: number
  readonly partitions: readonly (readonly unknown[])[]
}

/** One call that a sink gets. */
export interface SinkStep {
  readonly name: string
  run(): Promise<void>
}

const PIPELINE = 'checked'
const THREADS = 2
const INTERVAL_MS = 1_000

/** One life of a process. It dies by being left alone. */
export class SinkLife {
  readonly #epoch: number
  readonly #writer: SinkWriter<unknown> | undefined
  readonly #committer: SinkCommitter | undefined
  readonly #tasks: readonly SinkTaskWriter<unknown>[]
  readonly #retries: { count: number }

  private constructor(
    epoch: number,
    writer: SinkWriter<unknown> | undefined,
    committer: SinkCommitter | undefined,
    tasks: readonly SinkTaskWriter<unknown>[],
    retries: { count: number },
  ) {
    this.#epoch = epoch
    this.#writer = writer
    this.#committer = committer
    this.#tasks = tasks
    this.#retries = retries
  }

  /** Calls to the place that the sink has made again. */
  get retries(): number {
    return this.#retries.count
  }

  /** Opens all sides, each of a sink of its own, and tells what is to be redone. */
  static async open(
    make: () => Sink<unknown>,
    epoch: number,
    redo: readonly number[],
  ): Promise<SinkLife> {
    const own = { pipeline: PIPELINE, outputId: 0, epoch }
    const retries = { count: 0 }
    const retried = (): void => {
      retries.count += 1
    }
    const context = { ...own, logger: quietLogger, retried }
    const sink = make()
    if (!isTaskSink(sink)) {
      const writer = await (sink as DriverSink<unknown>).open(context)
      await writer.recover(redo)
      return new SinkLife(epoch, writer, undefined, [], retries)
    }
    const committer = await sink.open(context)
    await committer.recover(redo)
    const tasks: SinkTaskWriter<unknown>[] = []
    for (let thread = 0; thread < THREADS; thread++) {
      const other = make()
      if (isTaskSink(other)) tasks.push(await other.openTask(own))
    }
    return new SinkLife(epoch, undefined, committer, tasks, retries)
  }

  /** The calls that write a batch, in order. `told` gets its receipt. */
  steps(
    batch: TestBatch,
    attempt = 0,
    told: (receipt: SinkReceipt) => void = () => undefined,
  ): SinkStep[] {
    const { batchId, partitions } = batch
    const time = batchId * INTERVAL_MS
    const name: SinkBatch = { pipeline: PIPELINE, batchId, time, epoch: this.#epoch, attempt }
    const writer = this.#writer
    if (writer !== undefined) {
      return [{ name: 'write', run: async () => told(await writer.write(name, partitions)) }]
    }
    return this.#taskSteps(name, partitions, told)
  }

  /** Writes a batch; gives its receipt. */
  async write(batch: TestBatch, attempt = 0): Promise<SinkReceipt> {
    let receipt: SinkReceipt | undefined
    const tell = (told: SinkReceipt): void => {
      receipt = told
    }
    for (const step of this.steps(batch, attempt, tell)) await step.run()
    return receipt ?? { records: -1, bytes: -1 }
  }

  async close(): Promise<void> {
    for (const task of this.#tasks) await task.close()
    await (this.#writer ?? this.#committer)?.close()
  }

  #taskSteps(
    name: SinkBatch,
    partitions: readonly (readonly unknown[])[],
    told: (receipt: SinkReceipt) => void,
  ): SinkStep[] {
    const committer = this.#committer as SinkCommitter
    const written: WrittenPartition[] = []
    let ticket: unknown
    const prepare = async (): Promise<void> => {
      ticket = await committer.prepare(name)
    }
    const write = async (partition: number, records: readonly unknown[]): Promise<void> => {
      const task = this.#tasks[partition % THREADS] as SinkTaskWriter<unknown>
      // As if it went to another thread and back.
      const given = { ...name, partition, ticket: acrossThreads(ticket, 'what prepare gives') }
      const receipt = await task.write(given, records)
      this.#retries.count += receipt.retries ?? 0
      written.push({ ...acrossThreads(receipt, 'the receipt of a task'), partition })
    }
    const commit = async (): Promise<void> => {
      told(await committer.commit(name, [...written]))
    }
    return [
      { name: 'prepare', run: prepare },
      ...[...partitions.entries()].flatMap(([i, records]) =>
        records.length === 0 ? [] : [{ name: `write ${i}`, run: () => write(i, records) }],
      ),
      { name: 'commit', run: commit },
    ]
  }
}

/** Something that cannot go to another thread. */
export class NotCloneable extends Error {}

function acrossThreads<V>(value: V, what: string): V {
  try {
    return structuredClone(value)
  } catch (cause) {
    throw new NotCloneable(`${what} cannot go to another thread`, { cause })
  }
}
