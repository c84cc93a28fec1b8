// What an output operation does with a batch: a sink's side in the driver, or the user's function.

import { Batch } from '../batch/batch.ts'
import type { BatchRuntime } from '../batch/batch-base.ts'
import { leaf } from '../batch/node.ts'
import type { Output } from '../dstream/graph.ts'
import {
  type DriverSink,
  isTaskSink,
  type SinkBatch,
  type SinkCommitter,
  type SinkContext,
  type SinkReceipt,
  type SinkWriter,
} from '../sinks/sink.ts'
import { type OwnSinks, sinkOf } from '../workers/output-sinks.ts'

/** The driver's side of an output: it writes, or it commits what tasks have written. */
export type OpenOutput =
  | { readonly kind: 'driver'; readonly writer: SinkWriter<unknown> }
  | { readonly kind: 'tasks'; readonly writer: SinkCommitter }

/** Opens the driver's side of an output. */
export async function openOutput(
  output: Output,
  context: SinkContext,
  sinks: OwnSinks,
  runtime: BatchRuntime,
): Promise<OpenOutput> {
  if (output.kind === 'foreachBatch') {
    return { kind: 'driver', writer: new ForeachBatchWriter(output.f, runtime) }
  }
  const sink = sinkOf(output, sinks)
  if (sink === undefined) throw new Error(`millrace bug: output "${output.kind}" has no sink`)
  return isTaskSink(sink)
    ? { kind: 'tasks', writer: await sink.open(context) }
    : { kind: 'driver', writer: await (sink as DriverSink<unknown>).open(context) }
}

class ForeachBatchWriter implements SinkWriter<unknown> {
  readonly #f: Extract<Output, { kind: 'foreachBatch' }>['f']
  readonly #runtime: BatchRuntime

  constructor(f: Extract<Output, { kind: 'foreachBatch' }>['f'], runtime: BatchRuntime) {
    this.#f = f
    this.#runtime = runtime
  }

  recover(): Promise<void> {
    return Promise.resolve()
  }

  async write(
    { time, batchId, epoch }: SinkBatch,
    partitions: readonly (readonly unknown[])[],
  ): Promise<SinkReceipt> {
    const node = leaf(
      partitions.map((part) => [part]),
      'foreachBatch',
    )
    const runtime: BatchRuntime = { run: (of) => this.#runtime.run(of, time) }
    await this.#f(new Batch(node, runtime) as Batch<never>, { time, batchId, epoch })
    return { records: partitions.reduce((n, part) => n + part.length, 0), bytes: 0 }
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
