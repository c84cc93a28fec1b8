// Sinks that are a service: a table that checks epochs, written by tasks, and a store of batches
// that knows no epochs, written by the driver. Both are outside of all processes.

import { StreamingError } from '../../../src/errors.ts'
import type {
  DriverSink,
  SinkBatch,
  SinkContext,
  SinkReceipt,
  TaskSink,
  WrittenPartition,
} from '../../../src/sinks/sink.ts'
import type { SimProcess } from './process.ts'

/** A batch as whoever reads the sink sees it. */
export interface SeenBatch {
  readonly records: readonly unknown[]
  readonly epoch: number
}

const ANSWER_MS = 4_000

/** One output of a pipeline in a service. */
export class SimTable {
  readonly name: string
  readonly batches = new Map<number, SeenBatch>()
  readonly #staged = new Map<string, string>()
  /** The highest that has opened it. */
  #epoch = 0

  constructor(name: string) {
    this.name = name
  }

  /** A sink whose tasks write, and whose commit looks at the epoch. */
  taskSinkFor(process: SimProcess): TaskSink<unknown> {
    const ask = this.#asker(process)
    const commit = (batch: SinkBatch, written: readonly WrittenPartition[]): SinkReceipt => {
      this.#refuseEarlier(batch)
      const parts = written.map(({ partition }) => {
        const staged = this.#staged.get(keyOf(batch, partition))
        if (staged === undefined) throw new Error(`partition ${partition} was not staged`)
        return JSON.parse(staged) as unknown[]
      })
      return this.#show(process, batch, parts.flat())
    }
    return {
      name: `table:${this.name}`,
      guarantee: 'exactly-once',
      open: async (context: SinkContext) => {
        await ask('open', context, () => {
          this.#refuseEarlier(context)
          this.#epoch = context.epoch
        })
        return {
          recover: () => Promise.resolve(),
          prepare: (batch) => ask('prepare', batch, () => this.#refuseEarlier(batch)),
          commit: (batch, written) => ask('commit', batch, () => commit(batch, written)),
          close: () => Promise.resolve(),
        }
      },
      openTask: () =>
        Promise.resolve({
          write: (task, records) => {
            const text = JSON.stringify(records)
            return ask('write', task, () => {
              this.#staged.set(keyOf(task, task.partition), text)
              return { records: records.length, bytes: 0 }
            })
          },
          close: () => Promise.resolve(),
        }),
    }
  }

  /** A sink whose driver writes; a batch that is there stays as it is. */
  driverSinkFor(process: SimProcess): DriverSink<unknown> {
    const ask = this.#asker(process)
    return {
      name: `store:${this.name}`,
      guarantee: 'exactly-once',
      open: () =>
        Promise.resolve({
          recover: () => Promise.resolve(),
          write: (batch, partitions) => {
            const records = JSON.parse(JSON.stringify(partitions.flat(1))) as unknown[]
            return ask('write', batch, () => this.#show(process, batch, records))
          },
          close: () => Promise.resolve(),
        }),
    }
  }

  /** Makes a batch visible. Every attempt at it must bring the same records. */
  #show({ world }: SimProcess, { batchId, epoch }: SinkBatch, records: unknown[]): SinkReceipt {
    const there = this.batches.get(batchId)
    if (there === undefined) this.batches.set(batchId, { records, epoch })
    else if (JSON.stringify(there.records) !== JSON.stringify(records)) {
      world.breaks(
        `Batch ${batchId} of "${this.name}" was written by epoch ${there.epoch} as ` +
          `${JSON.stringify(there.records)}, and by epoch ${epoch} as ${JSON.stringify(records)}`,
      )
    }
    return { records: records.length, bytes: 0 }
  }

  #refuseEarlier({ epoch }: Pick<SinkContext, 'epoch'>): void {
    if (epoch >= this.#epoch) return
    throw new StreamingError('FENCED', `epoch ${this.#epoch} has opened the table`)
  }

  #asker(process: SimProcess) {
    return async <T>(
      what: string,
      about: { readonly epoch: number; readonly batchId?: number },
      run: () => T,
    ): Promise<T> => {
      const of = `${this.name} epoch ${about.epoch} batch ${about.batchId ?? '-'}`
      const { promise: late, reject } = Promise.withResolvers<never>()
      const cancel = process.clock.after(ANSWER_MS, () => reject(noAnswer()))
      try {
        return await Promise.race([process.call('sink', what, of, { run }), late])
      } finally {
        cancel()
      }
    }
  }
}

function noAnswer(): StreamingError {
  return new StreamingError('SINK_FAILED', 'The service gave no answer', { retryable: true })
}

function keyOf({ batchId, attempt, epoch }: SinkBatch, partition: number): string {
  return `${batchId}/${epoch}/${attempt}/${partition}`
}
