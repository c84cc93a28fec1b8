// The reshards: SplitShard, MergeShards and UpdateShardCount on the simulator. Each call counts as
// one event, however many splits and merges it causes.

import { type KinesisSimulator, ServiceFault } from 'millrace/testing'
import type { VirtualClock } from '../virtual-clock.ts'
import type { StreamName } from './two-streams.ts'

/** The kinds of event. */
export type ReshardKind = 'split' | 'merge' | 'double' | 'halve'

/** A shard as ListShards gives it. */
export interface Listed {
  readonly ShardId: string
  readonly ParentShardId?: string
  readonly AdjacentParentShardId?: string
  readonly HashKeyRange: { readonly StartingHashKey: string; readonly EndingHashKey: string }
  readonly SequenceNumberRange: { readonly EndingSequenceNumber?: string }
}

const OPEN_MAX = 10
const BUSY = new Set(['ResourceInUseException', 'LimitExceededException'])
const AGAIN_MS = 500

/** Changes the shards of streams. */
export class Reshards {
  readonly #simulator: KinesisSimulator
  readonly #clock: VirtualClock
  readonly #pick: (below: number) => number

  constructor(simulator: KinesisSimulator, clock: VirtualClock, pick: (below: number) => number) {
    this.#simulator = simulator
    this.#clock = clock
    this.#pick = pick
  }

  /** All shards of a stream. */
  shards(stream: StreamName): readonly Listed[] {
    return this.#simulator.call('ListShards', { StreamName: stream })['Shards'] as Listed[]
  }

  /** The parents of each shard of a stream. */
  parents(stream: StreamName): Map<string, readonly string[]> {
    return new Map(this.shards(stream).map((shard) => [shard.ShardId, parentsOf(shard)]))
  }

  /** Makes one event as soon as the stream can take it; another one, where the stream has too few
   * or too many shards. `preferred`: a shard that it should concern. Gives what it did. */
  async make(stream: StreamName, kind: ReshardKind, preferred?: string): Promise<string> {
    for (;;) {
      try {
        return this.#tryOnce(stream, kind, preferred)
      } catch (error) {
        if (!(error instanceof ServiceFault) || !BUSY.has(error.code)) throw error
        await this.#clock.wait(AGAIN_MS)
      }
    }
  }

  #tryOnce(stream: StreamName, wanted: ReshardKind, preferred: string | undefined): string {
    const open = openOf(this.shards(stream))
    const at = open.findIndex(({ ShardId }) => ShardId === preferred)
    switch (possible(wanted, open.length)) {
      case 'split':
        return this.#split(stream, open[at < 0 ? this.#pick(open.length) : at] as Listed)
      case 'merge': {
        const left = Math.min(at < 0 ? this.#pick(open.length) : at, open.length - 2)
        return this.#merge(stream, open[left] as Listed, open[left + 1] as Listed)
      }
      case 'double':
        return this.#scale(stream, open.length, open.length * 2)
      case 'halve':
        return this.#scale(stream, open.length, Math.ceil(open.length / 2))
    }
  }

  #split(stream: StreamName, { ShardId, HashKeyRange }: Listed): string {
    const from = BigInt(HashKeyRange.StartingHashKey)
    const to = BigInt(HashKeyRange.EndingHashKey)
    const at = from + ((to - from) * BigInt(100 + this.#pick(801))) / 1_000n
    const input = { ShardToSplit: ShardId, NewStartingHashKey: String(at) }
    this.#simulator.call('SplitShard', { StreamName: stream, ...input })
    return `split ${stream} ${shortOf(ShardId)}`
  }

  #merge(stream: StreamName, left: Listed, right: Listed): string {
    const input = { ShardToMerge: left.ShardId, AdjacentShardToMerge: right.ShardId }
    this.#simulator.call('MergeShards', { StreamName: stream, ...input })
    return `merge ${stream} ${shortOf(left.ShardId)} ${shortOf(right.ShardId)}`
  }

  #scale(stream: StreamName, from: number, target: number): string {
    const input = { TargetShardCount: target, ScalingType: 'UNIFORM_SCALING' }
    this.#simulator.call('UpdateShardCount', { StreamName: stream, ...input })
    return `scale ${stream} ${from} to ${target}`
  }
}

function possible(wanted: ReshardKind, open: number): ReshardKind {
  if (open === 1) return wanted === 'merge' ? 'split' : wanted === 'halve' ? 'double' : wanted
  if (wanted === 'split' && open >= OPEN_MAX) return 'merge'
  return wanted === 'double' && 2 * open > OPEN_MAX ? 'halve' : wanted
}

/** The open shards in order of their hash keys. */
function openOf(shards: readonly Listed[]): Listed[] {
  const start = ({ HashKeyRange }: Listed): bigint => BigInt(HashKeyRange.StartingHashKey)
  return shards
    .filter((shard) => shard.SequenceNumberRange.EndingSequenceNumber === undefined)
    .sort((a, b) => (start(a) < start(b) ? -1 : 1))
}

/** The parents of a shard. */
export function parentsOf({ ParentShardId, AdjacentParentShardId }: Listed): string[] {
  return [ParentShardId, AdjacentParentShardId].filter((id) => id !== undefined)
}

function shortOf(shard: string): string {
  return String(Number(shard.slice('shardId-'.length)))
}
