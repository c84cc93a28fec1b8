import type { DriverSink } from '../sinks/sink.ts'

/** Keeps the records of each batch in memory, by batch id: a batch written twice is there once.
 *
 * @example
 * ```ts
 * const sink = new CollectingSink<number>()
 * const p = pipeline('p', { batchInterval: 10, checkpoint: false }, (ssc) => {
 *   ssc.queue([[1, 2]]).writeTo(sink)
 * })
 * await (await start(p, { until: 'caught-up' })).done
 * assert.deepEqual(sink.records(), [1, 2])
 * ```
 */
export class CollectingSink<T> implements DriverSink<T> {
  readonly name = 'collecting'
  readonly guarantee = 'exactly-once'
  /** Partitions of each batch. */
  readonly batches: Map<number, readonly (readonly T[])[]> = new Map()

  /** All records in order of the batches and partitions.
   *
   * @example
   * ```ts
   * const sink = new CollectingSink<number>()
   * sink.batches.set(2, [[3]]).set(1, [[1], [2]])
   * assert.deepEqual(sink.records(), [1, 2, 3])
   * ```
   */
  records(): T[] {
    const ids = [...this.batches.keys()].sort((a, b) => a - b)
    return ids.flatMap((id) => (this.batches.get(id) ?? []).flat(1))
  }

  open: DriverSink<T>['open'] = () =>
    Promise.resolve({
      recover: () => Promise.resolve(),
      write: ({ batchId }, partitions) => {
        this.batches.set(batchId, structuredClone(partitions))
        return Promise.resolve({ records: partitions.flat(1).length, bytes: 0 })
      },
      close: () => Promise.resolve(),
    })
}
