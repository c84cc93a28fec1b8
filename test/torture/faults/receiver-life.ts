// A receiver from its start to its end, as the engine would drive it.

import type { KinesisClient } from '@aws-sdk/client-kinesis'
import type { PartitionPositions, RangeData } from 'millrace'
import { quietLogger } from 'millrace/testing'
import { mulberry32 } from '../../../src/batch/recipes.ts'
import { codeOf } from '../../../src/errors.ts'
import { KinesisReceiver } from '../../../src/receivers/kinesis/kinesis-receiver.ts'
import { kinesisSettings } from '../../../src/receivers/kinesis/options.ts'
import { advance } from '../../../src/receivers/positions.ts'
import type { CutLimits, ReceiverContext } from '../../../src/receivers/receiver.ts'
import type { VirtualClock } from '../virtual-clock.ts'

/** What a receiver is opened with. */
export interface LifeOptions {
  readonly stream: string
  readonly client: KinesisClient
  readonly clock: VirtualClock
  readonly bufferBytesMax: number
  readonly concurrentCallsMax: number
  /** Of its jitter. */
  readonly seed: number
}

/** Opens, cuts, and ends one receiver. */
export class ReceiverLife {
  readonly options: LifeOptions
  readonly receiver: KinesisReceiver
  readonly counts = new Map<string, number>()
  readonly kinds = new Map<string, number>()
  /** After the last cut. */
  positions: PartitionPositions = []
  #failure: unknown

  constructor(options: LifeOptions) {
    this.options = options
    const { stream, client, clock, bufferBytesMax, concurrentCallsMax, seed } = options
    const settings = kinesisSettings({
      ...{ stream, client, concurrentCallsMax, startAt: 'TRIM_HORIZON' },
    })
    const count = (name: string, by = 1): void => addTo(this.counts, name, by)
    const context: ReceiverContext = {
      pipeline: 'faults',
      sourceId: 0,
      clock,
      logger: quietLogger,
      signal: new AbortController().signal,
      bufferBytesMax,
      fail: (error) => {
        this.#failure ??= error
      },
      reportError: () => undefined,
      tell: ({ kind }) => addTo(this.kinds, kind, 1),
      count,
    }
    this.receiver = new KinesisReceiver(settings, context, mulberry32(seed))
  }

  /** Starts at positions; false if the service did not answer, three times. */
  async start(from: PartitionPositions): Promise<boolean> {
    try {
      this.positions = await this.receiver.start(from)
      return true
    } catch (error) {
      if (codeOf(error) !== 'SOURCE_UNREACHABLE') throw error
      return false
    }
  }

  cut(limits: CutLimits): readonly RangeData[] {
    const cut = this.receiver.cut(limits)
    this.positions = advance(
      this.positions,
      cut.map(({ range }) => range),
    )
    return cut
  }

  /** Throws what must not be at any moment. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure
    const bytes = this.receiver.bufferedBytes()
    const { stream, bufferBytesMax } = this.options
    if (bytes <= bufferBytesMax) return
    throw new Error(`"${stream}" has read ${bytes} bytes ahead, more than ${bufferBytesMax}`)
  }
}

function addTo(sums: Map<string, number>, name: string, by: number): void {
  sums.set(name, (sums.get(name) ?? 0) + by)
}
