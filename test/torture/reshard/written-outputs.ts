// What the sinks of all lives have: each batch once. A batch that comes again must be the same.

import { type Arrived, OUTPUTS, type OutputName, type StreamName } from './two-streams.ts'

/** Keeps the records of each batch. */
export class WrittenOutputs {
  readonly batches: Readonly<Record<OutputName, Map<number, readonly unknown[]>>>
  /** How many batches came again. */
  redone = 0
  readonly #arrived = new Map<string, number>()

  constructor() {
    const made = OUTPUTS.map((output) => [output, new Map<number, readonly unknown[]>()])
    this.batches = Object.fromEntries(made) as typeof this.batches
  }

  write(output: OutputName, batchId: number, records: readonly unknown[]): void {
    const before = this.batches[output].get(batchId)
    if (before === undefined) {
      this.batches[output].set(batchId, records)
      this.#arrived.set(output, (this.#arrived.get(output) ?? 0) + records.length)
      return
    }
    this.redone += 1
    if (JSON.stringify(before) === JSON.stringify(records)) return
    throw new Error(
      `Batch ${batchId} of "${output}" comes again as ${JSON.stringify(records)}, ` +
        `it was ${JSON.stringify(before)}`,
    )
  }

  /** Records of a stream that came. */
  arrived(stream: StreamName): number {
    return this.#arrived.get(stream) ?? 0
  }

  /** Shards of a stream that records came of. */
  shards(stream: StreamName): Set<string> {
    const records = [...this.batches[stream].values()].flat() as Arrived[]
    return new Set(records.map(({ shard }) => shard))
  }
}
