// What an output operation does with a batch: a sink's writer, or the user's function.

import { Batch } from '../batch/batch.ts'
import type { BatchRuntime } from '../batch/batch-base.ts'
import { leaf } from '../batch/node.ts'
import type { Output, Save } from '../dstream/graph.ts'
import type { Sink, SinkBatch, SinkContext, SinkReceipt, SinkWriter } from '../sinks/sink.ts'

/** The sinks of the outputs that name none. They are adapters, so they are handed in. */
export interface OwnSinks {
  print(count: number): Sink<unknown>
  save(save: Save): Sink<unknown>
}

/** Opens the writer of an output. */
export async function openOutput(
  output: Output,
  context: SinkContext,
  sinks: OwnSinks,
  runtime: BatchRuntime,
): Promise<SinkWriter<unknown>> {
  switch (output.kind) {
    case 'sink':
      return output.sink.open(context)
    case 'print':
      return sinks.print(output.count).open(context)
    case 'save':
      return sinks.save(output.save).open(context)
    case 'foreachBatch':
      return new ForeachBatchWriter(output.f, runtime)
  }
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
