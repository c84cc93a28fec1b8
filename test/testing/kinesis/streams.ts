// A service on a manual clock, and short ways to call it, for the tests of this folder.

import { KinesisService, type KinesisServiceOptions } from '../../../src/testing/kinesis/service.ts'
import { ServiceFault } from '../../../src/testing/kinesis/service-fault.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'

/** 2026-01-01T00:00:00Z. */
export const START_MS = 1_767_225_600_000

/** An answer, read without checks. */
// biome-ignore lint/suspicious/noExplicitAny: answers have the many shapes of the API
export type Answer = any

/** A service, its clock, and calls of it. */
export class Streams {
  readonly clock = new ManualClock(START_MS)
  readonly service: KinesisService

  constructor(options: Partial<KinesisServiceOptions> = {}) {
    this.service = new KinesisService({ clock: this.clock, limits: 'off', ...options })
  }

  call(operation: string, input: Readonly<Record<string, unknown>> = {}): Answer {
    return this.service.call(operation, input)
  }

  /** Calls and lets the service's faults happen, except for waits. */
  faulty(operation: string, input: Readonly<Record<string, unknown>>): Answer {
    const fault = this.service.faults.decide(operation, input, this.service.nowMs())
    return this.service.call(operation, input, fault)
  }

  create(shards: number, name = 's'): void {
    this.call('CreateStream', { StreamName: name, ShardCount: shards })
  }

  put(text: string, more: Readonly<Record<string, unknown>> = {}): Answer {
    const record = { PartitionKey: text, Data: Buffer.from(text) }
    return this.call('PutRecord', { StreamName: 's', ...record, ...more })
  }

  /** An iterator of shard 0, if nothing else is said. */
  iterator(type: string, more: Readonly<Record<string, unknown>> = {}): string {
    const of = { StreamName: 's', ShardId: '0', ShardIteratorType: type, ...more }
    return this.call('GetShardIterator', of).ShardIterator
  }

  read(iterator: string, more: Readonly<Record<string, unknown>> = {}): Answer {
    return this.call('GetRecords', { ShardIterator: iterator, ...more })
  }

  /** All ids of shards, or those of a filter. */
  shardIds(more: Readonly<Record<string, unknown>> = {}): string[] {
    return this.call('ListShards', { StreamName: 's', ...more }).Shards.map(
      ({ ShardId }: Answer) => ShardId,
    )
  }
}

/** The texts of the records of an answer. */
export function texts({ Records }: Answer): string[] {
  return Records.map(({ Data }: Answer) => Buffer.from(Data).toString())
}

/** The code of the fault that a call throws. */
export function codeOf(call: () => unknown): string {
  return faultOf(call).code
}

/** The fault that a call throws. */
export function faultOf(call: () => unknown): ServiceFault {
  try {
    call()
  } catch (thrown) {
    if (thrown instanceof ServiceFault) return thrown
    throw thrown
  }
  throw new Error('The call was answered')
}
