// The immutable, partitioned, lazy collection that a stream has at each batch time: Spark's RDD.
// The operations stand in the files of their families, each a class that the next one extends.

import { BatchActions } from './actions.ts'
import { tableOf } from './batch-base.ts'
import type { BatchNode } from './node.ts'
import { checkPartitions } from './partition-count.ts'

/** What the pair operations need of `this`: a batch of [key, value]. */
export type PairBatch<K, V> = Batch<readonly [K, V]>

/** An immutable, partitioned collection of records at one batch time; Spark's RDD under the same
 * names.
 *
 * Operations are lazy and give new batches; actions (`collect`, `count`, …) run them and return
 * promises.
 *
 * @example
 * ```ts
 * const table = Batch.of([['a', 1], ['b', 2]] as [string, number][])
 * const inputs = [[['a']]]
 * const outputs = await runBatches({ inputs, batches: 1 }, (_ssc, words: DStream<string>) =>
 *   words.map((word) => [word, 0] as const).transform((batch) => batch.join(table)),
 * )
 * assert.deepEqual(outputs, [[['a', [0, 1]]]])
 * ```
 */
export class Batch<T> extends BatchActions<T> {
  /** Makes a batch of records, cut in order into `partitions` (1 to 256, default 1): Spark's
   * `parallelize`. It is read at once, and belongs to no pipeline: lazy operations work on it
   * anywhere, actions where another batch has brought it into a running pipeline.
   *
   * @example
   * ```ts
   * const extra = Batch.of([4, 5])
   * const all = await onBatch([3], (numbers) => numbers.union(extra).collect())
   * assert.deepEqual(all, [3, 4, 5])
   * ```
   */
  static of<T>(records: Iterable<T>, partitions = 1): Batch<T> {
    checkPartitions(partitions, 'Batch.of')
    return new Batch(tableOf(records, partitions))
  }

  protected derive<U>(node: BatchNode): Batch<U> {
    return new Batch(node, this.runtime)
  }
}
