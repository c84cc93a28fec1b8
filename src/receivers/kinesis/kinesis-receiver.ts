// Polls every shard of a stream within the service's limits: one loop a shard, 5 reads a second at
// most.
//
// A child shard is read when all its parents have ended, and its first range comes in a cut after
// the one that took their END: records of one key stay in order across a reshard. Lineage is in
// every range.

import type { Shard } from '@aws-sdk/client-kinesis'
import { sleep } from '../../clock.ts'
import { StreamingError } from '../../errors.ts'
import { ByteBound, type TakeLimits } from '../block-buffer.ts'
import type {
  PartitionPositions,
  Position,
  RangeData,
  Receiver,
  ReceiverContext,
  SourceRange,
} from '../receiver.ts'
import { shareRecords } from '../record-shares.ts'
import type { KinesisSettings } from './options.ts'
import { replayRange } from './replay.ts'
import { ShardState } from './shard.ts'
import { StreamReader } from './stream-reader.ts'

/** Receives one stream for one run. */
export class KinesisReceiver implements Receiver {
  readonly #settings: KinesisSettings
  readonly #context: ReceiverContext
  readonly #shards = new Map<string, ShardState>()
  readonly #bound: ByteBound
  readonly #loops = new Map<string, Promise<void>>()
  readonly #stopping = new AbortController()
  #cuts = 0
  #reader: StreamReader | undefined

  constructor(settings: KinesisSettings, context: ReceiverContext) {
    this.#settings = settings
    this.#context = context
    this.#bound = new ByteBound(context.bufferBytesMax)
    context.signal.addEventListener('abort', () => this.#stopping.abort(), { once: true })
  }

  async start(from: PartitionPositions): Promise<PartitionPositions> {
    this.#reader = new StreamReader(this.#settings, {
      ...this.#context,
      signal: this.#stopping.signal,
    })
    const retentionMs = await this.#reader.describe()
    const listed = await this.#reader.shards()
    for (const known of from) this.#refuseGap(known, listed, retentionMs)
    const fresh = from.length === 0
    const known = new Map(from.map((position) => [position.partition, position]))
    for (const shard of listed) {
      const id = shard.ShardId ?? ''
      if (known.has(id)) continue
      const position = fresh ? this.#startAt() : ({ kind: 'TRIM_HORIZON' } as const)
      const caughtUpAt = this.#context.clock.wallMs()
      known.set(id, { partition: id, position, caughtUpAt, parents: parentsOf(shard) })
    }
    for (const position of known.values()) this.#add(position)
    return [...known.values()]
  }

  run(): void {
    for (const shard of this.#shards.values()) this.#readWhenReady(shard)
  }

  cut(limits: TakeLimits): readonly RangeData[] {
    const shards = [...this.#shards.values()].sort(byLineage)
    const ready = shards.filter((shard) => this.#parentsOf(shard).every((p) => p.endTaken))
    const bytesMax = Math.max(1, Math.floor(limits.bytesMax / Math.max(1, ready.length)))
    const waiting = ready.map((shard) => shard.waiting)
    const shares = shareRecords(waiting, limits.recordsMax, this.#cuts)
    this.#cuts += 1
    return ready.flatMap((shard, i) => shard.take({ bytesMax, recordsMax: shares[i] ?? 0 }) ?? [])
  }

  async replay(ranges: readonly SourceRange[]): Promise<readonly RangeData[]> {
    const reader = this.#reader
    if (reader === undefined) return []
    return Promise.all(
      ranges.map((range) =>
        replayRange(reader, range, () =>
          sleep(this.#context.clock, this.#settings.pollIntervalMs, this.#stopping.signal),
        ),
      ),
    )
  }

  caughtUp(): boolean {
    return [...this.#shards.values()].every((shard) => shard.caughtUp)
  }

  bufferedBytes(): number {
    return this.#bound.bytes
  }

  lagMs(): number | undefined {
    const lags = [...this.#shards.values()].flatMap((shard) => shard.behindMs ?? [])
    return lags.length === 0 ? undefined : Math.max(...lags)
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#bound.release()
    await Promise.allSettled(this.#loops.values())
    this.#reader?.close()
  }

  #startAt(): Position {
    const { startAt } = this.#settings
    if (startAt === 'TRIM_HORIZON') return { kind: 'TRIM_HORIZON' }
    const now = this.#context.clock.wallMs()
    const timestampMs = startAt === 'LATEST' ? now : Number(startAt.timestamp)
    return { kind: 'timestamp', timestampMs }
  }

  #refuseGap(
    { partition, position, caughtUpAt }: PartitionPositions[number],
    listed: readonly Shard[],
    retentionMs: number,
  ): void {
    if (position.kind === 'END' || this.#settings.onGap !== 'fail') return
    const horizon = this.#context.clock.wallMs() - retentionMs
    const listedNow = listed.some((shard) => shard.ShardId === partition)
    if (listedNow && (caughtUpAt >= horizon || position.kind !== 'sequence')) return
    throw new StreamingError(
      'SOURCE_GAP',
      `Cannot resume shard "${partition}" of stream "${this.#settings.stream}": what it held ` +
        `from ` +
        `${new Date(caughtUpAt).toISOString()} to ${new Date(horizon).toISOString()} has ` +
        `left the ` +
        `stream unread; set onGap to 'skip' or 'earliest' to go on without it`,
    )
  }

  #add(position: PartitionPositions[number]): ShardState {
    const shard = new ShardState(position, this.#bound)
    this.#shards.set(shard.id, shard)
    return shard
  }

  #parentsOf(shard: ShardState): ShardState[] {
    return shard.parents.flatMap((id) => this.#shards.get(id) ?? [])
  }

  /** Starts the loop of a shard once all its parents have ended. */
  #readWhenReady(shard: ShardState): void {
    if (shard.ended || this.#loops.has(shard.id) || this.#stopping.signal.aborted) return
    if (!this.#parentsOf(shard).every((parent) => parent.ended)) return
    this.#loops.set(
      shard.id,
      this.#loop(shard).catch((error: unknown) => {
        if (!this.#stopping.signal.aborted) this.#context.fail(error)
      }),
    )
  }

  async #loop(shard: ShardState): Promise<void> {
    const { clock } = this.#context
    const { signal } = this.#stopping
    const reader = this.#reader as StreamReader
    let iterator = await reader.iterator(shard.id, shard.read)
    while (!signal.aborted) {
      await this.#bound.room()
      const calledAt = clock.monotonicMs()
      const page = await reader.read(iterator)
      if (page === undefined) {
        iterator = await reader.iterator(shard.id, shard.read)
        continue
      }
      shard.receive(page, clock.wallMs())
      if (page.next === undefined) return this.#onEnd()
      iterator = page.next
      const waitMs = this.#settings.pollIntervalMs - (clock.monotonicMs() - calledAt)
      if (waitMs > 0) await sleep(clock, waitMs, signal).catch(() => undefined)
    }
  }

  /** A shard has ended: its children, if any, are read from their beginning. */
  async #onEnd(): Promise<void> {
    const listed = await (this.#reader as StreamReader).shards()
    for (const shard of listed) {
      const partition = shard.ShardId ?? ''
      if (this.#shards.has(partition)) continue
      const caughtUpAt = this.#context.clock.wallMs()
      const position = { kind: 'TRIM_HORIZON' } as const
      this.#add({ partition, position, caughtUpAt, parents: parentsOf(shard) })
    }
    this.run()
  }
}

function parentsOf(shard: Shard): string[] {
  return [shard.ParentShardId, shard.AdjacentParentShardId].filter((id) => id !== undefined)
}

/** Shard ids grow: a child's is greater than its parents'. */
function byLineage(a: ShardState, b: ShardState): number {
  return a.id < b.id ? -1 : 1
}
