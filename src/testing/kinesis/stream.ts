// One stream: its shards and settings, and the change that is under way. Nothing in it waits: who
// uses it settles it first, and what has become due by then has its effect at its own time.

import { assert, present } from '../../assert.ts'
import type { Creation, Put, StreamMode, Update } from './changes.ts'
import { evenStarts, HASH_KEYS } from './hash-key.ts'
import { Shard, type ShardDescription, type StoredRecord, secondsOf } from './shard.ts'
import type { StreamSnapshot } from './stream-snapshot.ts'
import { uniformSteps } from './uniform-scaling.ts'

/** What the service says of a stream's state. */
export type StreamStatus = 'CREATING' | 'ACTIVE' | 'UPDATING' | 'DELETING'

interface Transition {
  readonly status: StreamStatus
  readonly dueMs: number
  readonly effect: () => void
}

const HOUR_MS = 3_600_000
/** How often a stream that is used forgets the records that are older than its retention. */
const TRIM_INTERVAL_MS = 60_000

/** A stream. */
export class Stream {
  readonly name: string
  readonly arn: string
  readonly createdMs: number
  mode: StreamMode
  maxRecordKiB: number
  retentionHours = 24
  tags: Readonly<Record<string, string>>
  /** When UpdateShardCount was called. */
  readonly scalings: number[] = []
  /** All shards that ever were, by their number. */
  readonly shards: Shard[] = []
  /** Open shards in the order of their hash keys. */
  readonly #open: Shard[] = []
  readonly #creation: Creation
  #counter = 1
  #lastPutMs = 0
  /** What arrived before it is gone, however long the retention is now. */
  #floorMs = 0
  #trimmedMs = 0
  #transition: Transition | undefined

  constructor(creation: Creation, arn: string) {
    this.name = creation.stream
    this.arn = arn
    this.createdMs = creation.createdMs
    this.mode = creation.mode
    this.maxRecordKiB = creation.maxRecordKiB
    this.tags = creation.tags
    this.#creation = creation
    this.#begin('CREATING', creation.atMs + creation.delayMs, () => {
      const starts = evenStarts(creation.shards)
      for (const [i, startHash] of starts.entries()) {
        this.#add(startHash, (starts[i + 1] ?? HASH_KEYS) - 1n, this.createdMs, [])
      }
    })
  }

  /** Makes a stream again from its snapshot. */
  static restore(snapshot: StreamSnapshot, account: { arnOf(name: string): string }): Stream {
    const stream = new Stream(snapshot.creation, account.arnOf(snapshot.creation.stream))
    stream.#transition = undefined
    stream.mode = snapshot.mode
    stream.maxRecordKiB = snapshot.maxRecordKiB
    stream.retentionHours = snapshot.retentionHours
    stream.tags = snapshot.tags
    stream.scalings.push(...snapshot.scalings)
    stream.#counter = snapshot.counter
    stream.#lastPutMs = snapshot.lastPutMs
    stream.#floorMs = snapshot.floorMs
    for (const [index, shard] of snapshot.shards.entries()) {
      const { closedMs, startHash, endHash, ...rest } = shard
      const range = { startHash: BigInt(startHash), endHash: BigInt(endHash) }
      const added = stream.#addShard({ ...rest, ...range, index })
      if (closedMs !== undefined) stream.#close(added, closedMs)
    }
    return stream
  }

  /** What the stream is besides its records. */
  snapshot(): StreamSnapshot {
    assert(this.status === 'ACTIVE', () => `"${this.name}" is ${this.status}`)
    return {
      kind: 'snapshot',
      creation: this.#creation,
      mode: this.mode,
      maxRecordKiB: this.maxRecordKiB,
      retentionHours: this.retentionHours,
      tags: this.tags,
      scalings: this.scalings,
      counter: this.#counter,
      lastPutMs: this.#lastPutMs,
      floorMs: this.#floorMs,
      shards: this.shards.map(({ described, closedMs }) => {
        const { index: _, startHash, endHash, ...rest } = described
        return { ...rest, startHash: String(startHash), endHash: String(endHash), closedMs }
      }),
    }
  }

  get status(): StreamStatus {
    return this.#transition?.status ?? 'ACTIVE'
  }

  /** Open shards in the order of their hash keys. */
  get open(): readonly Shard[] {
    return this.#open
  }

  /** The counter of the next record. */
  takeCounter(): number {
    this.#counter += 1
    return this.#counter - 1
  }

  /** Time in a stream does not go back, whatever the clock does. */
  arrivalAt(nowMs: number): number {
    return Math.max(Math.floor(nowMs), this.#lastPutMs)
  }

  /** Lets what is due by now take effect. Gives false once the stream is gone. */
  settle(nowMs: number): boolean {
    this.#trim(nowMs)
    const transition = this.#transition
    if (transition === undefined || transition.dueMs > nowMs) return true
    this.#transition = undefined
    transition.effect()
    return transition.status !== 'DELETING'
  }

  /** Begins to go. */
  delete(dueMs: number): void {
    this.#transition = undefined
    this.#begin('DELETING', dueMs, () => undefined)
  }

  /** Begins a change. */
  update(change: Update): void {
    const dueMs = change.atMs + change.delayMs
    if (change.kind === 'scale') this.scalings.push(change.atMs)
    if (change.kind === 'tags') this.tags = change.tags
    else this.#begin('UPDATING', dueMs, () => this.#apply(change, dueMs))
  }

  /** Stores records. */
  put({ atMs, entries }: Put): StoredRecord[] {
    this.#lastPutMs = Math.max(this.#lastPutMs, atMs)
    return entries.map(([index, counter, partitionKey, data]) => {
      this.#counter = Math.max(this.#counter, counter + 1)
      const shard = present(this.shards[index], `Shard ${index} of "${this.name}"`)
      const record = {
        sequenceNumber: shard.numberOf(counter, atMs),
        counter,
        arrivalMs: atMs,
        partitionKey,
        data,
        bytes: data.length + Buffer.byteLength(partitionKey),
      }
      shard.append(record)
      return record
    })
  }

  /** The open shard that takes records of this hash key (hexadecimal). */
  shardFor(hash: string): Shard {
    let low = 0
    let high = this.#open.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if ((this.#open[middle] as Shard).startHex <= hash) low = middle
      else high = middle - 1
    }
    return present(this.#open[low], `The shard for ${hash} in "${this.name}"`)
  }

  /** The time before which nothing is kept. */
  horizonMs(nowMs: number): number {
    return Math.max(nowMs - this.retentionHours * HOUR_MS, this.#floorMs)
  }

  /** Tells whether a shard is closed and none of its records can be there any more. */
  hasExpired(shard: Shard, nowMs: number): boolean {
    return shard.closedMs !== undefined && shard.closedMs < this.horizonMs(nowMs)
  }

  /** The shards that came out of one, and are not gone. */
  childrenOf(shard: Shard): Shard[] {
    const { index } = shard.described
    return this.shards.filter(
      ({ described }) => described.parent === index || described.adjacentParent === index,
    )
  }

  /** Also shards that nobody reads, and closed ones, keep no record for ever. */
  #trim(nowMs: number): void {
    if (nowMs - this.#trimmedMs < TRIM_INTERVAL_MS) return
    this.#trimmedMs = nowMs
    const horizonMs = this.horizonMs(nowMs)
    for (const shard of this.shards) shard.trimBefore(horizonMs)
  }

  #begin(status: StreamStatus, dueMs: number, effect: () => void): void {
    assert(this.#transition === undefined, () => `"${this.name}" changes twice at once`)
    this.#transition = { status, dueMs, effect }
  }

  #apply(change: Exclude<Update, { kind: 'tags' }>, ms: number): void {
    switch (change.kind) {
      case 'split':
        this.#split(this.#shard(change.shard), BigInt(change.startHash), ms)
        break
      case 'merge':
        this.#merge(this.#shard(change.shard), this.#shard(change.adjacent), ms)
        break
      case 'scale':
        this.#scale(change.target, ms)
        break
      case 'retention':
        // A longer retention does not bring back what has expired.
        this.#floorMs = this.horizonMs(ms)
        this.retentionHours = change.hours
        break
      case 'record-size':
        this.maxRecordKiB = change.kib
        break
      case 'mode':
        this.mode = change.mode
        break
    }
  }

  #shard(index: number): Shard {
    return present(this.shards[index], `Shard ${index} of "${this.name}"`)
  }

  #split(parent: Shard, startHash: bigint, ms: number): void {
    const { startHash: from, endHash: to } = parent.described
    this.#close(parent, ms)
    this.#add(from, startHash - 1n, ms, [parent])
    this.#add(startHash, to, ms, [parent])
  }

  #merge(shard: Shard, adjacent: Shard, ms: number): void {
    this.#close(shard, ms)
    this.#close(adjacent, ms)
    this.#add(shard.described.startHash, adjacent.described.endHash, ms, [shard, adjacent])
  }

  #scale(target: number, ms: number): void {
    const starts = this.#open.map((shard) => shard.described.startHash)
    for (const { kind, startHash } of uniformSteps(starts, target)) {
      const at = this.#open.findLastIndex((shard) => shard.described.startHash <= startHash)
      const shard = present(this.#open[at], 'The shard to scale')
      if (kind === 'split') this.#split(shard, startHash, ms)
      else this.#merge(present(this.#open[at - 1], 'The shard before'), shard, ms)
    }
  }

  #close(shard: Shard, ms: number): void {
    shard.close(ms)
    this.#open.splice(this.#open.indexOf(shard), 1)
  }

  #add(startHash: bigint, endHash: bigint, ms: number, parents: readonly Shard[]): void {
    const after = parents.map((parent) => parent.described.createdSecs + 1)
    this.#addShard({
      index: this.shards.length,
      createdMs: ms,
      createdSecs: Math.max(secondsOf(ms), ...after),
      startHash,
      endHash,
      parent: parents[0]?.described.index,
      adjacentParent: parents[1]?.described.index,
    })
  }

  #addShard(described: ShardDescription): Shard {
    const shard = new Shard(described)
    this.shards.push(shard)
    const at = this.#open.findIndex((other) => other.startHex > shard.startHex)
    this.#open.splice(at < 0 ? this.#open.length : at, 0, shard)
    return shard
  }
}
