// The source of a stream as the engine opens it, watched: each range that a cut gives follows on
// the one before, and one of a child comes in a later cut than the end of each of its parents.

import type { PartitionPositions, Position, RangeData, Source } from 'millrace'
import { type KinesisOptions, type KinesisRecord, kinesis } from 'millrace/kinesis'
import { KinesisReceiver } from '../../../src/receivers/kinesis/kinesis-receiver.ts'
import { kinesisSettings } from '../../../src/receivers/kinesis/options.ts'
import type { Receiver } from '../../../src/receivers/receiver.ts'

/** What a cut shows. */
export interface CutNews {
  /** Shards whose end is in the cut. */
  readonly ended: readonly string[]
  /** Shards that have parents, and of which this is the first range. */
  readonly begun: readonly string[]
}

/** One stream in one life. */
export class WatchedStream {
  /** What the checkpoint knew when the life began; undefined before it has asked. */
  from: PartitionPositions | undefined
  /** Which cut of this life had the end of a shard. */
  readonly endedIn = new Map<string, number>()
  /** How many calls the service had had when the receiver began to read; undefined before. */
  firstCall: number | undefined
  readonly #positions = new Map<string, Position>()
  readonly #onCut: (news: CutNews) => void
  readonly #callCount: () => number
  #cuts = 0

  constructor(onCut: (news: CutNews) => void, callCount: () => number) {
    this.#onCut = onCut
    this.#callCount = callCount
  }

  /** `random`: where the receiver's jitter comes from. */
  source(options: KinesisOptions, random: () => number): Source<KinesisRecord> {
    const settings = kinesisSettings(options)
    return {
      ...kinesis(options),
      open: (context) => this.#watch(new KinesisReceiver(settings, context, random)),
    }
  }

  #watch(receiver: Receiver): Receiver {
    return {
      start: async (from) => {
        this.from = from
        for (const { partition, position } of from) {
          if (position.kind === 'END') this.endedIn.set(partition, 0)
        }
        const positions = await receiver.start(from)
        for (const { partition, position } of positions) this.#positions.set(partition, position)
        return positions
      },
      run: () => {
        this.firstCall = this.#callCount()
        receiver.run()
      },
      cut: (limits) => {
        const cut = receiver.cut(limits)
        if (cut !== undefined) this.#take(cut)
        return cut
      },
      replay: (ranges) => receiver.replay(ranges),
      caughtUp: () => receiver.caughtUp(),
      bufferedBytes: () => receiver.bufferedBytes(),
      lagMs: () => receiver.lagMs(),
      stop: () => receiver.stop(),
    }
  }

  #take(cut: readonly RangeData[]): void {
    this.#cuts += 1
    const ended: string[] = []
    const begun: string[] = []
    for (const { range } of cut) {
      const { partition, after, upTo, parents } = range
      const before = this.#positions.get(partition) ?? { kind: 'TRIM_HORIZON' }
      if (JSON.stringify(after) !== JSON.stringify(before)) {
        throw new Error(
          `${partition}: a range after ${JSON.stringify(after)} follows ${before.kind}`,
        )
      }
      for (const parent of parents) {
        if (this.endedIn.has(parent)) continue
        throw new Error(`${partition} is cut before the end of its parent ${parent}`)
      }
      if (parents.length > 0 && before.kind === 'TRIM_HORIZON') begun.push(partition)
      if (upTo.kind === 'END') ended.push(partition)
      this.#positions.set(partition, upTo)
    }
    for (const shard of ended) this.endedIn.set(shard, this.#cuts)
    if (ended.length + begun.length > 0) this.#onCut({ ended, begun })
  }
}
