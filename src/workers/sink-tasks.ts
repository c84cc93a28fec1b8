// The tasks' side of the sinks of one thread: each is opened before its first write.

import PQueue from 'p-queue'
import { recordsOf } from '../batch/record-columns.ts'
import type { Partition } from '../batch/records.ts'
import { partitionLength } from '../batch/records.ts'
import type { Output } from '../dstream/graph.ts'
import {
  isTaskSink,
  type SinkBatch,
  type SinkTaskWriter,
  type TaskSink,
  type WrittenPartition,
} from '../sinks/sink.ts'
import { type OwnSinks, sinkOf } from './output-sinks.ts'

const WRITES_MAX = 4

/** The partitions of an output that are to be written, by number; those of others undefined. */
export type OwnPartitions = readonly (Partition<unknown> | undefined)[]

/** Which output of which attempt is to be written. */
export interface SinkWrite {
  readonly outputId: number
  readonly batch: SinkBatch
  /** What `prepare` gave. */
  readonly ticket: unknown
}

/** The task sinks of one thread. */
export class SinkTasks {
  readonly #sinks: readonly (TaskSink<unknown> | undefined)[]
  readonly #writers = new Map<number, Promise<SinkTaskWriter<unknown>>>()
  readonly #queue = new PQueue({ concurrency: WRITES_MAX })

  constructor(outputs: readonly Output[], own: OwnSinks) {
    this.#sinks = outputs.map((output) => {
      const sink = sinkOf(output, own)
      return sink !== undefined && isTaskSink(sink) ? sink : undefined
    })
  }

  /** True for an output whose tasks write. */
  writes(outputId: number): boolean {
    return this.#sinks[outputId] !== undefined
  }

  /** Writes the partitions that have records, at most four at once. Settles when none is being
   * written any more; rejects with what the first failure threw. */
  async write(write: SinkWrite, partitions: OwnPartitions): Promise<WrittenPartition[]> {
    const filled = partitions.flatMap((pieces, partition) =>
      pieces === undefined || partitionLength(pieces) === 0 ? [] : [{ partition, pieces }],
    )
    if (filled.length === 0) return []
    const writer = await this.#writerOf(write)
    const failures: unknown[] = []
    const written: WrittenPartition[] = []
    const one = async (partition: number, pieces: Partition<unknown>): Promise<void> => {
      if (failures.length > 0) return
      try {
        const task = { ...write.batch, partition, ticket: write.ticket }
        written.push({ ...(await writer.write(task, recordsOf(pieces))), partition })
      } catch (error) {
        failures.push(error)
      }
    }
    await this.#queue.addAll(
      filled.map(
        ({ partition, pieces }) =>
          () =>
            one(partition, pieces),
      ),
    )
    if (failures.length > 0) throw failures[0]
    return written
  }

  async close(): Promise<void> {
    await this.#queue.onIdle()
    const opened = await Promise.allSettled(this.#writers.values())
    for (const one of opened) if (one.status === 'fulfilled') await one.value.close()
  }

  #writerOf({ outputId, batch }: SinkWrite): Promise<SinkTaskWriter<unknown>> {
    const known = this.#writers.get(outputId)
    if (known !== undefined) return known
    const sink = this.#sinks[outputId]
    if (sink === undefined) throw new Error(`millrace bug: output ${outputId} has no tasks`)
    const { pipeline, epoch } = batch
    const opening = sink.openTask({ pipeline, outputId, epoch })
    this.#writers.set(outputId, opening)
    // One that could not be opened is tried again at the next attempt.
    opening.catch(() => this.#writers.delete(outputId))
    return opening
  }
}
