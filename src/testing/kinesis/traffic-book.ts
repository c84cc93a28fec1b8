// The rates of the calls, and what has passed through each shard. None of it outlives the process.

import type { KinesisLimits } from './kinesis-limits.ts'
import { RatePeak } from './rate-peak.ts'
import type { Shard } from './shard.ts'
import type { Stream } from './stream.ts'
import { TokenBucket } from './token-bucket.ts'

/** What has passed through one shard since the simulator was made. */
export interface ShardTraffic {
  /** Name of the stream. */
  readonly stream: string
  /** Id of the shard. */
  readonly shard: string
  /** Records that were stored. */
  readonly recordsIn: number
  /** Their bytes: data and partition keys. */
  readonly bytesIn: number
  /** Records that were refused because the shard's throughput was used up. */
  readonly recordsThrottled: number
  /** `GetRecords` calls for the shard, refused ones included. */
  readonly reads: number
  /** `GetRecords` calls that were refused because the shard's throughput was used up. */
  readonly readsThrottled: number
  /** Records that were given. */
  readonly recordsOut: number
  /** Their bytes: data and partition keys. */
  readonly bytesOut: number
  /** The most `GetRecords` calls, refused ones included, within any one second. */
  readonly readsPerSecondMax: number
  /** The most bytes that were given within any one second. */
  readonly bytesOutPerSecondMax: number
}

type Counts = { -readonly [K in keyof ShardTraffic]: ShardTraffic[K] }

/** The buckets and counters of one shard. */
export class ShardMeter {
  readonly counts: Counts
  readonly bytesIn: TokenBucket
  readonly recordsIn: TokenBucket
  readonly reads: TokenBucket
  readonly bytesOut: TokenBucket
  readonly iterators: TokenBucket
  readonly #readPeak = new RatePeak()
  readonly #bytesOutPeak = new RatePeak()

  constructor(stream: string, shard: string, limits: KinesisLimits, nowMs: number) {
    this.counts = {
      stream,
      shard,
      recordsIn: 0,
      bytesIn: 0,
      recordsThrottled: 0,
      reads: 0,
      readsThrottled: 0,
      recordsOut: 0,
      bytesOut: 0,
      readsPerSecondMax: 0,
      bytesOutPerSecondMax: 0,
    }
    this.bytesIn = new TokenBucket(limits.shardBytesInPerSecond, nowMs)
    this.recordsIn = new TokenBucket(limits.shardRecordsInPerSecond, nowMs)
    this.reads = new TokenBucket(limits.shardReadsPerSecond, nowMs)
    this.bytesOut = new TokenBucket(limits.shardBytesOutPerSecond, nowMs)
    this.iterators = new TokenBucket(limits.shardIteratorsPerSecond, nowMs)
  }

  /** Takes a record in, or refuses it. */
  tryPut(bytes: number, nowMs: number): boolean {
    if (!this.recordsIn.has(1, nowMs) || !this.bytesIn.has(bytes, nowMs)) {
      this.counts.recordsThrottled += 1
      return false
    }
    this.recordsIn.take(1, nowMs)
    this.bytesIn.take(bytes, nowMs)
    this.counts.recordsIn += 1
    this.counts.bytesIn += bytes
    return true
  }

  /** Counts a read that has come; it has not yet been allowed. */
  readCame(nowMs: number): void {
    this.counts.reads += 1
    this.counts.readsPerSecondMax = this.#readPeak.add(1, nowMs)
  }

  /** Allows a read, or refuses it. */
  tryRead(nowMs: number): boolean {
    if (this.bytesOut.isOpen(nowMs) && this.reads.tryTake(1, nowMs)) return true
    this.counts.readsThrottled += 1
    return false
  }

  /** Counts what a read gave. */
  gave(records: number, bytes: number, nowMs: number): void {
    if (records === 0) return
    this.bytesOut.take(bytes, nowMs)
    this.counts.recordsOut += records
    this.counts.bytesOut += bytes
    this.counts.bytesOutPerSecondMax = this.#bytesOutPeak.add(bytes, nowMs)
  }
}

/** All meters of the service. */
export class TrafficBook {
  readonly #limits: KinesisLimits
  readonly #meters = new Map<string, ShardMeter>()
  readonly #ofShard = new WeakMap<Shard, ShardMeter>()
  readonly #rates = new Map<string, TokenBucket>()

  constructor(limits: KinesisLimits) {
    this.#limits = limits
  }

  /** The meter of a shard. */
  meterOf(stream: Stream, shard: Shard, nowMs: number): ShardMeter {
    let meter = this.#ofShard.get(shard)
    if (meter === undefined) {
      const key = `${stream.name}/${shard.id}`
      meter = this.#meters.get(key) ?? new ShardMeter(stream.name, shard.id, this.#limits, nowMs)
      this.#meters.set(key, meter)
      this.#ofShard.set(shard, meter)
    }
    return meter
  }

  /** Counts one call of a rate: of the account, or of one stream. */
  tryCall(operation: string, perSecond: number, stream: string, nowMs: number): boolean {
    const key = `${operation}/${stream}`
    let bucket = this.#rates.get(key)
    if (bucket === undefined) {
      bucket = new TokenBucket(perSecond, nowMs)
      this.#rates.set(key, bucket)
    }
    return bucket.tryTake(1, nowMs)
  }

  /** What has passed through each shard. */
  shards(): ShardTraffic[] {
    return [...this.#meters.values()].map(({ counts }) => ({ ...counts }))
  }
}
