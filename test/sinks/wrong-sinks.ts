// A sink with tasks, in memory, that keeps the contract; and the ways to break it.

import type { Sink, SinkBatch, TaskSink, WrittenPartition } from 'millrace'
import { StreamingError } from 'millrace'

interface Staged extends SinkBatch {
  readonly partition: number
  readonly records: readonly unknown[]
}

/** The place that all processes share. */
export class SharedPlace {
  readonly visible: unknown[] = []
  staged: Staged[] = []
  receipts = new Set<number>()
  epoch = 0
}

/** What the sink does otherwise than it should. */
export interface Wrong {
  readonly showsAtWrite?: true
  readonly forgetsReceipts?: true
  readonly receiptsOfItsOwn?: true
  readonly takesAllAttempts?: true
  readonly takesAllBatches?: true
  readonly ignoresEpochs?: true
  readonly fencesWithoutError?: true
  readonly losesTheLast?: true
  readonly ticketIsAFunction?: true
  readonly countsPartitions?: true
  readonly refusesUnknown?: true
  readonly undoesRecovered?: true
  readonly beginsEmpty?: true
  readonly leavesStaged?: true
  readonly guarantee?: 'at-least-once'
}

/** The sink; right where nothing is wrong. */
export function memoryTaskSink(place: SharedPlace, wrong: Wrong = {}): TaskSink<unknown> {
  const own = new Set<number>()
  const receipts = wrong.receiptsOfItsOwn ? own : place.receipts
  const mine = (batch: SinkBatch, written: readonly WrittenPartition[]) => (one: Staged) =>
    (wrong.takesAllBatches || one.batchId === batch.batchId) &&
    (wrong.takesAllAttempts || (one.attempt === batch.attempt && one.epoch === batch.epoch)) &&
    (wrong.takesAllAttempts ||
      wrong.takesAllBatches ||
      written.some(({ partition }) => partition === one.partition))
  return {
    name: 'memory',
    guarantee: wrong.guarantee ?? 'exactly-once',
    async open({ epoch }) {
      await Promise.resolve()
      place.epoch = epoch
      if (!wrong.leavesStaged) place.staged = place.staged.filter((one) => one.epoch >= epoch)
      if (wrong.beginsEmpty) place.visible.length = 0
      return {
        async recover(batchIds) {
          await Promise.resolve()
          if (wrong.refusesUnknown && batchIds.some((id) => !receipts.has(id))) {
            throw new Error('a batch that nobody knows')
          }
          if (!wrong.undoesRecovered) return
          const there = (one: unknown) => batchIds.some((id) => String(one).includes(` ${id}0`))
          place.visible.splice(0, Infinity, ...place.visible.filter((one) => !there(one)))
        },
        prepare: () => Promise.resolve(wrong.ticketIsAFunction ? () => undefined : 'ticket'),
        async commit(batch, written) {
          await Promise.resolve()
          if (place.epoch > batch.epoch && !wrong.ignoresEpochs) {
            if (wrong.fencesWithoutError) return { records: 0, bytes: 0 }
            throw new StreamingError('FENCED', 'a higher epoch has come')
          }
          const isNew = wrong.forgetsReceipts || !receipts.has(batch.batchId)
          receipts.add(batch.batchId)
          const taken = place.staged.filter(mine(batch, written))
          if (wrong.losesTheLast) taken.pop()
          if (isNew && !wrong.showsAtWrite) {
            place.visible.push(...taken.flatMap((one) => one.records))
          }
          if (!wrong.leavesStaged && !wrong.takesAllBatches) {
            place.staged = place.staged.filter(({ batchId }) => batchId !== batch.batchId)
          }
          const records = written.reduce((n, part) => n + part.records, 0)
          return { records: wrong.countsPartitions ? written.length : records, bytes: 0 }
        },
        async close() {
          await Promise.resolve()
          if (!wrong.leavesStaged) place.staged = place.staged.filter((one) => one.epoch !== epoch)
        },
      }
    },
    openTask: () =>
      Promise.resolve({
        async write(task, records) {
          await Promise.resolve()
          place.staged.push({ ...task, records })
          if (wrong.showsAtWrite) place.visible.push(...records)
          return { records: records.length, bytes: 0 }
        },
        close: () => Promise.resolve(),
      }),
  }
}

/** A sink without tasks that adds each batch to what is there. */
export function appendingSink(place: SharedPlace, keepsIds: boolean): Sink<unknown> {
  return {
    name: 'appending',
    guarantee: 'exactly-once',
    open: () =>
      Promise.resolve({
        recover: () => Promise.resolve(),
        write({ batchId }, partitions) {
          const isNew = !keepsIds || !place.receipts.has(batchId)
          place.receipts.add(batchId)
          if (isNew) place.visible.push(...partitions.flat(1))
          return Promise.resolve({ records: partitions.flat(1).length, bytes: 0 })
        },
        close: () => Promise.resolve(),
      }),
  }
}
