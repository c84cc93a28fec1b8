// A stream on a server, for a test: lines are put under their keys, shards are split and merged.

import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  type KinesisClient,
  ListShardsCommand,
  MergeShardsCommand,
  PutRecordsCommand,
  SplitShardCommand,
  UpdateShardCountCommand,
} from '@aws-sdk/client-kinesis'
import { vi } from 'vitest'

const WITHIN = { timeout: 10_000 }
const KEYS = 'abcdefg'
let streams = 0

/** A stream that a test made. */
export class KinesisStream {
  readonly name: string
  readonly #client: KinesisClient

  private constructor(client: KinesisClient, name: string) {
    this.#client = client
    this.name = name
  }

  static async create(client: KinesisClient, shards: number): Promise<KinesisStream> {
    streams += 1
    const stream = new KinesisStream(client, `lines-${streams}`)
    await client.send(new CreateStreamCommand({ StreamName: stream.name, ShardCount: shards }))
    await stream.#active()
    return stream
  }

  /** Puts lines of the form `key:…`, in their order; gives them back. */
  async put(lines: readonly string[]): Promise<readonly string[]> {
    // A call holds each key once: the service does not keep the order within a call.
    for (let i = 0; i < lines.length; i += KEYS.length) {
      const Records = lines.slice(i, i + KEYS.length).map((line) => {
        return { Data: new TextEncoder().encode(line), PartitionKey: line.split(':')[0] }
      })
      await this.#client.send(new PutRecordsCommand({ StreamName: this.name, Records }))
    }
    return lines
  }

  /** Splits the first open shard in the middle of all hash keys. */
  async split(): Promise<void> {
    const [shard] = await this.openShards()
    const range = shard?.HashKeyRange
    const from = BigInt(range?.StartingHashKey ?? 0)
    const middle = from + (BigInt(range?.EndingHashKey ?? 0) - from + 1n) / 2n
    await this.#client.send(
      new SplitShardCommand({
        StreamName: this.name,
        ShardToSplit: shard?.ShardId,
        NewStartingHashKey: middle.toString(),
      }),
    )
    await this.#active()
  }

  /** Merges the two open shards. */
  async merge(): Promise<void> {
    const [left, right] = await this.openShards()
    await this.#client.send(
      new MergeShardsCommand({
        StreamName: this.name,
        ShardToMerge: left?.ShardId,
        AdjacentShardToMerge: right?.ShardId,
      }),
    )
    await this.#active()
  }

  async updateShardCount(count: number): Promise<void> {
    await this.#client.send(
      new UpdateShardCountCommand({
        StreamName: this.name,
        TargetShardCount: count,
        ScalingType: 'UNIFORM_SCALING',
      }),
    )
    await this.#active()
  }

  async openShards() {
    const answer = await this.#client.send(new ListShardsCommand({ StreamName: this.name }))
    return (answer.Shards ?? []).filter(
      (shard) => shard.SequenceNumberRange?.EndingSequenceNumber === undefined,
    )
  }

  async #active(): Promise<void> {
    const describe = new DescribeStreamSummaryCommand({ StreamName: this.name })
    await vi.waitFor(async () => {
      const { StreamDescriptionSummary: summary } = await this.#client.send(describe)
      if (summary?.StreamStatus !== 'ACTIVE') throw new Error(`it is ${summary?.StreamStatus}`)
    }, WITHIN)
  }
}

/** `key:number` for keys a to g; the numbers of a key grow. */
export function linesOf(count: number, first = 0): string[] {
  return Array.from({ length: count }, (_, i) => `${KEYS[i % KEYS.length]}:${first + i}:ä`)
}

/** The numbers of each key, in order: a key lives in one shard at a time. */
export function byKey(lines: readonly string[]): Record<string, number[]> {
  const numbers: Record<string, number[]> = {}
  for (const line of lines) {
    const [key = '', n] = line.split(':')
    numbers[key] = [...(numbers[key] ?? []), Number(n)]
  }
  return numbers
}
