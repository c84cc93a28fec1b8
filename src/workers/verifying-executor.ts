// Runs each batch twice, and stops where the two differ: closures that use clocks, random numbers
// or what other batches left behind are found before a restart finds them.

import { isDeepStrictEqual } from 'node:util'
import { recordsOf } from '../batch/record-columns.ts'
import { StreamingError } from '../errors.ts'
import type { WrittenPartition } from '../sinks/sink.ts'
import type { BatchInput, Executor, FrozenState, OutputPartitions, Ran } from './executor.ts'
import type { SinkWrite } from './sink-tasks.ts'

/** Compares two attempts at each batch of another executor. */
export class VerifyingExecutor implements Executor {
  readonly overlaps: boolean
  readonly #inner: Executor

  constructor(inner: Executor) {
    this.overlaps = inner.overlaps
    this.#inner = inner
  }

  restore(...committed: Parameters<Executor['restore']>): Promise<void> {
    return this.#inner.restore(...committed)
  }

  async run(input: BatchInput, traced: boolean): Promise<Ran> {
    const first = seen(await this.#inner.run(input, traced))
    const ran = await this.#inner.run(input, traced)
    const second = seen(ran)
    const output = first.outputs.findIndex((records, i) => {
      return !isDeepStrictEqual(records, second.outputs[i])
    })
    if (output >= 0) throw differs(input, `the records of output ${output} differ`)
    if (!isDeepStrictEqual(first.changes, second.changes)) throw differs(input, 'its state differs')
    return ran
  }

  write(write: SinkWrite): Promise<WrittenPartition[]> {
    return this.#inner.write(write)
  }

  merge(): void {
    this.#inner.merge()
  }

  freeze(): FrozenState {
    return this.#inner.freeze()
  }

  slice(...of: Parameters<Executor['slice']>): Promise<readonly OutputPartitions[]> {
    return this.#inner.slice(...of)
  }

  close(): Promise<void> {
    return this.#inner.close()
  }
}

/** What an attempt gave, as it is now: closures of the next one may change what they share. */
function seen({ outputs, changes }: Ran) {
  const records = outputs.map((partitions) => partitions?.map((part) => recordsOf([part]).slice()))
  return { outputs: records, changes: changes && Buffer.from(changes) }
}

function differs({ batchId, time }: BatchInput, how: string): StreamingError {
  return new StreamingError(
    'RESULTS_DIFFER',
    `Cannot trust batch ${batchId} (${time} ms): run twice, ${how}; make closures depend on ` +
      `their arguments alone, not on clocks, random numbers or variables that they change`,
  )
}
