// Output operations: without one on a stream, nothing of it runs.

import type { Batch } from '../batch/batch.ts'
import { requireFunction } from '../batch/closures.ts'
import { ConfigError } from '../errors.ts'
import type { Sink, TaskSink } from '../sinks/sink.ts'
import type { BatchContext, SaveFormat } from './graph.ts'
import { StateOperators } from './state-operators.ts'

/** The operators that hand a stream's batches out. They run in the driver's thread, in order of
 * declaration, one batch at a time; one that fails ends the run with SINK_FAILED, and the next
 * start writes the batch again under the same id. */
export abstract class OutputOperators<T> extends StateOperators<T> {
  /** Prints the first `count` records (default 10) of each batch to standard output, under its
   * time; at least once.
   *
   * @example
   * ```ts
   * const p = pipeline('p', { batchInterval: 10, checkpoint: false }, (ssc) => {
   *   ssc.queue([['hello']]).print(1)
   *   assert.throws(() => ssc.queue([['hello']]).print(-1), ConfigError)
   * })
   * await (await start(p, { until: 'caught-up' })).done
   * ```
   */
  print(count = 10): void {
    if (!Number.isSafeInteger(count) || count < 0) {
      throw new ConfigError(
        `Cannot print the first ${count} records: it must be a whole number, at least 0`,
      )
    }
    this.graph.addOutput({ kind: 'print', node: this.node, count })
  }

  /** Calls `f` with each batch, in the driver's thread, and awaits what it gives: at least once,
   * with the same batch id each time, so that a write to a database can leave out what is there.
   * Actions of the batch work here.
   *
   * @example
   * ```ts
   * const sums: [number, number][] = []
   * await runBatches({ inputs: [[[1, 2], [4]]], batches: 2 }, (_ssc, numbers: DStream<number>) => {
   *   numbers.foreachBatch(async (batch, { batchId }) => {
   *     sums.push([batchId, await batch.sum()])
   *   })
   *   return numbers
   * })
   * assert.deepEqual(sums, [[1, 3], [2, 4]])
   * ```
   */
  foreachBatch(f: (batch: Batch<T>, context: BatchContext) => void | Promise<void>): void {
    requireFunction(f, 'foreachBatch')
    this.graph.addOutput({ kind: 'foreachBatch', node: this.node, f })
  }

  /** Writes each batch to `sink`, with the guarantee that the sink gives.
   *
   * @example
   * ```ts
   * const sink = new CollectingSink<number>()
   * await runBatches({ inputs: [[[1, 2]]], batches: 1 }, (_ssc, numbers: DStream<number>) => {
   *   numbers.map((n) => n * 10).writeTo(sink)
   *   return numbers
   * })
   * assert.deepEqual(sink.records(), [10, 20])
   * ```
   */
  writeTo(sink: Sink<T> | TaskSink<T>): void {
    if (typeof sink?.open !== 'function') {
      throw new ConfigError(`Cannot write to a ${typeof sink}: it must be a Sink, such as files()`)
    }
    this.graph.addOutput({ kind: 'sink', node: this.node, sink: sink as Sink<unknown> })
  }

  /** Writes each batch with records as a folder of text files, `prefix-TIME[.suffix]`, where TIME
   * is the batch time in epoch milliseconds; exactly once. A text is a line as it is, anything
   * else is written as JSON. `part-00000` holds the first partition; `_manifest.json` counts the
   * records. A batch without records makes no folder. Relative to the working directory.
   *
   * @example
   * ```ts
   * const prefix = join(await mkdtemp(join(tmpdir(), 'saved-')), 'words')
   * const inputs = [[['to', 'be']]]
   * await runBatches({ inputs, batches: 1, partitions: 1 }, (_ssc, words: DStream<string>) => {
   *   words.saveAsTextFiles(prefix, 'txt')
   *   return words
   * })
   * assert.equal(await readFile(`${prefix}-1000.txt/part-00000`, 'utf8'), 'to\nbe\n')
   * ```
   */
  saveAsTextFiles(prefix: string, suffix?: string): void {
    this.#save('text', prefix, suffix)
  }

  /** As `saveAsTextFiles`, with each record as a line of JSON in `part-00000.jsonl`.
   *
   * @example
   * ```ts
   * const prefix = join(await mkdtemp(join(tmpdir(), 'saved-')), 'counts')
   * const inputs = [[[{ n: 1 }]]]
   * await runBatches({ inputs, batches: 1, partitions: 1 }, (_ssc, counts: DStream<object>) => {
   *   counts.saveAsJsonFiles(prefix)
   *   return counts
   * })
   * assert.equal(await readFile(`${prefix}-1000/part-00000.jsonl`, 'utf8'), '{"n":1}\n')
   * ```
   */
  saveAsJsonFiles(prefix: string, suffix?: string): void {
    this.#save('json', prefix, suffix)
  }

  #save(format: SaveFormat, prefix: string, suffix: string | undefined): void {
    const what = `saveAs${format === 'text' ? 'Text' : 'Json'}Files`
    if (typeof prefix !== 'string' || prefix === '') {
      throw new ConfigError(`Cannot use ${show(prefix)} as prefix of ${what}: give a path`)
    }
    if (suffix !== undefined && (typeof suffix !== 'string' || /[/\\]/.test(suffix))) {
      throw new ConfigError(
        `Cannot use ${show(suffix)} as suffix of ${what}: give a text without /`,
      )
    }
    const save = { format, prefix, suffix: suffix === '' ? undefined : suffix }
    const taken = this.graph.outputs.some(
      (other) =>
        other.kind === 'save' &&
        other.save.prefix === save.prefix &&
        other.save.suffix === save.suffix,
    )
    if (taken) {
      throw new ConfigError(
        `Cannot ${what} under ${show(prefix)} twice with one suffix: the second would find the ` +
          `folders of the first; choose another prefix or suffix`,
      )
    }
    this.graph.addOutput({ kind: 'save', node: this.node, save })
  }
}

function show(value: unknown): string {
  return typeof value === 'string' ? `"${value}"` : String(value)
}
