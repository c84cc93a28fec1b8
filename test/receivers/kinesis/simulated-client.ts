// The part of the SDK's client that the receiver uses, answered by the simulated service: no wire,
// no timer but those of the clock.

import type { KinesisClient } from '@aws-sdk/client-kinesis'
import type { ManualClock } from 'millrace/testing'
import { sleep } from '../../../src/clock.ts'
import type { FaultRule } from '../../../src/testing/kinesis/faults.ts'
import type { KinesisLimits } from '../../../src/testing/kinesis/kinesis-limits.ts'
import { KinesisService } from '../../../src/testing/kinesis/service.ts'

type Input = Readonly<Record<string, unknown>>

interface Command {
  readonly input: Input
  readonly constructor: { readonly name: string }
}

/** What the service is made with. */
export interface SimulatedOptions {
  readonly faults?: readonly FaultRule[]
  readonly seed?: number
  readonly limits?: Partial<KinesisLimits> | 'off'
  readonly callsMax?: number
}

/** A service with one client. */
export class SimulatedKinesis {
  readonly service: KinesisService
  readonly clock: ManualClock
  readonly client: KinesisClient
  /** Receivers that were opened on it. */
  readers = 0

  constructor(clock: ManualClock, options: SimulatedOptions = {}) {
    this.clock = clock
    this.service = new KinesisService({ ...options, clock })
    const send = (command: Command, how: { readonly abortSignal?: AbortSignal } = {}) =>
      this.#send(command, how)
    this.client = { send, destroy: () => undefined } as unknown as KinesisClient
  }

  call(operation: string, input: Input): Record<string, unknown> {
    return this.service.call(operation, input)
  }

  createStream(name: string, shards: number): void {
    this.call('CreateStream', { StreamName: name, ShardCount: shards })
  }

  /** Puts texts under their first characters as keys. */
  put(stream: string, texts: readonly string[]): void {
    for (const text of texts) {
      const Data = new TextEncoder().encode(text)
      this.call('PutRecord', { StreamName: stream, PartitionKey: text.slice(0, 1), Data })
    }
  }

  shards(stream: string): readonly { readonly ShardId: string }[] {
    const { Shards } = this.call('ListShards', { StreamName: stream })
    return Shards as { ShardId: string }[]
  }

  split(stream: string, shard: string, at: bigint): void {
    const NewStartingHashKey = at.toString()
    this.call('SplitShard', { StreamName: stream, ShardToSplit: shard, NewStartingHashKey })
  }

  merge(stream: string, left: string, right: string): void {
    this.call('MergeShards', {
      StreamName: stream,
      ShardToMerge: left,
      AdjacentShardToMerge: right,
    })
  }

  #later(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return sleep(this.clock, ms, signal)
  }

  async #send(command: Command, { abortSignal }: { readonly abortSignal?: AbortSignal }) {
    const operation = command.constructor.name.replace(/Command$/, '')
    const fault = this.service.faults.decide(operation, command.input, this.service.nowMs())
    await Promise.resolve()
    try {
      return this.service.call(operation, command.input, fault)
    } catch (error) {
      throw asSdkError(error)
    } finally {
      if (fault.kind === 'slow') await this.#later(fault.delayMs, abortSignal)
    }
  }
}

/** The SDK names its errors after the service's codes. */
function asSdkError(thrown: unknown): unknown {
  const code: unknown = thrown instanceof Error ? Reflect.get(thrown, 'code') : undefined
  if (typeof code !== 'string') return thrown
  return Object.assign(new Error((thrown as Error).message), { name: code })
}
